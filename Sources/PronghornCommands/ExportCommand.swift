import ArgumentParser
import Execution
import Files
import Ledger
import SystemPackage

/// Writes trials of a run in other formats.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract:
            "Writes trials of a run as .keras, weights, HDF5, SavedModel, ONNX, TensorBoard events or a store of MLflow.",
        discussion: """
              pronghorn export runs/digits 3 17 --to weights --output weights      0003.weights.h5, 0017.weights.h5
              pronghorn export runs/digits --best val_accuracy --to savedmodel --output serving
              pronghorn export runs/digits --all --to tensorboard --output events
              pronghorn export runs/digits --all --to mlflow --output tracking         tracking/mlflow.db

            keras and weights are what Keras itself saves and loads; h5 is its older format of whole models, which Keras 3 may
            read back with compile=False alone; savedmodel needs TensorFlow, onnx jax2onnx, tensorboard and mlflow their own
            packages, which are installed into environments of their own when first asked for. What mlflow writes is opened by
            `mlflow ui --backend-store-uri sqlite:///tracking/mlflow.db`; the models are beside it and stay where they are.
            Exit status: 0 when all was written, 1 when a format could not hold a model, 2 when the request is wrong.
            """)

    @Argument(help: "The run's folder.")
    var folder: String

    @Argument(help: "The trials' numbers.")
    var trials: [Int] = []

    @Option(help: "The one trial whose last value of this metric is best.")
    var best: String?

    @Flag(help: "Every trial that finished.")
    var all = false

    @Option(help: "keras, weights, h5, savedmodel, onnx, tensorboard or mlflow.", transform: Self.format)
    var to: ExportFormat

    @Option(help: "The folder to write into; it is made.")
    var output: String

    @Flag(help: "Replaces files that are there.")
    var force = false

    func validate() throws {
        guard [!trials.isEmpty, best != nil, all].filter(\.self).count == 1 else {
            throw ValidationError("name trials by their numbers, or --best METRIC, or --all")
        }
    }

    func run() async throws {
        try await Failure.reporting {
            let ledger = try Terminal.ledger(of: folder)
            let chosen = try choose(ledger)
            var failures = 0
            var written: Set<String> = []
            try await Exporting(run: FilePath(folder), format: to, output: FilePath(output), replaces: force).write(
                chosen, of: ledger, progress: { Terminal.error($0) }
            ) { outcome in
                if let failure = outcome.failure {
                    failures += 1
                    Terminal.error("error: trial \(outcome.trial): \(failure)")
                } else if written.insert("\(outcome.file)").inserted {
                    Terminal.line("\(outcome.file)")
                }
            }
            if failures > 0 { throw ExitCode(1) }
        }
    }

    private static func format(_ text: String) throws -> ExportFormat {
        if let format = ExportFormat(rawValue: text) { return format }
        let accepted = ExportFormat.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("'\(text)' is no format; accepted: \(accepted)")
    }

    private func choose(_ ledger: Ledger) throws -> [TrialResult] {
        if let best {
            let metrics = try ledger.metricNames()
            guard metrics.contains(best) else {
                throw Failure(
                    .request, "there is no metric '\(best)' in \(folder); there is \(metrics.joined(separator: ", "))")
            }
            guard let trial = try ledger.best(by: RunFolder(FilePath(folder)).ranking(by: best)) else {
                throw Failure(.request, "no trial of \(folder) has finished with a value of \(best)")
            }
            return try ledger.results(filter: TrialFilter(trials: [trial.trial]))
        }
        if all {
            let finished = try ledger.results(filter: .finished)
            guard !finished.isEmpty else { throw Failure(.request, "no trial of \(folder) has finished") }
            return finished
        }
        let found = try ledger.results(filter: TrialFilter(trials: trials))
        for number in trials where !found.contains(where: { $0.trial == number }) {
            throw Failure(.request, "there is no trial \(number) in \(folder)")
        }
        return found
    }
}
