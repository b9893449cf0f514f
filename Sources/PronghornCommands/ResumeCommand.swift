import ArgumentParser
import Devices
import Execution
import Experiments
import Files
import SystemPackage

/// Goes on with a run.
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Goes on with a run that was interrupted, or that is given more epochs, seeds or partitions.",
        discussion: """
            What is finished stays; what was begun goes on from its last checkpoint; the rest is trained. On other devices
            too, but bit for bit as without the interruption only on the same kind.

              pronghorn resume runs/digits
              pronghorn resume runs/digits --failed      trains the failures again, and nothing else
              pronghorn resume runs/digits --set fit.epochs=20

            A run can be given more epochs, more values of its axes (seeds among them) and more partitions, and another
            `checkpoint`, `summarize` or `watch`; any other change is refused. What is finished keeps its results and goes on
            where it ended. The same does `pronghorn train FILE --output DIR` with the changed file.
            """)

    @Argument(help: "The run's folder.")
    var folder: String

    @Option(help: "What to train on: auto, cpu, cpu:N, cuda, or cuda:0,2.")
    var devices = "auto"

    @Flag(help: "Trains the trials that failed, from their beginning, and no others.")
    var failed = false

    @Option(
        name: .customLong("set"),
        help: "Changes a value of the experiment, such as fit.epochs=20 or trials.seed={range: 9}; may be repeated.")
    var settings: [String] = []

    @Flag(help: "Prints one JSON object at the end, and nothing else on standard output.")
    var json = false

    @Flag(help: "Prints what happens as JSON objects, a line each; ends early when standard input ends or says `stop`.")
    var events = false

    @OptionGroup var deadline: EndingOptions

    func run() async throws {
        try await Failure.reporting(events: events) {
            let ending: RunShow.Ending = events ? .events : json ? .json : .table
            let view = RunView(of: ending)
            let resumption = try Run.resume(
                Folder.absolute(FilePath(folder)), failed: failed, settings: settings,
                devices: try DeviceSelection.parse(devices),
                executable: try RunOptions.executable(), version: PronghornVersion.current
            ) { view.show($0) }
            try await RunShow.watch(
                view, experiment: resumption.experiment, ending: ending, grace: deadline.grace, stop: resumption.stop,
                abandon: resumption.abandon, train: resumption.train)
        }
    }
}
