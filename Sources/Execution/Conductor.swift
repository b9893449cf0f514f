import Devices
import Experiments
import Files
import FoundationEssentials
import Ledger
import Lowering
import Planning
import PythonEnvironment
import Subprocess
import SystemPackage
import Units

/// Carries one run out: hands units to runners, hears them, and settles what becomes of each unit.
actor Conductor: RunnerProcess.Delegate {
    private(set) var preparation: Preparation
    let folder: RunFolder
    let ledger: Ledger
    let queue = WorkQueue()
    let report: @Sendable (RunEvent) -> Void
    /// Makes sure that a unit's program has its functions for so many lanes too.
    let lower: @Sendable (Unit, Int) async throws -> Void

    /// What is known of a unit of this run.
    struct Known {
        var unit: Unit
        var cost: Double
        var lineage: UnitLineage
        /// The number of the last event that was heard of it.
        var lastHeard = -1
        var checkpoint: (epochs: Int, file: String)?
        /// Models that the runner says it has written.
        var models: [(trial: Int, file: FilePath, kind: String)] = []
        /// How callbacks have ended trials.
        var stops: [Int: TrialStop] = [:]
        /// Trials that have diverged, and what there is to say of it.
        var divergences: [Int: String] = [:]
        /// Trials' best epochs, as an `EarlyStopping` has them.
        var bestEpochs: [Int: Int] = [:]
        var trainSeconds = 0.0
        /// When it was handed to a device that has not given it back.
        var handedOver: ContinuousClock.Instant?
    }

    var units: [String: Known] = [:]
    var bestEpochs: BestEpochRecord
    /// Why the run cannot go on: a disk that is full, say.
    var breakdown: RunError?
    /// Whether the run was asked to end early, or has to.
    var isStopping = false
    private var unitCount: Int
    private var inputs: [String: StandardInputWriter] = [:]
    private var processes: [String: Int] = [:]
    private var busy: [String: Double] = [:]
    /// Bytes that the compiler says a program's functions need at most, by `Unit.programKey`.
    var memory: [String: Int] = [:]
    /// Epochs that have been heard of and not yet been recorded.
    private var epochs: [EpochRecord] = []
    /// Devices on which no runner starts.
    private var givenUp: Set<String> = []
    private var firstStart: ContinuousClock.Instant?
    private var lastEnd: ContinuousClock.Instant?

    init(
        _ preparation: Preparation, in folder: RunFolder, ledger: Ledger, unitsBefore: Int,
        lower: @escaping @Sendable (Unit, Int) async throws -> Void,
        report: @escaping @Sendable (RunEvent) -> Void
    ) {
        self.preparation = preparation
        self.folder = folder
        self.ledger = ledger
        self.lower = lower
        self.report = report
        unitCount = unitsBefore
        bestEpochs = BestEpochRecord(preparation.experiment)
    }

    // MARK: Work

    /// Puts a program's cohorts into the queue.
    ///
    /// - Parameter adapted: what the trials' adapted layers hold; nil: no layer is adapted.
    func enqueue(_ program: PlannedProgram, _ group: ProgramGroup, _ adapted: AdaptedStates?) async throws {
        var queued: [QueuedUnit] = []
        try ledger.choose(engine: Engine.native.rawValue, reason: nil, trials: group.trials.map(\.index))
        for cohort in program.cohorts {
            let unit = try preparation.write(
                cohort, of: program, group, adapted, id: nextName(), work: .train, in: folder)
            queued.append(register(Known(unit: unit, cost: cohort.cost, lineage: UnitLineage())))
        }
        // A checkpoint is of no use without its unit.
        try Folder.syncFileSystem(containing: folder.units)
        await queue.add(queued)
    }

    /// Puts the trials of a group for `Model.fit` into the queue, a unit each.
    func enqueue(_ group: FitGroup) async throws {
        try ledger.choose(engine: Engine.fit.rawValue, reason: group.reason, trials: group.trials.map(\.index))
        var queued: [QueuedUnit] = []
        for trial in group.trials {
            let unit = try preparation.write(trial, of: group, id: nextName(), in: folder)
            let cost = Double(unit.fit.lastEpoch - unit.fit.firstEpoch) * Double(unit.lanes.first?.training.count ?? 0)
            queued.append(register(Known(unit: unit, cost: cost, lineage: UnitLineage())))
        }
        try Folder.syncFileSystem(containing: folder.units)
        await queue.add(queued)
    }

    /// Knows of further trials, which are put into the queue after that.
    func grow(to preparation: Preparation) { self.preparation = preparation }

    /// Fails trials for which the user's model is wrong, while others train.
    func fail(_ trials: [Trial], _ message: String) throws {
        try ledger.fail(trials: trials.map(\.index), message: message)
        report(.trialsFailed(trials: trials.map(\.index), message: message))
    }

    /// Puts units that an interrupted run left into the queue, to go on from their last checkpoints.
    func enqueue(_ interrupted: [InterruptedUnit]) async throws {
        let queued = try interrupted.map(renew)
        try Folder.syncFileSystem(containing: folder.units)
        await queue.add(queued)
    }

    private func renew(_ interrupted: InterruptedUnit) throws -> QueuedUnit {
        let unit = interrupted.unit
        let checkpoint = unit.lastCheckpoint(in: folder)
        try placeEarly(of: unit, epochs: checkpoint?.epochs)
        let epochs = checkpoint?.epochs ?? unit.fit.firstEpoch
        let lastEpoch = interrupted.lanes.first.map { preparation.trials[unit.lanes[$0].trial].fit.epochs }
        let renewed = try unit.renewed(
            as: nextName(), lanes: interrupted.lanes, checkpoint: checkpoint, lastEpoch: lastEpoch,
            spent: try ledger.seconds(of: unit.lanes.map(\.trial), before: epochs), in: folder, durable: false)
        let trials = renewed.lanes.map(\.trial)
        try ledger.requeue(trials: trials, epochs: epochs)
        bestEpochs.recall(
            try ledger.results(filter: TrialFilter(trials: trials)), of: preparation.trials, before: epochs)
        let rows = renewed.lanes.map(\.training.count).max() ?? 0
        let cost = Double(renewed.fit.lastEpoch - epochs) * Double(rows)
        return register(Known(unit: renewed, cost: cost, lineage: UnitLineage()))
    }

    /// Says that all programs are in the queue.
    func close() async { await queue.close() }

    /// Ends the run early: no unit is begun any more, those on devices stop after their epoch.
    func stop() async {
        isStopping = true
        await queue.clear()
        for input in inputs.values { _ = try? await input.write("\(RunnerProcess.stopLine)\n") }
    }

    /// Ends the run at once: runners at work end when their input closes, and their units wait as their checkpoints have them.
    func abandon() async {
        isStopping = true
        await queue.clear()
        for input in inputs.values { try? await input.finish() }
    }

    func register(_ known: Known) -> QueuedUnit {
        units[known.unit.id] = known
        return QueuedUnit(unit: known.unit, cost: known.cost)
    }

    func nextName() -> String {
        defer { unitCount += 1 }
        let text = String(unitCount)
        return String(repeating: "0", count: max(0, 4 - text.count)) + text
    }

    /// Drives one device, for as long as there is work: programs first, then `Model.fit` in as many processes as share it.
    ///
    /// - Throws: when this was the last device and no runner starts on it.
    func drive(_ device: Device, executable: FilePath, _ pythons: FitPythons) async throws {
        let sharers = preparation.experiment.runnersPerDevice ?? 1
        while let kind = await queue.waitForWork(), !Task.isCancelled {
            var failure: String?
            switch kind {
            case .native:
                failure = try await work(on: device, try preparation.nativeRunner(executable, on: device))
            case .fit(let backend):
                let python = try await pythons.python(backend)
                let devices = preparation.devices.count
                let failures = try await withThrowingTaskGroup(of: String?.self) { group in
                    for place in device.shared(by: sharers) {
                        let program = RunnerProgram.fit(
                            backend, python, on: place, sharers: sharers, devices: devices)
                        group.addTask { try await self.work(on: place, program) }
                    }
                    var failures: [String?] = []
                    for try await failure in group { failures.append(failure) }
                    return failures
                }
                failure = failures.contains(nil) ? nil : failures.lazy.compactMap { $0 }.first
            }
            guard let failure else { continue }
            givenUp.insert(device.name)
            if givenUp.count == preparation.devices.count { throw RunError(.machine, failure) }
            return report(.note("\(failure); \(device.name) is given up, and its work goes to the other devices"))
        }
    }

    /// Starts a runner after another on a device, or on one of the places on it, while its kind of work comes first.
    ///
    /// - Returns: why no runner starts there any more; nil when the work came to its end.
    private func work(on device: Device, _ program: RunnerProgram) async throws -> String? {
        var starts = RunnerStarts()
        while await queue.waitForWork() == program.kind, !Task.isCancelled {
            let process = RunnerProcess(program: program, device: device, log: folder.log(of: device.name))
            let death = try await process.run(self)
            inputs[device.name] = nil
            for unit in death?.units ?? [] { await died(unit, death, on: device) }
            if starts.ended(wasReady: death?.wasReady ?? true) == .giveUp { return death?.message }
        }
        return nil
    }

    // MARK: RunnerProcess.Delegate

    func nextUnit(_ kind: WorkKind, for device: Device) async -> (id: String, folder: FilePath)? {
        guard let next = await queue.next(kind) else { return nil }
        let unit = next.unit
        let now = ContinuousClock().now
        units[unit.id]?.handedOver = now
        firstStart = firstStart ?? now
        record("the start of unit \(unit.id)") {
            let time = Date().timeIntervalSince1970
            let padding = unit.padding
            try ledger.unitStarted(
                UnitRecord(
                    id: unit.id, device: device.name, trials: unit.lanes.map(\.trial), lanes: unit.packing.lanes,
                    form: unit.packing.form, steps: unit.packing.steps, started: time, laneSteps: padding.computed,
                    idleLaneSteps: padding.idle))
            try ledger.attemptStarted(
                AttemptRecord(
                    unit: unit.id, number: units[unit.id]?.lineage.attempts ?? 1,
                    runner: processes[device.name] ?? 0, device: device.name, started: time))
        }
        report(
            .unitStarted(
                device: device.name, unit: unit.id, trials: unit.lanes.map(\.trial),
                epochs: unit.fit.firstEpoch..<max(unit.fit.firstEpoch, unit.fit.lastEpoch)))
        return (unit.id, folder.unit(unit.id))
    }

    func started(_ device: Device, process: Int, input: StandardInputWriter) {
        processes[device.name] = process
        inputs[device.name] = input
        report(.runnerStarted(device: device.name, process: process))
    }

    func heard(_ event: RunnerEvent, from device: Device) {
        switch event.what {
        case .epoch, .beat, .working, .compiling, .compiled, .saved: break
        // What follows from an epoch is recorded after it.
        default: recordEpochs()
        }
        guard let id = event.unit, let unit = units[id]?.unit else { return }
        guard unit.permits(event.what) else {
            return report(.note("the runner of \(device.name) says of unit \(id) what cannot be: \(event.what)"))
        }
        units[id]?.lastHeard = event.number
        switch event.what {
        case .compiling(let function): report(.compiling(device: device.name, function: function))
        case .epoch(let epoch, let seconds, let lanes, let metrics):
            let trials = lanes.map { unit.lanes[$0].trial }
            epochs.append(EpochRecord(epoch: epoch, trials: trials, seconds: seconds, metrics: metrics))
            recordEpochsSoon()
            bestEpochs.note(epoch, trials, metrics)
            report(.epoch(device: device.name, unit: id, epoch: epoch, metrics: metrics.mapValues(mean)))
        case .ended(let lane, let epochs, let callback):
            let trial = unit.lanes[lane].trial
            let stop = TrialStop(epoch: epochs - 1, by: callback)
            units[id]?.stops[trial] = stop
            record("the early end of trial \(trial)") { try ledger.stopped(trial: trial, stop) }
        case .diverged(let lane, let epochs, let kept):
            units[id]?.divergences[unit.lanes[lane].trial] = unit.divergence(after: epochs, kept: kept)
        case .compiled(_, _, _, let figures):
            memory[unit.programKey] = max(memory[unit.programKey] ?? 0, figures.total)
        case .best(let lane, let epoch):
            units[id]?.bestEpochs[unit.lanes[lane].trial] = epoch
        case .trained(let seconds, _):
            units[id]?.trainSeconds = seconds
            released(id, device)
        case .checkpoint(let epochs, let file):
            units[id]?.checkpoint = (epochs, file)
            units[id]?.lineage.progressed()
        case .saved(let trial, let file, let kind, _):
            units[id]?.models.append((trial, folder.unit(id).pushing(FilePath(file)), kind))
        case .ready, .started, .working, .beat, .evaluated, .stopped, .narrowed, .finished, .failed: break
        }
    }

    func ended(_ change: RunnerLife.Change, on device: Device) async {
        recordEpochs()
        switch change {
        case .finished(let id, _): await finish(id, on: device)
        case .narrowed(let id, let epochs, _): await narrowed(id, epochs: epochs, on: device)
        case .stopped(let id, let epochs): await stopped(id, epochs: epochs, on: device)
        case .failed(let id, let code, let message, _): await failed(id, code, message, on: device)
        case .none, .free: break
        }
    }

    // MARK: Epochs

    /// Has the epochs that have been heard of recorded within a moment, with those that come meanwhile: small networks end
    /// thousands a second, and a transaction costs a good part of a millisecond.
    private func recordEpochsSoon() {
        if epochs.count >= 512 { return recordEpochs() }
        guard epochs.count == 1 else { return }
        Task {
            try? await Task.sleep(for: .milliseconds(100))
            recordEpochs()
        }
    }

    /// Records the epochs that have been heard of.
    func recordEpochs() {
        if epochs.isEmpty { return }
        let heard = epochs
        epochs = []
        record("epochs \(heard[0].epoch) to \(heard[heard.count - 1].epoch)") { try ledger.record(heard) }
    }

    // MARK: Figures

    /// The device has nothing to do with the unit any more.
    func released(_ id: String, _ device: Device) {
        guard let began = units[id]?.handedOver else { return }
        units[id]?.handedOver = nil
        let now = ContinuousClock().now
        busy[device.name, default: 0] += (now - began).inSeconds
        lastEnd = now
    }

    /// What the devices did, once all is over.
    func use() -> (trainSeconds: Double, devices: [RunSummary.DeviceUse]) {
        let seconds = firstStart.flatMap { first in lastEnd.map { ($0 - first).inSeconds } } ?? 0
        let devices = preparation.devices.map {
            // Processes that share a device count as so many parts of it.
            let places = $0.shared(by: preparation.experiment.runnersPerDevice ?? 1)
            let shared = places.reduce(0) { $0 + (busy[$1.name] ?? 0) } / Double(places.count)
            return RunSummary.DeviceUse(
                device: $0.name, busySeconds: shared + (places.count > 1 ? busy[$0.name] ?? 0 : 0))
        }
        for device in devices {
            record("the use of \(device.device)") {
                try ledger.busy(device: device.device, busySeconds: device.busySeconds, wallSeconds: seconds)
            }
        }
        return (seconds, devices)
    }

    /// What is lost when this cannot be written is a part of the record, not of the training.
    private func record(_ what: String, _ body: () throws -> Void) {
        do { try body() } catch { report(.note("\(what) is not in the ledger: \(error)")) }
    }

    private func mean(_ values: [Double]) -> Double {
        let numbers = values.filter { !$0.isNaN }
        return numbers.isEmpty ? .nan : numbers.reduce(0, +) / Double(numbers.count)
    }
}

extension Duration {
    /// The duration in seconds.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

extension Unit {
    /// What a runner compiles for the unit, and keeps for others.
    var programKey: String { "\(program.folder) \(packing.lanes) \(packing.form)" }
}
