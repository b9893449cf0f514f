import Devices
import Files
import PythonEnvironment
import Subprocess
import SystemPackage
import Units

/// Has units that predict or evaluate worked on by runners, one a device, until all are done or one cannot be.
struct InferenceRunners: Sendable {
    let opened: Inference.Opened
    let executable: FilePath
    let progress: @Sendable (String) -> Void

    /// Works on all units.
    ///
    /// - Returns: what evaluating measured, a value a lane, by the unit's name.
    /// - Throws: `RunError` with the reason when a unit fails, or when two runners have died over it.
    func work(on units: [Unit], in scratch: RunFolder) async throws -> [String: [String: [Double]]] {
        let queue = Queue(units, in: scratch, progress: progress)
        let kinds = Set(units.map(\.kind)).sorted()
        var programs: [WorkKind: [RunnerProgram]] = [:]
        for kind in kinds { programs[kind] = try await self.programs(kind) }
        for kind in kinds {
            let runners = programs[kind] ?? []
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (device, program) in zip(opened.devices, runners) {
                    group.addTask {
                        while await queue.holds(kind) {
                            let process = RunnerProcess(
                                program: program, device: device, log: scratch.log(of: device.name))
                            if let death = try await process.run(queue) { await queue.died(death) }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        if let failure = await queue.failure { throw failure }
        return await queue.metrics
    }

    /// What is started for a kind of unit, for each device.
    private func programs(_ kind: WorkKind) async throws -> [RunnerProgram] {
        switch kind {
        case .native:
            return try opened.devices.map { device in
                let plugin = device.platform == "cuda" ? opened.python.cudaPlugin : opened.python.plugin
                guard let plugin else {
                    throw RunError(
                        .request, "\(device.name) has no CUDA plugin; `pronghorn doctor` says what is missing")
                }
                return .native(executable, on: device, plugin: plugin, cudaData: opened.python.cudaDataFolder)
            }
        case .fit(let backend):
            var python: BackendPython
            switch backend {
            case .jax:
                python = BackendPython(
                    interpreter: opened.python.interpreter, environment: opened.python.environment)
            case .tensorflow, .torch:
                python = try await ManagedPython.prepare(
                    backend == .torch ? .torch : .tensorflow, requirements: opened.requirements,
                    interpreter: opened.interpreter, progress: progress)
            }
            python.environment.merge(opened.description.experiment.passedVariables) { $1 }
            return opened.devices.map {
                .fit(backend, python, on: $0, sharers: 1, devices: opened.devices.count)
            }
        }
    }
}

/// The units that wait, and what came of the others.
private actor Queue: RunnerProcess.Delegate {
    private var waiting: [Unit]
    private let scratch: RunFolder
    private let progress: @Sendable (String) -> Void
    /// How often a runner has died over a unit.
    private var deaths: [String: Int] = [:]
    private let all: [String: Unit]
    private(set) var metrics: [String: [String: [Double]]] = [:]
    private(set) var failure: RunError?

    init(_ units: [Unit], in scratch: RunFolder, progress: @escaping @Sendable (String) -> Void) {
        waiting = units
        all = Dictionary(units.map { ($0.id, $0) }) { first, _ in first }
        self.scratch = scratch
        self.progress = progress
    }

    /// Whether there is a unit of a kind to be taken; none is once one has failed.
    func holds(_ kind: WorkKind) -> Bool { failure == nil && waiting.contains { $0.kind == kind } }

    func died(_ death: RunnerProcess.Death) {
        for id in death.units {
            deaths[id, default: 0] += 1
            if deaths[id] == 1, let unit = all[id] {
                waiting.append(unit)
            } else {
                failure = failure ?? RunError(.machine, death.message)
            }
        }
        // A runner that cannot even take a unit will not get better by being started again.
        if death.units.isEmpty { failure = failure ?? RunError(.machine, death.message) }
    }

    func nextUnit(_ kind: WorkKind, for device: Device) -> (id: String, folder: FilePath)? {
        guard failure == nil, let index = waiting.firstIndex(where: { $0.kind == kind }) else { return nil }
        let unit = waiting.remove(at: index)
        return (unit.id, scratch.unit(unit.id))
    }

    func heard(_ event: RunnerEvent, from device: Device) {
        guard let id = event.unit, let unit = all[id], unit.permits(event.what) else { return }
        if case .evaluated(let values) = event.what { metrics[id] = values }
    }

    func ended(_ change: RunnerLife.Change, on device: Device) {
        guard case .failed(let id, let code, let message, _) = change else { return }
        let trials = all[id]?.lanes.map { String($0.trial) }.prefix(5).joined(separator: ", ") ?? ""
        var text = "the models of trials \(trials) cannot be used: \(message)"
        if code == RunnerFailure.outOfMemory { text += "; try a smaller --batch-size" }
        // What is wrong with a model or the data is not the machine's fault.
        let isMachine = [RunnerFailure.files, RunnerFailure.device, RunnerFailure.outOfMemory].contains(code)
        failure = failure ?? RunError(isMachine ? .machine : .request, text)
    }

    func started(_ device: Device, process: Int, input: StandardInputWriter) {}
}
