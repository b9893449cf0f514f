import Datasets
public import Devices
public import Experiments
import Files
import FoundationEssentials
import Ledger
import Lowering
import Planning
public import SystemPackage

/// One experiment being carried out, in one folder.
public struct Run: Sendable {
    /// What is asked for.
    public struct Request: Sendable {
        public var experiment: Experiment
        /// The experiment file's text, kept with the results; empty for an experiment made in code.
        public var text: String
        /// The folder that the experiment's paths are relative to.
        public var folder: FilePath
        public var devices: DeviceSelection
        /// The program that has the verb `runner`.
        public var executable: FilePath
        /// The tool's version, for the record.
        public var version: String

        public init(
            experiment: Experiment, text: String, folder: FilePath, devices: DeviceSelection, executable: FilePath,
            version: String
        ) {
            self.experiment = experiment
            self.text = text
            self.folder = folder
            self.devices = devices
            self.executable = executable
            self.version = version
        }
    }

    private let request: Request
    private let report: @Sendable (RunEvent) -> Void

    public init(_ request: Request, report: @escaping @Sendable (RunEvent) -> Void) {
        self.request = request
        self.report = report
    }

    /// Says what training would do; compiles the programs on a device for their figures of memory, trains nothing.
    ///
    /// - Throws: `ExperimentError` and `DevicesError` for what the user can mend.
    public func plan() async throws -> RunPlan {
        let preparation = try await prepare()
        let lowerer = try lowerer(preparation)
        var programs: [PlannedProgram] = []
        do {
            try await preparation.groups(lowerer) { group in
                let (program, _) = try await fitting(group, preparation, lowerer, alwaysCompile: true)
                programs.append(program)
            }
        } catch {
            await lowerer.close()
            throw error
        }
        await lowerer.close()
        return summarize(preparation, programs)
    }

    /// Trains every trial.
    ///
    /// - Parameter output: the run's folder, which holds no run yet.
    /// - Throws: `ExperimentError` and `DevicesError` for what the user can mend, `RunError` for the rest. Trials that
    ///   fail are no error: the summary counts them.
    public func train(in output: FilePath) async throws -> RunSummary {
        let clock = ContinuousClock()
        let began = clock.now
        let folder = RunFolder(output)
        guard (try? FileStamp(of: output.appending(Ledger.fileName))) == nil else {
            throw RunError(
                .request,
                "\(output) holds a run already; give another folder with --output, or look at it with "
                    + "`pronghorn results \(output)`")
        }
        let preparation = try await prepare()
        let lowerer = try lowerer(preparation)
        // Nothing is written before the first program is known to be good: a mistake in the file leaves no folder.
        var opened: (Ledger, Conductor)?
        var programs: [PlannedProgram] = []
        do {
            try await withThrowingTaskGroup(of: Void.self) { devices in
                try await preparation.groups(lowerer) { group in
                    let (program, group) = try await fitting(group, preparation, lowerer, alwaysCompile: false)
                    programs.append(program)
                    if opened == nil {
                        let ledger = try begin(preparation, folder)
                        let conductor = Conductor(preparation, in: folder, ledger: ledger, report: report)
                        opened = (ledger, conductor)
                        for device in preparation.devices {
                            devices.addTask { try await conductor.drive(device, executable: request.executable) }
                        }
                    }
                    try await opened?.1.enqueue(program, group)
                }
                await lowerer.close()
                report(.planned(summarize(preparation, programs)))
                await opened?.1.close()
                try await devices.waitForAll()
            }
        } catch {
            await lowerer.close()
            await opened?.1.close()
            try? opened?.0.endRun(.stopped, at: Date().timeIntervalSince1970)
            throw error
        }
        guard let (ledger, conductor) = opened else { throw RunError(.request, "the experiment has no trials") }
        return try await end(preparation, folder, ledger, conductor) { (clock.now - began).inSeconds }
    }

    private func prepare() async throws -> Preparation {
        let machine = await Devices.discover()
        let devices = try request.devices.resolve(on: machine)
        for note in request.experiment.notes { report(.note(note)) }
        return try await Preparation(
            request.experiment, relativeTo: request.folder, on: devices, machine: machine
        ) { [report] in report(.preparing($0)) }
    }

