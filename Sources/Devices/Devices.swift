import FoundationEssentials
import Subprocess
public import SystemPackage

/// Finds out what this machine has to train on.
public enum Devices {
    /// Lists the cores and the GPUs, without loading a plugin.
    ///
    /// The cores and the memory come from the kernel, the GPUs from `nvidia-smi`, which the driver brings. What the inherited
    /// `CUDA_VISIBLE_DEVICES` (the user's, or Slurm's) leaves out stays out of ``Machine/visible``.
    public static func discover(
        environment: [String: String]? = nil, root: FilePath = "/"
    ) async -> Machine {
        // What `nvidia-smi` needs, and nothing that could be a secret.
        let environment =
            environment
            ?? ProcessInfo.processInfo.environment.filter { name, _ in
                ["PATH", "HOME", "LD_LIBRARY_PATH"].contains(name) || name.hasPrefix("CUDA_")
                    || name.hasPrefix("NVIDIA_")
            }
        var machine = Machine(cpu: Processor.read(root: root), visibleDevices: environment["CUDA_VISIBLE_DEVICES"])
        if machine.cpu.cores.isEmpty {
            machine.cpu.cores = Array(0..<ProcessInfo.processInfo.activeProcessorCount)
        }
        switch await smi(["--query-gpu=\(NvidiaSMI.gpuFields)", "--format=\(NvidiaSMI.format)"], environment) {
        case .success(let csv):
            machine.gpus = NvidiaSMI.gpus(csv: csv)
        case .failure(.notFound):
            if Processor.hasNVIDIADriver(root: root) {
                machine.gpuProblem =
                    "an NVIDIA driver is loaded, but nvidia-smi is not on PATH; install the driver's tools "
                    + "(in a container: start it with --gpus all)"
            }
            return machine
        case .failure(.failed(let answer)):
            machine.gpuProblem = "nvidia-smi failed: \(answer)"
            return machine
        }
        if case .success(let csv) = await smi(
            ["--query-compute-apps=\(NvidiaSMI.processFields)", "--format=\(NvidiaSMI.format)"], environment)
        {
            let processes = NvidiaSMI.processes(csv: csv)
            for index in machine.gpus.indices {
                machine.gpus[index].processes = processes[machine.gpus[index].uuid] ?? []
            }
        }
        if machine.gpus.contains(where: \.migEnabled) { await addInstances(to: &machine, environment) }
        for index in machine.gpus.indices {
            let near = Set(Processor.cores(nearPCI: machine.gpus[index].pciBus, root: root))
            machine.gpus[index].cores = machine.cpu.cores.filter { near.contains($0) }
        }
        (machine.visible, machine.gpuProblem) = VisibleDevices.restrict(machine.gpus, to: machine.visibleDevices)
        return machine
    }

    private static func addInstances(to machine: inout Machine, _ environment: [String: String]) async {
        guard case .success(let list) = await smi(["-L"], environment) else { return }
        let instances = NvidiaSMI.instances(list: list)
        var memory: [String: [Int: (total: Int?, free: Int?)]] = [:]
        if case .success(let xml) = await smi(["-q", "-x"], environment) {
            memory = NvidiaSMI.instanceMemory(xml: xml)
        }
        for index in machine.gpus.indices {
            let uuid = machine.gpus[index].uuid
            machine.gpus[index].mig = (instances[uuid] ?? []).map { instance in
                var instance = instance
                if let figures = memory[uuid]?[instance.index] {
                    instance.memoryTotal = figures.total ?? instance.memoryTotal
                    instance.memoryFree = figures.free
                }
                return instance
            }
        }
    }

    private enum Problem: Error {
        case notFound
        case failed(String)
    }

    /// Runs `nvidia-smi`; one that hangs, as it does on a sick GPU, is given up after half a minute.
    private static func smi(
        _ arguments: [String], _ environment: [String: String]
    ) async -> Result<String, Problem> {
        var variables = environment
        variables["LC_ALL"] = "C"
        let configuration = Configuration(
            executable: .name("nvidia-smi"), arguments: Arguments(arguments),
            environment: .custom(
                Dictionary(uniqueKeysWithValues: variables.map { (Environment.Key(stringLiteral: $0), $1) })))
        return await withTaskGroup(of: Result<String, Problem>.self) { group in
            group.addTask {
                do {
                    let answer = try await run(
                        configuration, output: .string(limit: 8 << 20), error: .combinedWithOutput)
                    let text = trimmed(answer.standardOutput)
                    return answer.terminationStatus.isSuccess ? .success(text) : .failure(.failed(text))
                } catch let error as SubprocessError where error.code == .executableNotFound {
                    return .failure(.notFound)
                } catch {
                    return .failure(.failed("\(error)"))
                }
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(30))
                return .failure(.failed("it did not answer within 30 seconds; is a GPU in a bad state? see dmesg"))
            }
            let first = await group.next() ?? .failure(.notFound)
            group.cancelAll()
            return first
        }
    }
}
