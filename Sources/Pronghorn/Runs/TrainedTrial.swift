import Execution
public import Experiments
import FoundationEssentials
import Ledger
public import SystemPackage

/// One trial as it stands when its run has ended.
public struct TrainedTrial: Sendable, Equatable {
    /// How it ended.
    public enum Status: String, Sendable {
        case finished, failed
        /// Its loss was NaN or infinite; the model is that of its last good epoch.
        case diverged
        /// It was not begun, or not trained to its end.
        case waiting, running
    }

    /// The trial's number, from 0.
    public var number: Int
    public var status: Status
    /// Why it failed or diverged.
    public var message: String?
    /// Its value of every axis.
    public var parameters: [String: Experiments.ParameterValue]
    public var seed: UInt64
    /// What its partition is called; `all` where the rows are not divided.
    public var partition: String
    /// Rows trained on.
    public var rows: Int
    /// The last value of each metric.
    public var metrics: [String: Double]
    /// Every epoch's values of each metric, as Keras's `History.history`.
    public var history: [String: [Double]]
    /// The `.keras` file of its model, if one was kept.
    public var model: FilePath?

    init(_ result: TrialResult, in folder: FilePath) {
        number = result.trial
        status = Status(rawValue: result.status.rawValue) ?? .waiting
        message = result.message
        parameters = [:]
        for entry in result.parameters.entries {
            parameters[entry.name] =
                switch entry.value {
                case .null: nil
                case .bool(let value): .bool(value)
                case .integer(let value): .int(value)
                case .number(let value): .double(value)
                case .text(let value): .string(value)
                case .list, .object:
                    try? JSONDecoder().decode(
                        Experiments.ParameterValue.self, from: Data(entry.value.json.utf8))
                }
        }
        seed = result.plan.seed
        partition = result.plan.partitionLabel ?? "all"
        rows = result.rows
        metrics = result.metrics
        history = result.history
        model = result.model.map { folder.pushing(FilePath($0)) }
    }

    static func all(in folder: FilePath) throws(PronghornError) -> [TrainedTrial] {
        do {
            return try RunFolder(folder).readLedger { _ in }.results().map { TrainedTrial($0, in: folder) }
        } catch {
            throw PronghornError(error)
        }
    }
}
