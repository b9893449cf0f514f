import ArgumentParser
import Execution
import Files
import SystemPackage

/// Writes a run as one HTML page.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Writes a run as one HTML page: curves, table, hyperparameters, devices, failures.",
        discussion: """
              pronghorn report runs/digits                            runs/digits/report.html
              pronghorn report runs/digits --output digits.html

            The page is one file that loads nothing, also while the run goes on. It is drawn by Plotly, which is installed into
            an environment of Pronghorn's when first asked for.
            """)

    @Argument(help: "The run's folder.")
    var folder: String

    @Option(help: "The file to write; by default report.html in the run's folder, which is replaced.")
    var output: String?

    @Option(help: "The metric that trials are compared by; by default val_loss, or loss.")
    var metric: String?

    @Flag(help: "Replaces the file that --output names.")
    var force = false

    func run() async throws {
        try await Failure.reporting {
            if let output, !force, (try? FileStamp(of: FilePath(output))) != nil {
                throw Failure(.request, "\(output) is there already; --force replaces it")
            }
            let reporting = Reporting(run: FilePath(folder), output: output.map { FilePath($0) }, metric: metric)
            try await reporting.write { Terminal.error($0) }
            Terminal.line("\(reporting.output)")
        }
    }
}
