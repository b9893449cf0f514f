import ArgumentParser
import Execution
import FoundationEssentials
import SystemPackage

/// Has a run's models predict.
struct PredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Writes what a run's models predict for rows, as NumPy or Parquet files.",
        discussion: """
              pronghorn predict runs/digits --data '{x: new.npy}' --average --output mean.npy
              pronghorn predict runs/digits --data new.npz --best val_accuracy --output best.npy
              pronghorn predict runs/digits --out-of-fold --output held-out.npy
              pronghorn predict runs/stores --data '{x: new.npy, store: stores.npy}' --by --output new.parquet

            An array has a row for each row of the data. Without --average each of several trials has its own, along an axis
            before that of the rows (Parquet: a column `trial`). With --by each row is for the model of its group. With
            --out-of-fold each row of the run's own data is for the models that were validated on it and have not been trained
            on it; trials that differ in nothing but their partition share a place along the axis of trials, whose number is
            the first one's, and a row that several of them held out (repeated folds, bootstrap) has their mean. Models with
            several outputs make a file for each, as new.NAME.npy (Parquet: a column for each).
            Exit status: 0 when all was written, 1 when the machine failed, 2 when the request is wrong.
            """)

    @OptionGroup var options: InferenceOptions

    @Flag(help: "The mean of the models' outputs.")
    var average = false

    @Flag(help: "Each row of the run's own data by the models that it was held out from.")
    var outOfFold = false

    @Option(help: "The file to write: FILE.npy or FILE.parquet.")
    var output: String

    @Option(help: "With --by, what becomes of rows of groups without a model: error, or nan.")
    var unknown = Unknown.error

    @Flag(help: "Replaces files that are there.")
    var force = false

    @Flag(help: "Prints one JSON object at the end, and nothing else on standard output.")
    var json = false

    /// What becomes of rows of groups without a model.
    enum Unknown: String, ExpressibleByArgument, CaseIterable {
        case error, nan
    }

    func validate() throws {
        guard PredictionFormat(of: FilePath(output)) != nil else {
            throw ValidationError("--output: '\(output)' ends neither in .npy nor in .parquet")
        }
        guard outOfFold else { return }
        if options.data != nil || options.by {
            throw ValidationError("--out-of-fold is of the run's own rows and folds: leave out --data and --by")
        }
        if options.best != nil {
            throw ValidationError(
                "--best is one trial, from which few rows were held out: name the trials of all folds by --trials")
        }
    }

    func run() async throws {
        try await Failure.reporting {
            guard let format = PredictionFormat(of: FilePath(output)) else { return }
            let summary = try await options.inference(heldOut: outOfFold).predict(
                to: PredictionOutput(
                    file: FilePath(output), format: format, averages: average, permitsUnknown: unknown == .nan,
                    replaces: force))
            if json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                Terminal.line(String(decoding: try encoder.encode(SummaryObject(summary)), as: UTF8.self))
            } else {
                for file in summary.files { Terminal.line("\(file)") }
            }
        }
    }

    /// What `--json` prints.
    private struct SummaryObject: Encodable {
        var files: [String]
        var trials: [Int]
        var rows: Int
        var unknown: [String]

        init(_ summary: PredictionSummary) {
            files = summary.files.map(\.string)
            trials = summary.trials
            rows = summary.rows
            unknown = summary.unknown
        }
    }
}
