import Datasets
import Devices
import Experiments
import Files
import FoundationEssentials
import Glibc
import Ledger
import Lowering
import Planning
public import SystemPackage
import Units

/// One experiment being carried out, in one folder.
public struct Run: Sendable {
    var request: Request
    /// How many devices the rows are divided by, where it is not the number there are.
    var partitionDevices: Int?
    let report: @Sendable (RunEvent) -> Void
    let stopSwitch = StopSwitch()
    private let began = ContinuousClock().now

    public init(_ request: Request, report: @escaping @Sendable (RunEvent) -> Void) {
        self.init(request, partitionDevices: nil, report: report)
    }

    init(_ request: Request, partitionDevices: Int?, report: @escaping @Sendable (RunEvent) -> Void) {
        self.request = request
        self.partitionDevices = partitionDevices
        self.report = report
        // A write to a runner that has died must fail, and not end this process.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Says what training would do; compiles the programs on a device for their figures of memory, trains nothing.
    ///
    /// - Throws: `ExperimentError` and `DevicesError` for what the user can mend.
    public func plan() async throws -> RunPlan {
        let preparation = try await prepare()
        let lowerer = try lowerer(preparation)
        var found = Found()
        do {
            try await preparation.groups(lowerer) { group in
                switch try await lowered(group, preparation, lowerer, alwaysCompile: true) {
                case .program(let program, _): found.programs.append(program)
                case .fit(let group): found.fits.append(group)
                case .wrong(_, let error): throw error
                }
            }
        } catch {
            await lowerer.close()
            throw error
        }
        await lowerer.close()
        return summarize(preparation, found)
    }

    /// Asks the run to end early: devices stop after their epoch and leave a checkpoint.
    public func stop() { stopSwitch.turnOn() }

    /// Ends the run at once: what is being trained goes on, when the run does, from the checkpoint that it has.
    public func abandon() { stopSwitch.turnOn(.now) }

    /// Tells what the user should know.
    func note(_ text: String) { report(.note(text)) }

    /// Trains every trial.
    ///
    /// - Parameter output: the run's folder. One that holds a run of this experiment is gone on with, and given what further
    ///   epochs, values of axes and partitions the experiment has now.
    /// - Throws: `ExperimentError` and `DevicesError` for what the user can mend, `RunError` for the rest. Trials that
    ///   fail are no error: the summary counts them.
    public func train(in output: FilePath) async throws -> RunSummary {
        let folder = RunFolder(output)
        if folder.holdsRun { return try await goOn(folder, becoming: request) }
        let (preparation, coming) = try await prepareFirst()
        // Nothing is written before the first program is known to be good: a mistake in the file leaves no folder.
        return try await carryOut(preparation, folder, trials: nil, coming: coming) { try begin(preparation, folder) }
    }

    /// Trains what is left of an experiment.
    ///
    /// - Parameters:
    ///   - trials: the trials to pack into cohorts; nil means all.
    ///   - interrupted: units of an earlier run to go on with.
    ///   - coming: the files that are still to come, whose trials are trained beside the others.
    ///   - open: makes or opens the ledger, once the first program is known to be good.
    func carryOut(
        _ preparation: Preparation, _ folder: RunFolder, trials: Set<Int>?, interrupted: [InterruptedUnit] = [],
        coming: FilesToCome? = nil, open: () throws -> OpenRun
    ) async throws -> RunSummary {
        var (preparation, coming) = (preparation, coming)
        let process = ProcessInfo.processInfo.processIdentifier
        let locks = try DeviceLocks(
            preparation.devices, in: CacheFolder.path("devices"), holder: "process \(process), run \(folder.path)")
        defer { extendLifetime(locks) }
        let lowerer = try lowerer(preparation)
        var opened: (run: OpenRun, conductor: Conductor)?
        var found = Found()
        let pythons = FitPythons(preparation) { [report] in report(.preparing($0)) }
        stopSwitch.listen { _ in Task { await lowerer.close() } }
        do {
            try await withThrowingTaskGroup(of: Void.self) { devices in
                func conductor() throws -> Conductor {
                    if let opened { return opened.conductor }
                    let run = try open()
                    report(.trials(try run.ledger.standings()))
                    let conductor = Conductor(
                        preparation, in: folder, ledger: run.ledger, unitsBefore: try folder.unitsBefore(run.ledger),
                        lower: { unit, lanes in
                            try await lowerer.lower(
                                FilePath(unit.program.folder), as: unit.packing.lanes, for: lanes)
                        }, report: report)
                    opened = (run, conductor)
                    stopSwitch.listen { ending in
                        Task {
                            await ending == .now ? conductor.abandon() : conductor.stop()
                            await lowerer.close()
                        }
                    }
                    for device in preparation.devices {
                        devices.addTask { try await conductor.drive(device, executable: request.executable, pythons) }
                    }
                    return conductor
                }
                func enqueue(_ trials: Set<Int>?, packedAlone: Bool = false) async throws {
                    if trials?.isEmpty == true { return }
                    try await preparation.groups(
                        lowerer, only: trials, packedAlone: packedAlone, until: { stopSwitch.isOn }
                    ) { group in
                        switch try await lowered(group, preparation, lowerer, alwaysCompile: false) {
                        case .program(let program, let group):
                            found.programs.append(program)
                            let adapted = try await adaptedStates(group, preparation)
                            try await conductor().enqueue(program, group, adapted)
                        case .fit(let group):
                            found.fits.append(group)
                            // Before the first training begins: what cannot be installed leaves no folder.
                            _ = try await pythons.python(group.backend)
                            try await conductor().enqueue(group)
                        case .wrong(let trials, let error):
                            // Once something trains, a mistake is that of its trials alone.
                            guard let conductor = opened?.conductor else { throw error }
                            try await conductor.fail(trials, "\(error)")
                        }
                    }
                }
                do {
                    if !interrupted.isEmpty { try await conductor().enqueue(interrupted) }
                    try await enqueue(trials)
                    while let further = try await further(&coming, after: preparation, conductor) {
                        report(.planned(summarize(preparation, found)))
                        let known = preparation.trials.count
                        preparation = further
                        try await take(further, in: folder, conductor())
                        report(.trials(try conductor().ledger.standings(from: known)))
                        try await enqueue(Set(known..<further.trials.count), packedAlone: true)
                    }
                } catch {
                    // The machine failed: what is being trained leaves a checkpoint before the run ends.
                    await opened?.conductor.stop()
                    try? await devices.waitForAll()
                    // What was being lowered when the run was asked to end was given up for it.
                    if !stopSwitch.isOn { throw error }
                    if opened == nil { throw Self.stoppedEarly }
                }
                report(.planned(summarize(preparation, found)))
                await opened?.conductor.close()
                await lowerer.close()
                try await devices.waitForAll()
            }
        } catch {
            await lowerer.close()
            await opened?.conductor.stop()
            try? opened?.run.ledger.endRun(.stopped, at: Date().timeIntervalSince1970)
            throw error
        }
        await lowerer.close()
        let run = try opened?.run ?? open()
        if opened == nil { report(.trials(try run.ledger.standings())) }
        return try await end(preparation, folder, run, opened?.conductor) {
            began.duration(to: ContinuousClock().now).inSeconds
        }
    }

    /// Makes the experiment ready.
    ///
    /// - Parameters:
    ///   - given: the experiment with the files that were found for it; nil: with those that there are.
    ///   - known: the trials that the run has already.
    func prepare(
        _ given: Experiment? = nil, known: [TrialRecord] = [], firstTrials: Int? = nil
    ) async throws -> Preparation {
        let experiment = given ?? request.experiment.findingFilesThatCame(relativeTo: request.folder)
        let machine = await Devices.discover()
        let devices = try request.devices.resolve(on: machine)
        let runners = devices.count * max(1, request.experiment.runnersPerDevice ?? 1)
        if let problem = ProcessLimits.current().problem(runners: runners) { throw RunError(.request, problem) }
        for note in request.experiment.notes { report(.note(note)) }
        do {
            return try await stopSwitch.cancelling { [self] in
                try await Preparation(
                    experiment, relativeTo: request.folder, on: devices, partitionDevices: partitionDevices,
                    checkpointSeconds: request.checkpointSeconds, dataMemory: request.dataMemory, machine: machine,
                    known: known, firstTrials: firstTrials
                ) { [report] in report(.preparing($0)) }
            }
        } catch {
            throw stopSwitch.isOn ? Self.stoppedEarly : error
        }
    }

    static let stoppedEarly = RunError(.machine, "stopped before training began; nothing was begun")

    private func lowerer(_ preparation: Preparation) throws -> Lowerer {
        try Lowerer(python: preparation.python) { [report] in report(.preparing($0)) }
    }

    /// What was found out about a group once its functions are lowered.
    private enum Lowered {
        case program(PlannedProgram, ProgramGroup)
        case fit(FitGroup)
        case wrong([Trial], any Error)
    }

    /// What a run trains.
    private struct Found {
        var programs: [PlannedProgram] = []
        var fits: [FitGroup] = []
    }

    /// Lowers what a group's program calls; what shows only then sends its trials to `Model.fit`.
    private func lowered(
        _ found: FoundGroup, _ preparation: Preparation, _ lowerer: Lowerer, alwaysCompile: Bool
    ) async throws -> Lowered {
        switch found {
        case .fit(let group): return .fit(group)
        case .wrong(let trials, let error): return .wrong(trials, error)
        case .program(let group):
            do {
                let (program, group) = try await fitting(group, preparation, lowerer, alwaysCompile: alwaysCompile)
                return .program(program, group)
            } catch let error as LoweringError {
                let judged = try preparation.judged(error, group.trials, group.arguments)
                return try await lowered(judged, preparation, lowerer, alwaysCompile: alwaysCompile)
            }
        }
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
            let memory = preparation.fleet.memory
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

    private func begin(_ preparation: Preparation, _ folder: RunFolder) throws -> OpenRun {
        do {
            try folder.create()
            let lock = try folder.lock()
            let text = text(devices: partitionDevices ?? preparation.devices.count)
            if let text { try AtomicFile.write(Array(text.utf8), to: folder.experiment, durable: true) }
            let (created, devices) = (Date().timeIntervalSince1970, preparation.devices.map(\.name))
            try RunDescription(
                experiment: request.experiment, text: text, folder: request.folder.string,
                devices: partitionDevices ?? devices.count, checkpointSeconds: request.checkpointSeconds,
                dataMemory: request.dataMemory, created: created, tool: request.version, deviceNames: devices,
                firstTrials: request.experiment.watch == nil ? nil : preparation.trials.count
            ).write(to: folder.description)
            let trials = preparation.trials.map { preparation.record(of: $0) }
            try TrialList.write(trials, in: folder)
            try PartitionRecord(preparation.partitions, test: preparation.testRows, of: preparation.dataset)
                .write(to: folder.partitions)
            let ledger = try Ledger.create(in: folder.path.string)
            try ledger.begin(
                RunRecord(
                    name: request.experiment.name, tool: request.version, experimentPath: request.experiment.file,
                    experiment: request.text, created: created, devices: devices))
            try ledger.add(trials: trials)
            return OpenRun(ledger, lock)
        } catch let error as RunError {
            throw error
        } catch {
            throw RunError(.machine, "the run's folder \(folder.path) cannot be made", cause: error)
        }
    }

    /// The experiment file's text, with what else the run was begun with; nil for an experiment that was made in code.
    func text(devices: Int) -> String? {
        if request.text.isEmpty { return nil }
        var text = ExperimentText(request.text)
        text.folder = request.folder.string
        text.devices = devices
        return text.text
    }

    private func end(
        _ preparation: Preparation, _ folder: RunFolder, _ run: OpenRun, _ conductor: Conductor?,
        wallSeconds: () -> Double
    ) async throws -> RunSummary {
        let ledger = run.ledger
        let use = await conductor?.use() ?? (trainSeconds: 0, devices: [])
        let counts = try ledger.progress(at: Date().timeIntervalSince1970).counts
        let finished = counts[.finished] ?? 0
        let diverged = counts[.diverged] ?? 0
        let waiting = (counts[.waiting] ?? 0) + (counts[.running] ?? 0)
        let failed = preparation.trials.count - finished - diverged - waiting
        try ledger.endRun(
            waiting > 0 ? .stopped : failed > 0 ? .failed : .finished, at: Date().timeIntervalSince1970)
        if let breakdown = await conductor?.breakdown {
            throw RunError(
                breakdown.code,
                "\(breakdown.message); what is finished is kept: go on with `pronghorn resume "
                    + "\(folder.path)`", cause: breakdown.cause)
        }
        var summary: String?
        if waiting == 0 {
            try preparation.keepTop(in: folder, ledger)
            summary = try await preparation.summarize(folder, ledger, report: report)
        }
        try run.close(in: folder)
        return RunSummary(
            trials: preparation.trials.count, finished: finished, diverged: diverged, failed: failed,
            wallSeconds: wallSeconds(), trainSeconds: use.trainSeconds, output: folder.path.string,
            devices: use.devices, summary: summary)
    }

    private func summarize(_ preparation: Preparation, _ found: Found) -> RunPlan {
        let policy = preparation.experiment.save
        let kept =
            (policy.all ? 1 : 0) + (policy.best == nil ? 0 : 1) + (policy.initial ? 1 : 0)
        let modelBytes = found.programs.reduce(0) { total, program in
            // A `.keras` file is its state and some 20 kB of structure.
            let trials = policy.top.map { min($0.count, program.trials) } ?? program.trials
            return total + trials * max(kept, policy.top == nil ? 0 : 1) * (program.stateBytes + 20_000)
        }
        return RunPlan(
            experiment: preparation.experiment.name, devices: preparation.devices, trials: preparation.trials,
            partitions: preparation.partitions.count, programs: found.programs,
            fits: found.fits.map { group in
                PlannedFit(
                    arguments: group.arguments, trials: group.trials.map(\.index), backend: group.backend.rawValue,
                    reason: group.reason)
            }, dataBytes: preparation.dataset.bytes, copiedBytes: preparation.dataset.copiedBytes,
            residentBytes: preparation.fleet.holdsData ? preparation.dataset.bytes : 0,
            modelBytes: modelBytes)
    }
}
