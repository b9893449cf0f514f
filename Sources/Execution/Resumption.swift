public import Devices
public import Experiments
import Files
import Ledger
public import SystemPackage
import Units

extension Run {
    /// Goes on with a run that was interrupted, or with what failed in it.
    ///
    /// Trials that are finished stay as they are; units that were begun go on from their last checkpoint, packed as they
    /// were, so that on a CPU their weights become what they would have been without the interruption, bit for bit.
    ///
    /// - Parameter failed: trains the trials that failed, from their beginning, and no others.
    public static func resume(
        _ output: FilePath, failed: Bool, devices: DeviceSelection, executable: FilePath, version: String,
        report: @escaping @Sendable (RunEvent) -> Void
    ) throws -> Resumption {
        let folder = RunFolder(output)
        let description = try RunDescription.read(folder.description)
        let request = Request(
            experiment: description.experiment, text: "", folder: FilePath(description.folder), devices: devices,
            executable: executable, version: version, checkpointSeconds: description.checkpointSeconds)
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

        /// Goes on until every trial has ended.
        public func train() async throws -> RunSummary { try await run.goOn(folder, failed: failed) }
    }

    private func goOn(_ folder: RunFolder, failed: Bool) async throws -> RunSummary {
        let open = OpenRun(try Ledger.open(in: folder.path.string), try folder.lock())
        let ledger = open.ledger
        let preparation = try await prepare()
        let results = try ledger.results(history: false)
        guard results.count == preparation.trials.count else {
            throw RunError(
                .request,
                "\(folder.path) was begun with \(results.count) trials, and its experiment now makes "
                    + "\(preparation.trials.count): its data have changed")
        }
        let chosen = results.filter { failed ? $0.status == .failed : $0.status == .waiting || $0.status == .running }
        var left = Set(chosen.map(\.trial))
        var interrupted: [InterruptedUnit] = []
        if !failed {
            let ended = Set(try ledger.units().filter { $0.status != .running && $0.status != .stopped }.map(\.id))
            let begun = try Folder.list(folder.units).filter { !ended.contains($0) }
                .sorted { ($0.count, $0) > ($1.count, $1) }
            interrupted = InterruptedUnit.last(
                of: begun.lazy.compactMap { try? Unit.read($0, in: folder) }.filter { $0.findsItsCache() },
                holding: &left)
        } else {
            try ledger.requeue(trials: left.sorted())
        }
        try ledger.resume(devices: preparation.devices.map(\.name))
        return try await carryOut(preparation, folder, trials: left, interrupted: interrupted.reversed()) { open }
    }
}

/// A unit that was begun and has not ended, with those of its lanes that go on from it.
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
