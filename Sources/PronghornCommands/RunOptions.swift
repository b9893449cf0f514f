import ArgumentParser
import Devices
import Execution
import Experiments
import Files
import FoundationEssentials
import SystemPackage

/// What the verbs that take an experiment file have in common.
struct RunOptions: ParsableArguments {
    @Argument(help: "The experiment file (YAML).")
    var file: String

    @Option(
        help: """
            What to train on: auto (all GPUs, else the CPU), cpu (a runner a core), cpu:N (N runners), cuda, or cuda:0,2.
            """)
    var devices = "auto"

    @Option(name: .customLong("set"), help: "Changes a value of the file, such as fit.epochs=3; may be repeated.")
    var settings: [String] = []

    /// The request that the options make.
    func request() throws -> Run.Request {
        let path = FilePath(file)
        guard let data = FileManager.default.contents(atPath: file) else {
            throw Failure(.request, "there is no experiment file \(file)")
        }
        let text = String(decoding: data, as: UTF8.self)
        return Run.Request(
            experiment: try Experiment(yaml: text, file: file, overrides: settings),
            text: settings.map { "# begun with --set \($0)\n" }.joined() + text,
            folder: Folder.absolute(path).removingLastComponent(), devices: try DeviceSelection.parse(devices),
            executable: try Self.executable(), version: PronghornVersion.current)
    }

    /// The program that this process runs, to start runners with.
    static func executable() throws -> FilePath {
        if let path = ProcessInfo.processInfo.environment["PRONGHORN_EXECUTABLE"] { return FilePath(path) }
        guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            throw Failure(.machine, "this program cannot find itself; name it in PRONGHORN_EXECUTABLE")
        }
        return FilePath(path)
    }
}

/// How the verbs that train end early.
struct EndingOptions: ParsableArguments {
    @Option(
        help: "Seconds from SIGTERM to the end: training ends after its epoch, or shortly before in the midst of it.")
    var grace = EndingOptions.usualGrace

    static let usualGrace = 30.0

    func validate() throws {
        guard grace > 0, grace <= 86_400 else {
            throw ValidationError("--grace \(grace) is no time to end in; give seconds, from above 0 to 86400")
        }
    }
}
