import ArgumentParser
import Execution
import Experiments
import Files
import FoundationEssentials
import Ledger
import SystemPackage

/// Trains an experiment.
struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains every trial of an experiment file.",
        discussion: """
            The models, the record of every epoch and the logs come into one folder:

              pronghorn train experiment.yaml                       into runs/NAME (or runs/NAME-2, …)
              pronghorn train experiment.yaml --output results      into results
              pronghorn train experiment.yaml --output results      again: goes on with it, as `pronghorn resume`
              pronghorn train experiment.yaml --devices cpu:4 --set fit.epochs=3

            Exit status: 0 when every trial finished or diverged, 1 when one failed or is left, 2 when the request is wrong.
            """)

    @OptionGroup var options: RunOptions

    @Option(help: "The run's folder; by default runs/NAME in the current folder.")
    var output: String?

    @Flag(help: "Prints one JSON object at the end, and nothing else on standard output.")
    var json = false

    @Flag(help: "Prints what happens as JSON objects, a line each; ends early when standard input ends or says `stop`.")
    var events = false

    @OptionGroup var deadline: EndingOptions

    func run() async throws {
        try await Failure.reporting(events: events) {
            let request = try options.request()
            let folder = output.map { FilePath($0) } ?? RunFolder.free(for: request.experiment.name)
            try await Self.train(
                request, in: Folder.absolute(folder), ending: events ? .events : json ? .json : .table,
                grace: deadline.grace)
        }
    }

    /// Trains and says what came of it.
    static func train(_ request: Run.Request, in folder: FilePath, ending: RunShow.Ending, grace: Double) async throws {
        let view = RunView(of: ending)
        let run = Run(request) { view.show($0) }
        try await RunShow.watch(
            view, experiment: request.experiment, ending: ending, grace: grace, stop: run.stop, abandon: run.abandon,
            train: { try await run.train(in: folder) })
    }
}

/// What `train --json` ends with.
struct SummaryJSON: Encodable {
    var trials: Int
    var finished: Int
    var diverged: Int
    var failed: Int
    var wallSeconds: Double
    var trainSeconds: Double
    var output: String
    var devices: [String: Double]

    enum CodingKeys: String, CodingKey {
        case trials, finished, diverged, failed, output
        case wallSeconds = "wall_seconds"
        case trainSeconds = "train_seconds"
        case devices = "busy_seconds"
    }

    init(_ summary: RunSummary) {
        trials = summary.trials
        finished = summary.finished
        diverged = summary.diverged
        failed = summary.failed
        wallSeconds = summary.wallSeconds
        trainSeconds = summary.trainSeconds
        output = summary.output
        devices = Dictionary(summary.devices.map { ($0.device, $0.busySeconds) }) { $1 }
    }

    var text: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}
