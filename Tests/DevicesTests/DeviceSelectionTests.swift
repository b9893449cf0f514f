import Testing

@testable import Devices

@Suite("Choosing devices")
struct DeviceSelectionTests {
    private func machine(cores: Int = 8, quota: Double? = nil, gpus: String? = nil, visible: String? = nil) -> Machine {
        let gpus = gpus.map(NvidiaSMI.gpus(csv:)) ?? []
        let (accelerators, problem) = VisibleDevices.restrict(gpus, to: visible)
        return Machine(
            cpu: .init(
                cores: Array(0..<cores), quota: quota, model: "x", memory: 64 << 30, memoryAvailable: 32 << 30),
            gpus: gpus, visible: accelerators, visibleDevices: visible, gpuProblem: problem)
    }

    @Test(
        "A selection reads back as it was written",
        arguments: ["auto", "cpu", "cpu:4", "cuda", "cuda:0,2"])
    func roundTrip(text: String) throws {
        #expect(try DeviceSelection.parse(text).description == text)
    }

    @Test(
        "A selection that means nothing is refused with what is accepted",
        arguments: [
            "", "gpu", "cpu:", "cpu:0", "cpu:-1", "cpu:x", "cuda:", "cuda:a", "cuda:0,,1", "cuda:1,1", "auto:2",
        ])
    func refused(text: String) {
        let error = #expect(throws: DevicesError.self) { try DeviceSelection.parse(text) }
        #expect(error?.code == .badSelection)
        #expect(error?.message.contains("cuda:0,2") == true)
    }

    @Test("auto takes every GPU, each pinned by its UUID")
    func autoOnGPUs() throws {
        let devices = try DeviceSelection.auto.resolve(on: machine(gpus: Recordings.eightGPUs))
        #expect(devices.map(\.name) == (0..<8).map { "cuda:\($0)" })
        #expect(
            devices[2].environment == [
                "CUDA_VISIBLE_DEVICES": "GPU-c2c2c2c2-2222-4111-8222-333344445555", "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
            ])
        #expect(devices[1].memory == 20480 << 20)
        #expect(devices[1].platform == "cuda")
    }

    @Test("auto takes the CPU where there is no GPU, one runner a core")
    func autoOnCPU() throws {
        let devices = try DeviceSelection.auto.resolve(on: machine(cores: 3))
        #expect(devices.map(\.kind) == [.cpu(cores: [0]), .cpu(cores: [1]), .cpu(cores: [2])])
        #expect(devices.allSatisfy { $0.environment == ["CUDA_VISIBLE_DEVICES": ""] })
        #expect(devices[0].memory == (32 << 30) / 3)
    }

    @Test("A quota of the control group lowers the number of runners, not the cores they may use")
    func quota() throws {
        let devices = try DeviceSelection.cpu(runners: nil).resolve(on: machine(cores: 8, quota: 2))
        #expect(devices.map(\.cores) == [[0, 1, 2, 3], [4, 5, 6, 7]])
    }

    @Test("Cores are dealt out whole: none is given twice and none is left over")
    func dealing() throws {
        let devices = try DeviceSelection.parse("cpu:3").resolve(on: machine(cores: 8))
        #expect(devices.map(\.cores) == [[0, 1], [2, 3, 4], [5, 6, 7]])
    }

    @Test("More runners than cores share them")
    func sharing() throws {
        let devices = try DeviceSelection.parse("cpu:5").resolve(on: machine(cores: 2))
        #expect(devices.map(\.cores) == [[0], [1], [0], [1], [0]])
    }

    @Test("CUDA asked for and absent is an error, never the CPU", arguments: ["cuda", "cuda:0"])
    func absent(text: String) throws {
        let selection = try DeviceSelection.parse(text)
        let error = #expect(throws: DevicesError.self) { try selection.resolve(on: machine()) }
        #expect(error?.code == .noCUDA)
        #expect(error?.message.contains("no NVIDIA GPU") == true)
    }

    @Test("CUDA asked for and hidden says what hides it")
    func hidden() throws {
        let machine = machine(gpus: Recordings.eightGPUs, visible: "")
        let error = #expect(throws: DevicesError.self) { try DeviceSelection.cuda(nil).resolve(on: machine) }
        #expect(error?.code == .noCUDA)
        #expect(error?.message.contains("CUDA_VISIBLE_DEVICES") == true)
    }

    @Test("A GPU's number counts within what CUDA_VISIBLE_DEVICES leaves")
    func numbersCountTheVisible() throws {
        let machine = machine(gpus: Recordings.eightGPUs, visible: "5,3")
        let devices = try DeviceSelection.parse("cuda:1,0").resolve(on: machine)
        #expect(devices.map(\.name) == ["cuda:1", "cuda:0"])
        #expect(
            devices.map { $0.environment["CUDA_VISIBLE_DEVICES"] } == [
                "GPU-d3d3d3d3-3333-4111-8222-333344445555", "GPU-f5f5f5f5-5555-4111-8222-333344445555",
            ])
    }

    @Test("A number that no GPU has is an error that lists those there are")
    func outOfRange() throws {
        let machine = machine(gpus: Recordings.eightGPUs, visible: "5,3")
        let selection = try DeviceSelection.parse("cuda:0,2")
        let error = #expect(throws: DevicesError.self) { try selection.resolve(on: machine) }
        #expect(error?.code == .noSuchDevice)
        #expect(error?.message.contains("no cuda:2; there is cuda:0 (NVIDIA H100 80GB HBM3), cuda:1") == true)
    }

    @Test("A machine whose GPUs are divided but have no instances says so")
    func dividedWithoutInstances() throws {
        let line =
            "0, GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77, NVIDIA A100-SXM4-80GB, 81920, 80794, 570.124.06, Enabled, 00000000:07:00.0"
        let machine = machine(gpus: line)
        let error = #expect(throws: DevicesError.self) { try DeviceSelection.cuda(nil).resolve(on: machine) }
        #expect(error?.message.contains("MIG") == true)
    }
}
