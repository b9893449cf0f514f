import Datasets
import Experiments
import Files
import FoundationEssentials
import Ledger
import SystemPackage

/// Looks for the files of a folder that is still filling.
///
/// A file counts once it has its name, so that whoever writes one gives it the name when it is whole. One that cannot be read
/// is looked at again for ``patience`` seconds, since it may still be being written, and is an error then.
struct FilesToCome {
    /// How long a file may stay as it is and be wrong, in seconds.
    static let patience = 10.0
    /// Between two looks.
    private static let interval = Duration.milliseconds(200)

    let experiment: Experiment
    let folder: FilePath
    let stopSwitch: StopSwitch
    /// What tells apart the files that were found.
    private(set) var names: [String] = []
    private var lastCame = ContinuousClock().now
    private var wrong: (message: String, since: ContinuousClock.Instant)?

    init(_ experiment: Experiment, relativeTo folder: FilePath, _ stopSwitch: StopSwitch) {
        self.experiment = experiment
        self.folder = Folder.absolute(folder)
        self.stopSwitch = stopSwitch
    }

    /// Waits until there are files beside those that were found before.
    ///
    /// - Parameter wanted: whether more are wanted now; asked before each look. All are taken once no more come.
    /// - Returns: the experiment with all files that there are; nil when no more come, or the run is to end.
    mutating func next(wanted: () async -> Bool = { true }) async -> Experiment? {
        while !stopSwitch.isOn {
            // What stood there before the sign was given is found after it was seen.
            let isOver = isOver
            let (found, names) = experiment.findingWatchedFiles(relativeTo: folder)
            if !Set(names).isSubset(of: self.names) {
                if isOver { return take(found, names) }
                if await wanted() { return take(found, names) }
            } else if isOver {
                return nil
            }
            try? await Task.sleep(for: Self.interval)
        }
        return nil
    }

    private mutating func take(_ found: Experiment, _ names: [String]) -> Experiment {
        self.names = names
        lastCame = ContinuousClock().now
        return found
    }

    /// Whether no more files come.
    private var isOver: Bool {
        guard let watch = experiment.watch else { return true }
        if let until = watch.until, (try? FileStamp(of: folder.pushing(FilePath(until)))) != nil { return true }
        return watch.idle.map { (ContinuousClock().now - lastCame).inSeconds >= $0 } ?? false
    }

    /// Takes files for not found that cannot be used as they are, as long as they may still be being written.
    ///
    /// - Parameter before: what had been found before them.
    /// - Throws: the error that they gave, once that has taken too long.
    mutating func putBack(_ error: any Error, before: [String]) async throws {
        guard let error = error as? ExperimentError, error.key.hasPrefix("data") else { throw error }
        let now = ContinuousClock().now
        if wrong?.message != error.message { wrong = (error.message, now) }
        guard let since = wrong?.since, (now - since).inSeconds < Self.patience, !stopSwitch.isOn else { throw error }
        names = before
        try? await Task.sleep(for: Self.interval)
    }
}

extension Experiment {
    /// The experiment with the files that there are of those that it waits for.
    func findingFilesThatCame(relativeTo folder: FilePath) -> Experiment {
        if watch == nil { return self }
        let (found, names) = findingWatchedFiles(relativeTo: Folder.absolute(folder))
        // Where there is none, opening the data says so.
        return names.isEmpty ? self : found
    }
}

extension Run {
    /// Makes the experiment ready; of a folder that is still filling, with the files that it has, once it has one.
    func prepareFirst(
        known: [TrialRecord] = [], firstTrials: Int? = nil
    ) async throws -> (preparation: Preparation, coming: FilesToCome?) {
        guard request.experiment.watch != nil else {
            return (try await prepare(known: known, firstTrials: firstTrials), nil)
        }
        var coming = FilesToCome(request.experiment, relativeTo: request.folder, stopSwitch)
        if request.experiment.findingWatchedFiles(relativeTo: coming.folder).names.isEmpty {
            report(.preparing("waiting for the first file"))
        }
        while true {
            let before = coming.names
            guard let experiment = await coming.next() else {
                if stopSwitch.isOn { throw Self.stoppedEarly }
                return (try await prepare(known: known, firstTrials: firstTrials), nil)
            }
            do {
                return (try await prepare(experiment, known: known, firstTrials: firstTrials), coming)
            } catch {
                try await coming.putBack(error, before: before)
            }
        }
    }

    /// Waits for files that come while others train, and makes the experiment ready with them.
    ///
    /// They are waited for until no unit waits for a device, so that as many as may train side by side.
    ///
    /// - Returns: nil when no more come.
    func further(
        _ coming: inout FilesToCome?, after preparation: Preparation, _ conductor: () throws -> Conductor
    ) async throws -> Preparation? {
        guard var files = coming else { return nil }
        defer { coming = files }
        let queue = try conductor().queue
        while true {
            let before = files.names
            guard let experiment = await files.next(wanted: { await queue.isEmpty }) else { return nil }
            do {
                let further = try await Preparation(
                    experiment, relativeTo: request.folder, on: preparation.devices, partitionDevices: partitionDevices,
                    checkpointSeconds: request.checkpointSeconds, dataMemory: request.dataMemory,
                    machine: preparation.machine,
                    known: preparation.trials.map { preparation.record(of: $0) }, firstTrials: preparation.firstTrials
                ) { [report] in report(.preparing($0)) }
                guard further.missing.isEmpty else {
                    throw RunError(
                        .request,
                        "files of trials are gone while others are awaited (\(further.missing[0])): they stay until the run ends"
                    )
                }
                return further
            } catch {
                try await files.putBack(error, before: before)
            }
        }
    }

    /// Takes further trials into the run's record.
    func take(_ further: Preparation, in folder: RunFolder, _ conductor: Conductor) async throws {
        let records = further.trials.map { further.record(of: $0) }
        do {
            try TrialList.write(records, in: folder)
            try PartitionRecord(further.partitions, test: further.testRows, of: further.dataset)
                .write(to: folder.partitions)
            try conductor.ledger.extend(to: records, experiment: nil)
        } catch {
            throw RunError(.machine, "trials that came cannot be recorded in \(folder.path)", cause: error)
        }
        await conductor.grow(to: further)
    }
}
