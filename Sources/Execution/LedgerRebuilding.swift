import Experiments
import Files
import FoundationEssentials
import Glibc
import Ledger
import SystemPackage
import Units

/// Makes a run's ledger anew from what else the run's folder holds: the list of trials, and each unit's description, events
/// and outcome.
///
/// What only the ledger knew is lost: attempts, and how busy devices were.
struct LedgerRebuilding {
    let folder: RunFolder
    let trials: [TrialRecord]
    private let description: RunDescription?

    /// - Throws: when the list of trials is gone too.
    init(_ folder: RunFolder) throws(RunError) {
        guard let trials = TrialList.read(in: folder) else {
            throw RunError(.request, "\(folder.path) has no list of its trials")
        }
        self.folder = folder
        self.trials = trials
        description = try? RunDescription.read(folder.description)
    }

    /// Puts a new ledger in the place of the run's, which is set aside.
    ///
    /// - Returns: what the user should know.
    func replace() throws -> String {
        let fresh = try rebuild(trustsEvents: true)
        let aside = try Ledger.setAside(in: folder.path.string)
        try Folder.rename(fresh.appending(Ledger.fileName), to: folder.path.appending(Ledger.fileName))
        try Folder.synchronize(folder.path)
        discard(fresh)
        return "the ledger of \(folder.path) was made anew from its units"
            + (aside.map { "; the old one is kept as \($0)" } ?? "")
    }

    /// Holds a ledger to what the units have left, and takes over epochs that it lacks.
    ///
    /// - Returns: what it says otherwise than the units; nil when it can be relied on.
    func compare(_ ledger: Ledger) throws -> String? {
        // What a runner alone calls finished may not have been recorded yet.
        let fresh = try rebuild(trustsEvents: false)
        defer { discard(fresh) }
        let other = try Ledger.openReadOnly(in: fresh.string)
        defer { try? other.close() }
        if let disagreement = try ledger.disagreement(with: other) { return disagreement }
        try ledger.fill(from: other)
        return nil
    }

    /// Makes a ledger in a folder of its own, whole and on the disk.
    ///
    /// - Parameter trustsEvents: whether trials count as finished whose unit's runner said so and whose models are in place,
    ///   without a word of the control process.
    private func rebuild(trustsEvents: Bool) throws -> FilePath {
        let place = folder.path.appending("ledger.rebuilding")
        discard(place)
        try Folder.create(place)
        let ledger = try Ledger.create(in: place.string)
        let units = try Folder.list(folder.units).sorted { ($0.count, $0) < ($1.count, $1) }
        let records = units.map { Record($0, in: folder) }
        let times = records.flatMap { $0.events.map(\.time) }
        let devices = Set(records.compactMap { $0.outcome?.device }).sorted()
        let text = (try? MappedFile(folder.experiment).withBytes { String(decoding: $0, as: UTF8.self) }) ?? ""
        try ledger.begin(
            RunRecord(
                name: description?.experiment.name ?? folder.path.lastComponent?.string ?? "run",
                tool: description?.tool ?? "", experimentPath: description?.experiment.file, experiment: text,
                created: description?.created ?? times.min() ?? 0, devices: description?.deviceNames ?? devices))
        try ledger.add(trials: trials)
        var best = description.map { BestEpochRecord($0.experiment) }
        for record in records { try replay(record, ledger, &best, trustsEvents) }
        let results = try ledger.results(history: false)
        // More epochs were asked for than these were trained for: they go on.
        for result in results
        where result.status == .finished && result.stop == nil && result.epochs < result.plan.plannedEpochs {
            try ledger.requeue(trials: [result.trial], epochs: result.epochs)
        }
        let counts = try ledger.progress(at: 0).counts
        let left = (counts[.waiting] ?? 0) + (counts[.running] ?? 0)
        let good = (counts[.finished] ?? 0) + (counts[.diverged] ?? 0)
        try ledger.endRun(
            left > 0 ? .stopped : good == trials.count ? .finished : .failed, at: times.max() ?? 0)
        try ledger.close()
        try Folder.syncFileSystem(containing: place)
        return place
    }

