import FoundationEssentials

@testable import Ledger

/// A folder that is gone with the value.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/ledger-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }
}

extension RunRecord {
    static let digits = RunRecord(
        name: "digits", tool: "0.1.0", experimentPath: "/data/digits.yaml", experiment: "name: digits\n",
        created: 1000, devices: ["cpu:0", "cpu:1"])
}

extension TrialRecord {
    static func sample(
        _ trial: Int, rate: Double = 0.001, partition: Int? = nil, label: String? = nil, epochs: Int = 2
    ) -> TrialRecord {
        TrialRecord(
            trial: trial, name: "trial-\(trial)", seed: UInt64(trial), parameters: ["learning_rate": .number(rate)],
            partition: partition, partitionLabel: label, rows: 100, validationRows: 20, plannedEpochs: epochs,
            engine: "xla", program: "abc")
    }
}

extension UnitRecord {
    static func sample(_ id: String, _ trials: [Int], device: String = "cpu:0") -> UnitRecord {
        UnitRecord(
            id: id, device: device, trials: trials, lanes: trials.count, form: "vectorized", steps: 4, started: 1010)
    }
}

extension Ledger {
    /// A ledger in memory with trials that each trained one epoch to the given loss and finished.
    static func finished(losses: [(TrialRecord, Double)]) throws -> Ledger {
        let ledger = try Ledger.inMemory()
        try ledger.begin(.digits)
        try ledger.add(trials: losses.map(\.0))
        let trials = losses.map(\.0.trial)
        try ledger.unitStarted(.sample("u1", trials))
        try ledger.record(epoch: 0, trials: trials, seconds: 1, metrics: ["loss": losses.map(\.1)])
        try ledger.finish(trials.map { TrialEnd(trial: $0, model: "models/trial-\($0).keras") }, unit: "u1", at: 1020)
        return ledger
    }
}
