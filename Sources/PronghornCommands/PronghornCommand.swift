public import ArgumentParser
import Glibc

/// The command line: a verb a file.
public struct PronghornCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "pronghorn",
        abstract: "Trains many independent Keras models at once, on every device of this machine.",
        discussion: """
            Keras describes a model, XLA compiles it, Swift trains it. One file says which models, on which data:

              pronghorn demo                      train 60 models of handwritten digits, to see how it goes
              pronghorn train experiment.yaml     train, with a folder of results beside the file
              pronghorn results runs/digits       the table of what came out
            """,
        version: PronghornVersion.current,
        subcommands: [
            DemoCommand.self, TrainCommand.self, PlanCommand.self, ResumeCommand.self, ResultsCommand.self,
            ExportCommand.self, ReportCommand.self, PredictCommand.self, EvaluateCommand.self,
            StatusCommand.self, LogsCommand.self,
            DoctorCommand.self,
            RunnerCommand.self,
        ])

    public init() {}

    /// Runs what the command line says and ends the process: with status 2 where it says something that cannot be.
    public static func run() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            Terminal.error(fullMessage(for: error))
            Glibc.exit(2)
        }
    }
}

/// The tool's version, as `--version` says and runs record it.
enum PronghornVersion {
    static let current = "0.1.0"
}
