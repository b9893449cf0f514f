import Files
import FoundationEssentials
import Ledger
import SystemPackage
import Units

/// What became of a unit, kept in its folder as `outcome.json` once the ledger knows it, so that a ledger that is lost can be
/// made anew from the units' folders.
struct UnitOutcome: Codable, Sendable {
    var version = 1
    /// How the unit ended: `finished`, `stopped` or `failed`.
    var status: String
    var message: String?
    var device: String?
    /// Seconds since 1970.
    var ended: Double
    /// The trials of its lanes, in their order.
    var lanes: [Int]
    /// The trials that ended with it.
    var ends: [End]

    /// How a trial ended.
    struct End: Codable, Sendable {
        var trial: Int
        /// The status in the ledger, such as `finished`.
        var status: String
        var message: String?
        var model: String?
        var bestEpoch: Int?
        var trainSeconds: Double?
        var stoppedEpoch: Int?
        var stoppedBy: String?
        var engine: String
        var engineReason: String?
    }

    static let fileName = "outcome.json"

    /// The outcome in a unit's folder; nil when there is none that can be read.
    static func read(_ id: String, in run: RunFolder) -> UnitOutcome? {
        guard let file = try? MappedFile(run.unit(id).appending(fileName)) else { return nil }
        return file.withBytes { try? JSONDecoder().decode(UnitOutcome.self, from: Data($0)) }
    }
}

extension Conductor {
    /// Notes in a unit's folder what the ledger has recorded of its end and of its trials'.
    func noteOutcome(of id: String, _ status: UnitRecord.Status, _ message: String? = nil) throws {
        guard let known = units[id] else { return }
        let results = try ledger.results(filter: TrialFilter(trials: known.trials), history: false)
        let outcome = UnitOutcome(
            status: status.rawValue, message: message, device: results.lazy.compactMap(\.device).first,
            ended: Date().timeIntervalSince1970, lanes: known.trials,
            ends: results.filter(\.status.isEnded).map { result in
                UnitOutcome.End(
                    trial: result.trial, status: result.status.rawValue, message: result.message, model: result.model,
                    bestEpoch: result.bestEpoch, trainSeconds: result.seconds, stoppedEpoch: result.stop?.epoch,
                    stoppedBy: result.stop?.by, engine: result.engine, engineReason: result.engineReason)
            })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(
            Array(try encoder.encode(outcome)), to: folder.unit(id).appending(UnitOutcome.fileName), durable: true)
    }
}

extension Unit {
    /// The events that a unit's runner left, without lines that cannot be read: the last one may be torn.
    static func events(of id: String, in run: RunFolder) -> [RunnerEvent] {
        guard let file = try? MappedFile(run.unit(id).appending("events.ndjson")) else { return [] }
        return file.withBytes { bytes in
            bytes.split(separator: UInt8(ascii: "\n")).compactMap { try? RunnerEvent(line: Data($0)) }
        }
    }
}
