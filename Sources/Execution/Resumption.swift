public import Devices
public import Experiments
import Files
import FoundationEssentials
import Ledger
public import SystemPackage
import Units

extension Run {
    /// Goes on with a run that was interrupted, or with what failed in it, or with what it is given in addition.
    ///
    /// Trials that are finished stay as they are; units that were begun go on from their last checkpoint, packed as they
    /// were, so that on a CPU their weights become what they would have been without the interruption, bit for bit. Trials
    /// that are given more epochs go on from the checkpoint that their units ended with.
    ///
    /// - Parameters:
    ///   - failed: trains the trials that failed, from their beginning, and no others.
    ///   - settings: values to put in place of the experiment's, as `fit.epochs=20`.
    public static func resume(
        _ output: FilePath, failed: Bool, settings: [String] = [], devices: DeviceSelection, executable: FilePath,
        version: String, report: @escaping @Sendable (RunEvent) -> Void
    ) throws -> Resumption {
        let folder = RunFolder(output)
        let description = try RunDescription.read(in: folder) { report(.note($0)) }
        var experiment = description.experiment
        var text = ""
        if !settings.isEmpty {
            guard let kept = description.text ?? folder.experimentText else {
                throw RunError(
                    .request,
                    "\(folder.path) has no experiment.yaml in which values could be put; give the whole "
                        + "experiment to `pronghorn train` with --output \(folder.path)")
            }
            var written = ExperimentText(kept)
            written.settings += settings
            experiment = try Experiment(
                yaml: written.yaml, file: experiment.file ?? folder.experiment.string, overrides: written.settings)
            text = written.text
        }
        let request = Request(
            experiment: experiment, text: text, folder: FilePath(description.folder), devices: devices,
            executable: executable, version: version, checkpointSeconds: description.checkpointSeconds,
            dataMemory: description.dataMemory)
        let run = Run(request, partitionDevices: description.devices, report: report)
        return Resumption(run: run, folder: folder, failed: failed)
    }

    /// A run that can go on.
    public struct Resumption: Sendable {
        let run: Run
        let folder: RunFolder
        let failed: Bool

        public var experiment: Experiment { run.request.experiment }

        /// As `Run.stop()`.
        public func stop() { run.stop() }

        /// As `Run.abandon()`.
        public func abandon() { run.abandon() }

        /// Goes on until every trial has ended.
        public func train() async throws -> RunSummary {
            try await run.goOn(folder, becoming: run.request, failed: failed)
        }
    }

    /// Goes on with the run in a folder, whose experiment becomes what is asked for now.
    func goOn(_ folder: RunFolder, becoming request: Request, failed: Bool = false) async throws -> RunSummary {
        let lock = try folder.lock()
        var description = try RunDescription.read(in: folder, note)
        let change = try ExperimentChange(
            from: description, to: request.experiment, in: request.folder.string)
        if let refusal = change.refusal(of: folder) { throw refusal }
        var run = self
        run.partitionDevices = description.devices
        run.request.checkpointSeconds = description.checkpointSeconds
        run.request.dataMemory = description.dataMemory
        let open: OpenRun
        if TrialList.read(in: folder) == nil, (try? Ledger.openReadOnly(in: folder.path.string)) == nil {
            // Nothing says any more which trials the run has but its experiment.
            let preparation = try await run.prepare()
            try TrialList.write(preparation.trials.map { preparation.record(of: $0) }, in: folder)
        }
        open = OpenRun(try folder.openLedger(note: note), lock)
        let ledger = open.ledger
        let before = try ledger.results(history: false)
        let known = TrialList.read(in: folder) ?? before.map(\.plan)
        let (preparation, coming) = try await run.prepareFirst(known: known, firstTrials: description.firstTrials)
        if let refusal = change.refusal(of: folder, further: preparation.missing) { throw refusal }
        let records = preparation.trials.map { preparation.record(of: $0) }
        try Self.checkRows(records, known, in: folder)
        let extends = zip(records, before).contains { $0.plannedEpochs > $1.plan.plannedEpochs }
        let work = try chooseWork(records, before, ledger, folder, failed: failed)
        description.experiment = request.experiment
        // A run that an older version began says no more in `run.json` than it did, as long as it stays what it is.
        if change.isChange { description.text = run.text(devices: description.devices) }
        if records.count > known.count { description.firstTrials = preparation.firstTrials }
        return try await run.carryOut(
            preparation, folder, trials: work.trials, interrupted: work.interrupted, coming: failed ? nil : coming
        ) { [description] in
            if change.isChange || records.count > known.count { try description.write(to: folder.description) }
            let wasOld = try keepText(description.text, in: folder)
            if wasOld, !change.isChange {
                note("\(folder.experiment) was not what \(folder.description) says, and was written anew")
            }
            let isMore = change.isChange || wasOld || extends || records.count > before.count
            if isMore || TrialList.read(in: folder) == nil {
                try TrialList.write(records, in: folder)
                try PartitionRecord(preparation.partitions, test: preparation.testRows, of: preparation.dataset)
                    .write(to: folder.partitions)
                let text = request.text.isEmpty ? (wasOld ? description.text : nil) : request.text
                try ledger.extend(to: records, experiment: text)
            }
            if failed { try ledger.requeue(trials: work.trials.sorted()) }
            try ledger.resume(devices: preparation.devices.map(\.name))
            return open
        }
    }

