import ArgumentParser
import Execution
import Experiments
import Files
import PythonEnvironment
import SystemPackage

/// Trains the experiment that ships with the tool.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Trains 60 models of handwritten digits: 5 folds × 3 learning rates × 4 seeds.",
        discussion: """
            The experiment file, its model and its data ship with the tool; the first time, Pronghorn makes its Python
            environment, which takes a minute or two. The run's folder and the experiment file are named at the end, to be
            looked at and changed.
            """)

    @Option(help: "What to train on: auto, cpu, cpu:N, cuda, or cuda:0,2.")
    var devices = "auto"

    @Option(help: "The run's folder; by default runs/digits in the current folder.")
    var output: String?

    @Flag(help: "Prints one JSON object at the end, and nothing else on standard output.")
    var json = false

    func run() async throws {
        try await Failure.reporting {
            let file = try ToolFolder.find().appending("pronghorn/demo/experiment.yaml")
            var options = try RunOptions.parse([file.string])
            options.devices = devices
            let request = try options.request()
            let folder = output.map { FilePath($0) } ?? RunFolder.free(for: request.experiment.name)
            if !json { Terminal.line("The experiment: \(file)") }
            try await TrainCommand.train(
                request, in: Folder.absolute(folder), ending: json ? .json : .table, grace: EndingOptions.usualGrace)
        }
    }
}
