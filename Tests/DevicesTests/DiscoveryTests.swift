import SystemPackage
import Testing

@testable import Devices

@Suite("Finding out what a machine has")
struct DiscoveryTests {
    @Test("A machine with eight GPUs shows all of them, with the memory that is really free")
    func eightGPUs() async {
        let folder = MachineFolder(gpus: Recordings.eightGPUs, processes: Recordings.eightGPUsProcesses)
        let machine = await Devices.discover(environment: folder.environment(), root: folder.root)
        #expect(machine.gpus.map(\.index) == Array(0..<8))
        #expect(machine.visible.map(\.uuid) == machine.gpus.map(\.uuid))
        #expect(machine.gpus[1].memoryTotal == 81559 << 20)
        #expect(machine.gpus[1].memoryFree == 20480 << 20)
        #expect(
            machine.gpus[1].processes == [
                Machine.GPUProcess(pid: 412345, memory: 59872 << 20), Machine.GPUProcess(pid: 412399, memory: nil),
            ])
        #expect(machine.gpus[0].processes.isEmpty)
        #expect(machine.gpus[0].name == "NVIDIA H100 80GB HBM3")
        #expect(machine.driver == "580.65.06")
        #expect(machine.gpuProblem == nil)
    }

    @Test("A GPU's nearest cores are those of its NUMA node that this process may use")
    func nearestCores() async {
        let folder = MachineFolder(gpus: Recordings.eightGPUs)
        let machine = await Devices.discover(environment: folder.environment(), root: folder.root)
        #expect(machine.cpu.cores == [0, 1, 2, 3, 8, 9, 10, 11])
        #expect(machine.gpus[0].cores == [0, 1, 2, 3])
        #expect(machine.gpus[1].cores == [8, 9, 10, 11])
        #expect(machine.gpus[2].cores.isEmpty)
    }

    @Test("The instances of a divided GPU are devices of their own, and the whole GPU is none")
    func instances() async {
        let folder = MachineFolder(
            gpus: Recordings.dividedGPUs, list: Recordings.dividedGPUsList, xml: Recordings.dividedGPUsXML)
        let machine = await Devices.discover(environment: folder.environment(), root: folder.root)
        #expect(
            machine.visible.map(\.uuid) == [
                "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f", "MIG-0f6a8b11-7c1d-5b3e-8f10-0a5d7a1c2b3d",
                "MIG-e3f2a1b0-9988-5776-a554-433221100fed", "GPU-9f0e1d2c-3b4a-4958-8677-665544332211",
            ])
        #expect(machine.visible[0].memoryTotal == 40192 << 20)
        #expect(machine.visible[0].memoryFree == 30155 << 20)
        #expect(machine.visible[1].memoryFree == 19943 << 20)
        #expect(machine.visible[0].name == "NVIDIA A100-SXM4-80GB MIG 3g.40gb")
    }

    @Test("An instance whose memory the driver does not tell is not taken for larger than it is")
    func instanceWithoutFigures() async {
        let folder = MachineFolder(
            gpus: Recordings.dividedGPUs, list: Recordings.dividedGPUsList, xml: Recordings.dividedGPUsXML)
        let machine = await Devices.discover(environment: folder.environment(), root: folder.root)
        #expect(machine.gpus[0].mig[2].profile == "1g.10gb+me")
        #expect(machine.visible[2].memoryFree == 9_000_000_000)
    }

    @Test("A machine without nvidia-smi has no GPUs, and nothing is wrong with it")
    func noGPU() async {
        let folder = MachineFolder()
        let machine = await Devices.discover(environment: folder.environment(), root: folder.root)
        #expect(machine.gpus.isEmpty && machine.visible.isEmpty && machine.gpuProblem == nil)
    }

    @Test("A driver without nvidia-smi is reported, so that nobody wonders where the GPUs are")
    func driverWithoutTools() async {
        let folder = MachineFolder()
        folder.write("proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06\n")
        let machine = await Devices.discover(environment: folder.environment(), root: folder.root)
        #expect(machine.gpuProblem?.contains("nvidia-smi is not on PATH") == true)
    }

    @Test("What a failing nvidia-smi says is passed on")
    func failingTool() async {
        let folder = MachineFolder(failure: "NVIDIA-SMI has failed because it could not communicate with the driver.")
        let machine = await Devices.discover(environment: folder.environment(), root: folder.root)
        #expect(machine.gpus.isEmpty)
        #expect(machine.gpuProblem?.contains("could not communicate with the driver") == true)
    }

    @Test("A GPU that shares the machine's memory has no figures of its own, and is listed all the same")
    func unifiedMemory() {
        let line =
            "0, GPU-11112222-3333-4444-5555-666677778888, NVIDIA GB10, [N/A], [N/A], 580.95.05, [N/A], 0000000F:01:00.0"
        let gpus = NvidiaSMI.gpus(csv: line)
        #expect(gpus.count == 1)
        #expect(gpus.first?.memoryTotal == nil && gpus.first?.memoryFree == nil)
        #expect(gpus.first?.migEnabled == false)
    }

    @Test("Cores, memory and quota are those that the control group leaves, whichever group sets them")
    func controlGroup() async {
        let folder = MachineFolder()
        folder.write("sys/fs/cgroup/slurm/job_7/memory.max", "max\n")
        folder.write("sys/fs/cgroup/slurm/memory.max", "16000000000\n")
        folder.write("sys/fs/cgroup/slurm/memory.current", "1000000000\n")
        folder.write("sys/fs/cgroup/slurm/job_7/cpu.max", "250000 100000\n")
        let machine = await Devices.discover(environment: folder.environment(), root: folder.root)
        #expect(machine.cpu.memory == 16_000_000_000)
        #expect(machine.cpu.memoryAvailable == 15_000_000_000)
        #expect(machine.cpu.quota == 2.5)
        #expect(machine.cpu.runners == 2)
        #expect(machine.cpu.model == "AMD EPYC 9654 96-Core Processor")
    }

    @Test("Without a control group the whole machine counts")
    func noControlGroup() async {
        let folder = MachineFolder()
        let machine = await Devices.discover(environment: folder.environment(), root: folder.root)
        #expect(machine.cpu.memory == 65_536_000 * 1024)
        #expect(machine.cpu.memoryAvailable == 60_000_000 * 1024)
        #expect(machine.cpu.runners == 8)
    }

    @Test("This very machine has a core and some memory")
    func thisMachine() async {
        let machine = await Devices.discover()
        #expect(!machine.cpu.cores.isEmpty)
        #expect(machine.cpu.memory > 1 << 28)
        #expect(machine.cpu.memoryAvailable > 0)
    }
}
