import Devices
import Experiments
import Files
import FoundationEssentials
import Ledger
import Lowering
import Planning
import PythonEnvironment
import SystemPackage
import Units

/// Carries one run out: hands units to runners, keeps the ledger, moves finished models to their place.
actor Conductor: RunnerProcess.Delegate {
    private let preparation: Preparation
    private let folder: RunFolder
    private let ledger: Ledger
    private let queue = WorkQueue()
    private let report: @Sendable (RunEvent) -> Void

    private var units: [String: Unit] = [:]
    /// Models that a runner says it has written, by unit and trial.
    private var written: [String: [(trial: Int, file: String, kind: String)]] = [:]
    private var trainSeconds: [String: Double] = [:]
    private var best: [Int: (value: Double, epoch: Int)] = [:]
    private var handedOver: [String: ContinuousClock.Instant] = [:]
    private var busy: [String: Double] = [:]
    private var firstStart: ContinuousClock.Instant?
    private var lastEnd: ContinuousClock.Instant?
    private var processes: [String: Int] = [:]
    private let monitor: (metric: String, lessIsBetter: Bool)

    init(
        _ preparation: Preparation, in folder: RunFolder, ledger: Ledger, report: @escaping @Sendable (RunEvent) -> Void
    ) {
        self.preparation = preparation
        self.folder = folder
        self.ledger = ledger
        self.report = report
        let policy = preparation.experiment.save
        monitor = (policy.best ?? policy.top?.monitor ?? Monitor()).resolved(
            validates: preparation.experiment.validates)
    }

    // MARK: Work

    /// Puts a program's cohorts into the queue.
    func enqueue(_ program: PlannedProgram, _ group: ProgramGroup) async throws {
        var queued: [QueuedUnit] = []
        for cohort in program.cohorts {
            let id = Self.name(units.count)
            let unit = try preparation.write(cohort, of: program, group, id: id, work: .train, in: folder)
            units[id] = unit
            queued.append(QueuedUnit(unit: unit, cost: cohort.cost))
        }
        await queue.add(queued)
    }

    /// Says that all programs are in the queue.
    func close() async { await queue.close() }

    /// Takes back what no device has begun, so that the run ends early.
    func abandonWaiting() async { _ = await queue.clear() }

    static func name(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, 4 - text.count)) + text
    }

    /// Drives one device: a runner after another, for as long as there is work.
    func drive(_ device: Device, executable: FilePath) async throws {
        var failuresInARow = 0
        while await queue.waitForWork() {
            let process = RunnerProcess(
                executable: executable, device: device, plugin: try preparation.plugin(of: device),
                cudaData: preparation.python.cudaDataFolder, log: folder.log(of: device.name))
            guard let death = try await process.run(self) else { return }
            for unit in death.units { try fail(unit, death.message, on: device) }
            // A runner that cannot even take a unit will not get better by being started again for ever.
            failuresInARow = death.units.isEmpty ? failuresInARow + 1 : 0
            if failuresInARow == 3 { throw RunError(.machine, death.message) }
        }
    }

    // MARK: RunnerProcess.Delegate

    func nextUnit(for device: Device) async -> (id: String, folder: FilePath)? {
        guard let next = await queue.next() else { return nil }
        let unit = next.unit
        let now = ContinuousClock().now
        handedOver[unit.id] = now
        firstStart = firstStart ?? now
        record("unit \(unit.id)") {
            try ledger.unitStarted(
                UnitRecord(
                    id: unit.id, device: device.name, trials: unit.lanes.map(\.trial), lanes: unit.packing.lanes,
                    form: unit.packing.form, steps: unit.packing.steps, started: Date().timeIntervalSince1970))
            try ledger.attemptStarted(
                AttemptRecord(
                    unit: unit.id, number: 1, runner: processes[device.name] ?? 0, device: device.name,
                    started: Date().timeIntervalSince1970))
        }
        report(
            .unitStarted(
                device: device.name, unit: unit.id, trials: unit.lanes.count,
                epochs: unit.fit.lastEpoch - unit.fit.firstEpoch))
        return (unit.id, folder.unit(unit.id))
    }

    func started(_ device: Device, process: Int) {
        processes[device.name] = process
        report(.runnerStarted(device: device.name, process: process))
    }

    func heard(_ event: RunnerEvent, from device: Device) {
        guard let id = event.unit, let unit = units[id] else { return }
        switch event.what {
        case .compiling(let function): report(.compiling(device: device.name, function: function))
        case .epoch(let epoch, let seconds, let metrics):
            let trials = unit.lanes.map(\.trial)
            record("epoch \(epoch) of unit \(id)") {
                try ledger.record(epoch: epoch, trials: trials, seconds: seconds, metrics: metrics)
            }
            noteBest(epoch, trials, metrics)
            report(.epoch(device: device.name, unit: id, epoch: epoch, metrics: metrics.mapValues(mean)))
        case .trained(let seconds):
            trainSeconds[id] = seconds
            released(id, device)
        case .saved(let trial, let file, let kind, _): written[id, default: []].append((trial, file, kind))
        case .ready, .started, .compiled, .beat, .finished, .failed: break
        }
    }

    func ended(_ change: RunnerLife.Change, on device: Device) {
        switch change {
        case .finished(let id): finish(id, on: device)
        case .failed(let id, _, let message, _):
            do { try fail(id, message, on: device) } catch { report(.note("\(error)")) }
        case .none, .free: break
        }
    }

    // MARK: Ends

    private func finish(_ id: String, on device: Device) {
        guard let unit = units[id] else { return }
        do {
            let models = try place(unit)
            let seconds = trainSeconds[id] ?? 0
            let ends = unit.lanes.map { lane in
                TrialEnd(
                    trial: lane.trial, model: models[lane.trial], bestEpoch: best[lane.trial]?.epoch,
                    trainSeconds: seconds / Double(unit.lanes.count))
            }
            try ledger.attemptEnded(
                unit: id, number: 1, outcome: "finished", message: nil, at: Date().timeIntervalSince1970)
            try ledger.finish(ends, unit: id, at: Date().timeIntervalSince1970)
            report(.unitFinished(device: device.name, unit: id, trials: unit.lanes.count, seconds: seconds))
        } catch {
            try? fail(id, "the results of unit \(id) cannot be kept: \(error)", on: device)
        }
    }

    private func fail(_ id: String, _ message: String, on device: Device) throws {
        released(id, device)
        guard let unit = units[id] else { return }
        try ledger.attemptEnded(
            unit: id, number: 1, outcome: "failed", message: message, at: Date().timeIntervalSince1970)
        try ledger.fail(trials: unit.lanes.map(\.trial), message: message)
        try ledger.unitEnded(id, .failed, at: Date().timeIntervalSince1970)
        report(.unitFailed(device: device.name, unit: id, trials: unit.lanes.count, message: message))
    }

    /// Moves a unit's models to the run's folder, each by a rename; they are on the disk before this returns.
    private func place(_ unit: Unit) throws -> [Int: String] {
        var paths: [Int: String] = [:]
        var folders: Set<FilePath> = []
        for model in written.removeValue(forKey: unit.id) ?? [] {
            let source = folder.unit(unit.id).appending(model.file)
            guard let name = source.lastComponent?.string else { continue }
            let relative = folder.model(name, trial: model.trial, of: preparation.trials.count)
            let target = folder.path.pushing(FilePath(relative))
            let parent = target.removingLastComponent()
            if folders.insert(parent).inserted { try Folder.create(parent) }
            try Folder.rename(source, to: target)
            // The last model is the trial's, else its best; the first weights are only for comparison.
            if model.kind == "final" || (model.kind == "best" && paths[model.trial] == nil) {
                paths[model.trial] = relative
            }
        }
        for folder in folders { try Folder.synchronize(folder) }
        return paths
    }

    /// The device has nothing to do with the unit any more.
    private func released(_ id: String, _ device: Device) {
        guard let began = handedOver.removeValue(forKey: id) else { return }
        let now = ContinuousClock().now
        busy[device.name, default: 0] += (now - began).inSeconds
        lastEnd = now
    }

    private func noteBest(_ epoch: Int, _ trials: [Int], _ metrics: [String: [Double]]) {
        guard let values = metrics[monitor.metric] else { return }
        for (trial, value) in zip(trials, values) where !value.isNaN {
            if let earlier = best[trial], monitor.lessIsBetter ? value >= earlier.value : value <= earlier.value {
                continue
            }
            best[trial] = (value, epoch)
        }
    }

    /// A ledger that cannot be written costs the record, not the training; the end of a trial is another matter.
    private func record(_ what: String, _ body: () throws -> Void) {
        do { try body() } catch { report(.note("\(what) is not in the ledger: \(error)")) }
    }

    private func mean(_ values: [Double]) -> Double {
        let numbers = values.filter { !$0.isNaN }
        return numbers.isEmpty ? .nan : numbers.reduce(0, +) / Double(numbers.count)
    }

    /// What the devices did, once all is over.
    func use() -> (trainSeconds: Double, devices: [RunSummary.DeviceUse]) {
        let seconds = firstStart.flatMap { first in lastEnd.map { ($0 - first).inSeconds } } ?? 0
        for device in preparation.devices {
            record("the use of \(device.name)") {
                try ledger.busy(device: device.name, busySeconds: busy[device.name] ?? 0, wallSeconds: seconds)
            }
        }
        return (
            seconds,
            preparation.devices.map { RunSummary.DeviceUse(device: $0.name, busySeconds: busy[$0.name] ?? 0) }
        )
    }
}

extension Duration {
    /// The duration in seconds.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
