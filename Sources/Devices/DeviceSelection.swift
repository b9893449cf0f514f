/// What the user wants to train on: `auto`, `cpu`, `cpu:4`, `cuda` or `cuda:0,2`.
public enum DeviceSelection: Sendable, Hashable, CustomStringConvertible {
    /// Every GPU that may be used, or the CPU where there is none.
    case auto
    /// The CPU with so many runners; nil means one a core.
    case cpu(runners: Int?)
    /// The GPUs of these numbers, in this order; nil means all.
    case cuda([Int]?)

    private static let accepted = "write auto, cpu, cpu:N (N runners), cuda or cuda:0,2 (GPUs by number)"

    /// Reads a selection as the command line and the experiment file write it.
    public static func parse(_ text: String) throws(DevicesError) -> DeviceSelection {
        let parts = trimmed(text).split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let argument = parts.count == 2 ? parts[1] : nil
        switch (parts.first, argument) {
        case ("auto", nil): return .auto
        case ("cpu", nil): return .cpu(runners: nil)
        case ("cpu", let argument?):
            guard let count = Int(argument), count > 0, count <= 4096 else {
                throw bad("\"\(text)\" does not say how many runners: the number after cpu: goes from 1 to 4096")
            }
            return .cpu(runners: count)
        case ("cuda", nil): return .cuda(nil)
        case ("cuda", let argument?):
            var indices: [Int] = []
            for entry in argument.split(separator: ",", omittingEmptySubsequences: false) {
                guard let index = Int(trimmed(entry)), index >= 0 else {
                    throw bad("\"\(text)\" does not name GPUs by number: \"\(entry)\" is not a number")
                }
                guard !indices.contains(index) else { throw bad("\"\(text)\" names GPU \(index) twice") }
                indices.append(index)
            }
            return .cuda(indices)
        default:
            throw bad("\"\(text)\" is not a choice of devices")
        }
    }

    private static func bad(_ what: String) -> DevicesError {
        DevicesError(code: .badSelection, message: "\(what); \(accepted)")
    }

    /// The selection as the command line writes it.
    public var description: String {
        switch self {
        case .auto: "auto"
        case .cpu(nil): "cpu"
        case .cpu(let count?): "cpu:\(count)"
        case .cuda(nil): "cuda"
        case .cuda(let indices?): "cuda:" + indices.map(String.init).joined(separator: ",")
        }
    }

    /// The devices that the selection means on a machine: one a runner.
    ///
    /// CUDA asked for by name and not there is an error; only `auto` ever turns to the CPU.
    public func resolve(on machine: Machine) throws(DevicesError) -> [Device] {
        switch self {
        case .auto:
            return machine.visible.isEmpty ? Self.processors(machine, nil) : Self.accelerators(machine)
        case .cpu(let runners):
            return Self.processors(machine, runners)
        case .cuda(let indices):
            guard !machine.visible.isEmpty else {
                throw DevicesError(code: .noCUDA, message: "\(self) was asked for, but \(Self.absence(machine))")
            }
            let all = Self.accelerators(machine)
            guard let indices else { return all }
            var chosen: [Device] = []
            for index in indices {
                guard all.indices.contains(index) else {
                    let there = zip(all, machine.visible).map { "\($0.name) (\($1.name))" }.joined(separator: ", ")
                    throw DevicesError(
                        code: .noSuchDevice,
                        message: "\(self) was asked for, but there is no cuda:\(index); there is \(there)"
                            + (machine.visibleDevices.map { ", with CUDA_VISIBLE_DEVICES=\($0)" } ?? ""))
                }
                chosen.append(all[index])
            }
            return chosen
        }
    }

    private static func absence(_ machine: Machine) -> String {
        if !machine.gpus.isEmpty, let variable = machine.visibleDevices {
            return machine.gpuProblem
                ?? ("CUDA_VISIBLE_DEVICES is \"\(variable)\", which hides the \(machine.gpus.count) GPUs of this machine; "
                    + "unset it, or train with --devices cpu")
        }
        if machine.gpus.contains(where: \.migEnabled) {
            return "the GPUs are in MIG mode and have no instances; make some with nvidia-smi mig, "
                + "or train with --devices cpu"
        }
        if let problem = machine.gpuProblem { return "no GPU can be used: \(problem)" }
        return "this machine has no NVIDIA GPU, or no driver for it (nvidia-smi is not there or lists none); "
            + "train with --devices cpu, or auto"
    }

    private static func accelerators(_ machine: Machine) -> [Device] {
        machine.visible.enumerated().map { index, accelerator in
            Device(
                name: "cuda:\(index)", kind: .cuda(uuid: accelerator.uuid, index: index),
                environment: ["CUDA_VISIBLE_DEVICES": accelerator.uuid, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"],
                cores: accelerator.cores.isEmpty ? machine.cpu.cores : accelerator.cores,
                memory: accelerator.memoryFree ?? accelerator.memoryTotal)
        }
    }

    private static func processors(_ machine: Machine, _ runners: Int?) -> [Device] {
        let cores = machine.cpu.cores
        let count = runners ?? machine.cpu.runners
        return (0..<count).map { index in
            let mine: [Int]
            if cores.isEmpty {
                mine = []
            } else if count > cores.count {
                mine = [cores[index % cores.count]]
            } else {
                // Neighbouring cores share caches, so a runner's cores are next to each other.
                mine = Array(cores[(index * cores.count / count)..<((index + 1) * cores.count / count)])
            }
            return Device(
                name: "cpu:\(index)", kind: .cpu(cores: mine), environment: ["CUDA_VISIBLE_DEVICES": ""], cores: mine,
                memory: machine.cpu.memoryAvailable / max(1, count))
        }
    }
}