    /// What a unit's folder holds.
    private struct Record {
        let id: String
        let unit: Unit?
        let events: [RunnerEvent]
        let outcome: UnitOutcome?
        let checkpoint: (epochs: Int, file: String)?

        init(_ id: String, in run: RunFolder) {
            self.id = id
            unit = try? Unit.read(id, in: run)
            events = Unit.events(of: id, in: run)
            outcome = UnitOutcome.read(id, in: run)
            checkpoint = unit?.lastCheckpoint(in: run)
        }
    }

    private func replay(
        _ record: Record, _ ledger: Ledger, _ best: inout BestEpochRecord?, _ trustsEvents: Bool
    ) throws {
        let lanes = record.unit?.lanes.map(\.trial) ?? record.outcome?.lanes ?? []
        guard !lanes.isEmpty, lanes.allSatisfy(trials.indices.contains), record.unit?.work != .probe,
            !record.events.isEmpty || record.outcome != nil
        else { return }
        let began = record.events.first?.time ?? record.outcome?.ended ?? 0
        if let unit = record.unit {
            try ledger.requeue(trials: lanes, epochs: unit.fit.firstEpoch)
            best?.forget(lanes, from: unit.fit.firstEpoch)
            if case .fit = unit.engine { try ledger.choose(engine: "fit", reason: nil, trials: lanes) }
        }
        let padding = record.unit?.padding
        try ledger.unitStarted(
            UnitRecord(
                id: record.id, device: record.outcome?.device ?? onlyDevice ?? "", trials: lanes,
                lanes: record.unit?.packing.lanes ?? lanes.count, form: record.unit?.packing.form ?? "",
                steps: record.unit?.packing.steps ?? 0, started: began, laneSteps: padding?.computed,
                idleLaneSteps: padding?.idle))
        var told = Told()
        for event in record.events { try replay(event.what, lanes, ledger, &told, &best) }
        let ended = record.outcome?.ended ?? record.events.last?.time ?? 0
        if let outcome = record.outcome {
            return try settle(outcome, of: record, lanes, ledger, at: ended)
        }
        let ends = trustsEvents && told.hasFinished ? ends(of: record, lanes, told, best) : nil
        if let ends {
            try ledger.finish(ends, unit: record.id, at: ended)
        } else {
            try ledger.unitEnded(record.id, .stopped, at: ended)
            try ledger.requeue(
                trials: lanes, epochs: record.checkpoint?.epochs ?? record.unit?.fit.firstEpoch ?? 0)
        }
    }

    /// What a runner has said of a unit, besides its epochs.
    private struct Told {
        var hasFinished = false
        var stops: [Int: TrialStop] = [:]
        var divergences: [Int: (epochs: Int, kept: Int)] = [:]
        var bestEpochs: [Int: Int] = [:]
        var models: [(trial: Int, file: String, kind: String)] = []
        var seconds: Double?
    }

    private func replay(
        _ what: RunnerEvent.What, _ trials: [Int], _ ledger: Ledger, _ told: inout Told, _ best: inout BestEpochRecord?
    ) throws {
        switch what {
        case .epoch(let epoch, let seconds, let lanes, let metrics)
        where lanes.allSatisfy(trials.indices.contains)
            && metrics.values.allSatisfy { $0.count == lanes.count } && epoch >= 0:
            let trained = lanes.map { trials[$0] }
            try ledger.record(epoch: epoch, trials: trained, seconds: seconds, metrics: metrics)
            best?.note(epoch, trained, metrics)
        case .ended(let lane, let epochs, let callback) where trials.indices.contains(lane):
            told.stops[trials[lane]] = TrialStop(epoch: epochs - 1, by: callback)
        case .diverged(let lane, let epochs, let kept) where trials.indices.contains(lane):
            told.divergences[trials[lane]] = (epochs, kept)
        case .best(let lane, let epoch) where trials.indices.contains(lane): told.bestEpochs[trials[lane]] = epoch
        case .saved(let trial, let file, let kind, _): told.models.append((trial, file, kind))
        case .trained(let seconds, _): told.seconds = seconds
        case .finished: told.hasFinished = true
        default: break
        }
    }