    /// The trials to train, and the units that some of them go on from.
    private func chooseWork(
        _ records: [TrialRecord], _ before: [TrialResult], _ ledger: Ledger, _ folder: RunFolder, failed: Bool
    ) throws -> (trials: Set<Int>, interrupted: [InterruptedUnit]) {
        let chosen = records.filter { record in
            guard before.indices.contains(record.trial) else { return !failed }
            let result = before[record.trial]
            if failed { return result.status == .failed }
            let isLonger = record.plannedEpochs > result.plan.plannedEpochs
            return !result.status.isEnded || (result.status == .finished && result.stop == nil && isLonger)
        }
        var left = Set(chosen.map(\.trial))
        if failed { return (left, []) }
        let units = Dictionary(try ledger.units().map { ($0.id, $0.status) }) { $1 }
        let begun = try Folder.list(folder.units).filter { units[$0] != .failed }
            .sorted { ($0.count, $0) > ($1.count, $1) }
        var bundles: [String: Bool] = [:]
        let candidates = begun.lazy.compactMap { try? Unit.read($0, in: folder) }.filter { unit in
            guard unit.findsItsCache(&bundles) else { return false }
            // What is finished can be gone on with only where its last state was kept, and where nothing of it was
            // laid down for each epoch ahead.
            guard units[unit.id] == .finished else { return true }
            return unit.lastCheckpoint(in: folder)?.epochs == unit.fit.lastEpoch
                && unit.lanes.allSatisfy { $0.rates == nil }
        }
        var interrupted = InterruptedUnit.last(of: candidates, holding: &left)
        for index in interrupted.indices where units[interrupted[index].unit.id] == .finished {
            try Self.checkData(&interrupted[index].unit)
        }
        return (left, interrupted.reversed())
    }

    /// Holds the files of data of a unit that had finished to what they were, before anything is changed; files in the cache are
    /// named by what is in them, and may have been made anew.
    private static func checkData(_ unit: inout Unit) throws(RunError) {
        let cache = CacheFolder.path()
        for source in unit.sources.indices {
            for index in unit.sources[source].arrays.indices {
                let array = unit.sources[source].arrays[index]
                let file = FilePath(array.file)
                let stamp: FileStamp
                do { stamp = try FileStamp(of: file) } catch {
                    throw RunError(.request, "\(file) is gone, on which the run was trained", cause: error)
                }
                let isOurs = file.starts(with: cache)
                guard stamp.size == Int64(array.fileSize), isOurs || stamp.modified == array.modified else {
                    throw RunError(
                        .request,
                        "\(file) has changed since the run was trained on it, so that its trials cannot be trained further: "
                            + "begin a new run, or put the file back with its time of modification")
                }
                unit.sources[source].arrays[index].modified = stamp.modified
            }
        }
    }

    /// Data that have changed since the run began would make other trials of those that it has.
    private static func checkRows(
        _ records: [TrialRecord], _ known: [TrialRecord], in folder: RunFolder
    ) throws(RunError) {
        for (record, known) in zip(records, known)
        where record.rows != known.rows || record.validationRows != known.validationRows {
            throw RunError(
                .request,
                "\(folder.path) was begun with \(known.rows) rows to train trial \(known.name) on and "
                    + "\(known.validationRows) to validate it on, and there are \(record.rows) and "
                    + "\(record.validationRows) now: its data have changed")
        }
    }

    /// Makes `experiment.yaml` what `run.json` says; what it was is kept under a name of its own, `experiment-1.yaml`.
    ///
    /// - Returns: whether it was anything else.
    private func keepText(_ text: String?, in folder: RunFolder) throws -> Bool {
        guard let text, text != folder.experimentText else { return false }
        if let earlier = try? MappedFile(folder.experiment) {
            var number = 1
            func place() -> FilePath { folder.path.appending("experiment-\(number).yaml") }
            while (try? FileStamp(of: place())) != nil { number += 1 }
            try earlier.withBytes { try AtomicFile.write($0, to: place(), durable: true) }
        }
        try AtomicFile.write(Array(text.utf8), to: folder.experiment, durable: true)
        return true
    }
}

/// A unit that was begun, with those of its lanes that go on from it.
struct InterruptedUnit: Sendable, Equatable {
    var unit: Unit
    var lanes: [Int]

    /// The last unit that holds each trial, and takes those trials away from what is left.
    ///
    /// A unit may hold a part of its trials alone: when the control process ended while it was dividing or narrowing it, some
    /// went on in a later unit, and the others are still this one's.
    ///
    /// - Parameter units: units that have not ended, the latest first.
    static func last(of units: some Sequence<Unit>, holding left: inout Set<Int>) -> [InterruptedUnit] {
        var found: [InterruptedUnit] = []
        for unit in units where unit.work == .train {
            if left.isEmpty { break }
            let lanes = unit.lanes.indices.filter { left.contains(unit.lanes[$0].trial) }
            if lanes.isEmpty { continue }
            left.subtract(lanes.map { unit.lanes[$0].trial })
            found.append(InterruptedUnit(unit: unit, lanes: lanes))
        }
        return found
    }
}
