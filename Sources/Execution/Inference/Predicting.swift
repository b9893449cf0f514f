import Datasets
import Experiments
import Files
import FoundationEssentials
import Ledger
import PythonEnvironment
import Subprocess
public import SystemPackage
import TensorFiles
import Units

/// What predictions are written as.
public enum PredictionFormat: Sendable {
    case npy, parquet

    /// The format that a file's name ends in; nil for neither.
    public init?(of file: FilePath) {
        switch file.extension {
        case "npy": self = .npy
        case "parquet", "pq": self = .parquet
        default: return nil
        }
    }
}

/// Where predictions go and what is made of those of several models.
public struct PredictionOutput: Sendable {
    public var file: FilePath
    public var format: PredictionFormat
    /// Whether the outputs of several models for a row become their mean.
    public var averages: Bool
    /// Whether rows of groups without a model are left without a value, instead of being a mistake.
    public var permitsUnknown: Bool
    /// Whether a file that is there is replaced.
    public var replaces: Bool

    public init(
        file: FilePath, format: PredictionFormat, averages: Bool, permitsUnknown: Bool, replaces: Bool
    ) {
        self.file = Folder.absolute(file)
        self.format = format
        self.averages = averages
        self.permitsUnknown = permitsUnknown
        self.replaces = replaces
    }
}

/// What came of predicting.
public struct PredictionSummary: Sendable {
    /// The files, one an output of the models (Parquet: one).
    public var files: [FilePath]
    /// The trials whose models were used; the order of the first axis where each has its own predictions.
    public var trials: [Int]
    public var rows: Int
    /// Groups of the data without a model, whose rows have no value.
    public var unknown: [String]
}

extension Inference {
    /// Writes what the models give for the rows.
    ///
    /// An array has a row for each row of the data, in their order. Where each of several trials has its own predictions there
    /// is one more axis before, of the trials.
    /// - Throws: `ExperimentError` and `RunError` for what the user can mend; nothing is written then.
    public func predict(to output: PredictionOutput) async throws -> PredictionSummary {
        if !output.replaces, (try? FileStamp(of: output.file)) != nil {
            throw RunError(
                .request, "\(output.file) is there already; --force replaces it, --output names another file")
        }
        let scratch = output.file.removingLastComponent().appending(
            ".\(output.file.lastComponent?.string ?? "predictions").\(ProcessInfo.processInfo.processIdentifier)")
        do { try Folder.create(scratch) } catch {
            throw RunError(.request, "\(output.file) cannot be written", cause: error)
        }
        defer { try? FileManager.default.removeItem(atPath: scratch.string) }
        let (opened, done) = try await carryOut(.predict, in: scratch) { try check($0.chosen, output) }
        let table = try PredictionTable(opened.chosen, done, in: RunFolder(scratch), averages: output.averages)
        let unknown = opened.chosen.withoutModel.compactMap(\.label)
        if request.use == .heldOut, let missing = table.columns.indices.map(table.rowsWithoutModel).max(), missing > 0 {
            progress(
                "\(missing) of \(opened.chosen.rows) rows were held out from no chosen trial: they have no value")
        }
        let files: [FilePath]
        switch output.format {
        case .npy:
            files = table.outputs.map { table.outputs.count == 1 ? output.file : output.file.naming($0.name) }
            if !output.replaces, let taken = files.first(where: { (try? FileStamp(of: $0)) != nil }) {
                throw RunError(.request, "\(taken) is there already; --force replaces it")
            }
            for (number, file) in files.enumerated() { try table.write(number, to: file) }
        case .parquet:
            files = [output.file]
            try await writeParquet(table, opened, to: output.file, in: scratch)
        }
        return PredictionSummary(
            files: files, trials: table.hasTrialAxis ? table.trials : opened.chosen.models.map(\.trial.trial),
            rows: opened.chosen.rows, unknown: unknown)
    }

    private func check(_ chosen: ChosenModels, _ output: PredictionOutput) throws(RunError) {
        let unknown = chosen.withoutModel
        if !unknown.isEmpty {
            let rows = unknown.reduce(0) { $0 + $1.rows.count }
            let names = unknown.compactMap(\.label)
            let list =
                names.prefix(10).joined(separator: ", ") + (names.count > 10 ? ", … (\(names.count) in all)" : "")
            let text =
                "no model was trained for the group\(names.count == 1 ? "" : "s") \(list), which "
                + "\(rows) row\(rows == 1 ? " is" : "s are") of"
            guard output.permitsUnknown else {
                throw RunError(.request, "\(text); --unknown nan predicts the others, and leaves these without a value")
            }
            progress("\(text): they have no value")
        }
        let counts = Dictionary(grouping: chosen.models, by: \.group)
        if request.use == .ofGroup, !output.averages, let (group, models) = counts.first(where: { $1.count > 1 }) {
            throw RunError(
                .request,
                "\(models.count) trials have a model of the group \(chosen.groups[group].label ?? "")"
                    + " (\(models.prefix(5).map { String($0.trial.trial) }.joined(separator: ", "))): "
                    + "name --average, --best METRIC or --trials")
        }
    }

    // MARK: Parquet

    /// What `pronghorn.parquet` is told; its first lines say what the fields mean.
    private struct Job: Encodable {
        var output: String
        var rows: Int
        var trials: [Int]?
        var group: Group?
        var columns: [Column]

        struct Group: Encodable {
            var name: String
            var labels: [String]
            var codes: String
        }

        struct Column: Encodable {
            var name: String
            var file: String
        }
    }

    private func writeParquet(
        _ table: PredictionTable, _ opened: Opened, to file: FilePath, in scratch: FilePath
    ) async throws {
        var columns: [Job.Column] = []
        for (number, output) in table.outputs.enumerated() {
            let place = scratch.appending("column-\(number).npy")
            try table.write(number, to: place)
            columns.append(Job.Column(name: output.name, file: place.string))
        }
        var group: Job.Group?
        if case .by(let column, _) = opened.description.experiment.partition, request.use == .ofGroup {
            let place = scratch.appending("groups.npy")
            let groups = (0..<opened.chosen.rows).map { table.group(ofRow: $0) ?? 0 }
            try groups.span.withUnsafeBytes { bytes in
                try NPY.write(bytes, dtype: .int32, shape: [groups.count], to: place)
            }
            group = Job.Group(name: column, labels: opened.chosen.groups.map { $0.label ?? "" }, codes: place.string)
        }
        let python = try await ManagedPython.prepareForTables(progress: progress)
        let job = Job(
            output: file.string, rows: opened.chosen.rows,
            trials: table.hasTrialAxis ? table.trials : nil, group: group, columns: columns)
        let text = String(decoding: try JSONEncoder().encode(job), as: UTF8.self)
        let result = try await PythonProgram(
            python.interpreter, ["-m", "pronghorn.parquet"], environment: python.environment
        ).run(text)
        guard result.status.isSuccess else {
            let words =
                result.errors.last ?? "\(result.status)"
            throw RunError(.machine, "\(file) cannot be written: \(words)")
        }
    }
}

extension FilePath {
    /// The file's name with an output's name before its ending: `p.head.npy`.
    fileprivate func naming(_ output: String) -> FilePath {
        let safe = String(output.map { $0 == "/" || $0 == "\0" ? "_" : $0 })
        return removingLastComponent().appending("\(stem ?? "predictions").\(safe).\(self.extension ?? "npy")")
    }
}