    /// Records what the control process noted of the unit's end.
    private func settle(
        _ outcome: UnitOutcome, of record: Record, _ lanes: [Int], _ ledger: Ledger, at time: Double
    ) throws {
        let over = Set(outcome.ends.map(\.trial))
        let going = lanes.filter { !over.contains($0) }
        try ledger.requeue(
            trials: going, epochs: record.checkpoint?.epochs ?? record.unit?.fit.firstEpoch ?? 0)
        var finished: [TrialEnd] = []
        for end in outcome.ends where trials.indices.contains(end.trial) {
            try ledger.choose(engine: end.engine, reason: end.engineReason, trials: [end.trial])
            let status = TrialStatus(rawValue: end.status) ?? .failed
            let stop = end.stoppedEpoch.map { TrialStop(epoch: $0, by: end.stoppedBy ?? "") }
            if let stop { try ledger.stopped(trial: end.trial, stop) }
            finished.append(
                TrialEnd(
                    trial: end.trial, model: end.model.flatMap { isThere($0) ? $0 : nil }, bestEpoch: end.bestEpoch,
                    trainSeconds: end.trainSeconds, stop: stop))
            if status != .finished {
                try ledger.finish(finished.suffix(1), at: time)
                finished.removeLast()
                try ledger.fail(trials: [end.trial], as: status, message: end.message ?? "")
            }
        }
        try ledger.finish(finished, at: time)
        try ledger.unitEnded(record.id, UnitRecord.Status(rawValue: outcome.status) ?? .failed, at: time)
    }

    /// How the trials of a unit ended that its runner calls finished; nil when the models are not all in their place.
    private func ends(
        of record: Record, _ lanes: [Int], _ told: Told, _ best: BestEpochRecord?
    ) -> [TrialEnd]? {
        let ranks = ["checkpoint": 1, "best": 2, "final": 3]
        var found: [Int: (rank: Int, place: String)] = [:]
        for model in told.models {
            let name = FilePath(model.file).lastComponent?.string ?? ""
            let places = [1, 1001].map { folder.model(name, trial: model.trial, of: $0) }
            guard let place = places.first(where: isThere) else { return nil }
            guard let rank = ranks[model.kind], rank >= found[model.trial]?.rank ?? 0 else { continue }
            found[model.trial] = (rank, place)
        }
        let save = description?.experiment.save
        let isWatched = save?.best != nil || save?.top != nil
        return lanes.map { trial in
            TrialEnd(
                trial: trial, model: found[trial]?.place,
                bestEpoch: isWatched ? best?[trial] : told.bestEpochs[trial] ?? best?[trial],
                trainSeconds: told.seconds.map { $0 / Double(lanes.count) }, stop: told.stops[trial],
                divergence: told.divergences[trial].flatMap { record.unit?.divergence(after: $0.epochs, kept: $0.kept) }
            )
        }
    }

    /// The run's device where it had but one.
    private var onlyDevice: String? {
        description?.deviceNames.flatMap { $0.count == 1 ? $0.first : nil }
    }

    private func isThere(_ place: String) -> Bool {
        (try? FileStamp(of: folder.path.pushing(FilePath(place)))) != nil
    }

    private func discard(_ place: FilePath) {
        for name in (try? Folder.list(place)) ?? [] { try? Folder.remove(own: place.appending(name)) }
        _ = rmdir(place.string)
    }
}