    private func lowerer(_ preparation: Preparation) throws -> Lowerer {
        try Lowerer(python: preparation.python) { [report] in report(.preparing($0)) }
    }

    /// Plans a group's cohorts and lowers what they call; makes them smaller until they fit their device.
    private func fitting(
        _ group: ProgramGroup, _ preparation: Preparation, _ lowerer: Lowerer, alwaysCompile: Bool
    ) async throws -> (PlannedProgram, ProgramGroup) {
        var largest: Int?
        while true {
            var group = group
            var program = preparation.plan(group, largest: largest)
            group.bundle = try await lowerer.lower(preparation.functions(program), in: group.bundle)
            let memory = preparation.devices.compactMap(\.memory).min() ?? .max
            // A compilation costs more than small models cost to train: it is done ahead where the estimate is not small.
            guard alwaysCompile || program.memory.bytes > memory / 8 else { return (program, group) }
            let probe = Probe(preparation: preparation, executable: request.executable)
            guard let bytes = try await probe.memory(of: program, group) else { return (program, group) }
            program.memory = .compiled(bytes)
            let lanes = program.cohorts.map(\.lanes).max() ?? 1
            guard bytes > memory, lanes > 1 else { return (program, group) }
            report(.note("\(lanes) models at once need \(bytes) bytes of \(memory); trying \(lanes / 2)"))
            largest = lanes / 2
        }
    }

    private func begin(_ preparation: Preparation, _ folder: RunFolder) throws -> Ledger {
        do {
            try folder.create()
            if !request.text.isEmpty {
                try AtomicFile.write(Array(request.text.utf8), to: folder.experiment)
            }
            let ledger = try Ledger.create(in: folder.path.string)
            try ledger.begin(
                RunRecord(
                    name: request.experiment.name, tool: request.version, experimentPath: request.experiment.file,
                    experiment: request.text, created: Date().timeIntervalSince1970,
                    devices: preparation.devices.map(\.name)))
            try ledger.add(trials: preparation.trials.map { preparation.record(of: $0) })
            return ledger
        } catch {
            throw RunError(.machine, "the run's folder \(folder.path) cannot be made", cause: error)
        }
    }

    private func end(
        _ preparation: Preparation, _ folder: RunFolder, _ ledger: Ledger, _ conductor: Conductor,
        wallSeconds: () -> Double
    ) async throws -> RunSummary {
        let use = await conductor.use()
        try preparation.keepTop(in: folder, ledger)
        let now = Date().timeIntervalSince1970
        let counts = try ledger.progress(at: now).counts
        let finished = counts[.finished] ?? 0
        let failed = preparation.trials.count - finished
        try ledger.endRun(failed == 0 ? .finished : .failed, at: now)
        let summary = try await preparation.summarize(folder, ledger, report: report)
        try ledger.close()
        return RunSummary(
            trials: preparation.trials.count, finished: finished, failed: failed, wallSeconds: wallSeconds(),
            trainSeconds: use.trainSeconds, output: folder.path.string, devices: use.devices, summary: summary)
    }

    private func summarize(_ preparation: Preparation, _ programs: [PlannedProgram]) -> RunPlan {
        let policy = preparation.experiment.save
        let kept =
            (policy.all ? 1 : 0) + (policy.best == nil ? 0 : 1) + (policy.initial ? 1 : 0)
        let modelBytes = programs.reduce(0) { total, program in
            // A `.keras` file is its state and some 20 kB of structure.
            let trials = policy.top.map { min($0.count, program.trials) } ?? program.trials
            return total + trials * max(kept, policy.top == nil ? 0 : 1) * (program.stateBytes + 20_000)
        }
        return RunPlan(
            experiment: preparation.experiment.name, devices: preparation.devices, trials: preparation.trials,
            partitions: preparation.partitions.count, programs: programs, dataBytes: preparation.dataset.bytes,
            modelBytes: modelBytes)
    }
}
