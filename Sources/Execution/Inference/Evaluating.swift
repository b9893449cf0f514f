import Datasets
import FoundationEssentials
public import Ledger
import SystemPackage
import Units

/// What one model measures on its rows.
public struct Evaluation: Sendable {
    public var trial: TrialResult
    /// The group whose rows they are; nil where all rows are for each model.
    public var group: String?
    public var rows: Int
    /// Every metric as `Model.evaluate` returns it.
    public var metrics: [String: Double]
}

extension Inference {
    /// Evaluates every chosen model on its rows; groups without a model are only told.
    ///
    /// - Throws: `ExperimentError` and `RunError` for what the user can mend.
    public func evaluate() async throws -> [Evaluation] {
        let name = "pronghorn-evaluate-\(ProcessInfo.processInfo.processIdentifier)"
        let scratch = FilePath(FileManager.default.temporaryDirectory.path).appending(name)
        defer { try? FileManager.default.removeItem(atPath: scratch.string) }
        let (opened, done) = try await carryOut(.evaluate, in: scratch) { opened in
            let unknown = opened.chosen.withoutModel
            guard !unknown.isEmpty else { return }
            let names = unknown.compactMap(\.label)
            progress(
                "no model was trained for the groups \(names.prefix(10).joined(separator: ", "))"
                    + (names.count > 10 ? ", … (\(names.count) in all)" : "") + ": their rows are left out")
        }
        var evaluations: [Int: Evaluation] = [:]
        for unit in done {
            for (lane, number) in unit.models.enumerated() {
                let model = opened.chosen.models[number]
                let group = opened.chosen.groups[model.group]
                evaluations[number] = Evaluation(
                    trial: model.trial, group: group.label, rows: group.rows.count,
                    metrics: unit.metrics.mapValues { $0[lane] })
            }
        }
        return opened.chosen.models.indices.compactMap { evaluations[$0] }
    }
}
