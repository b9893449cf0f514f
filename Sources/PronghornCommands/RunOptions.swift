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

    @Option(
        name: .customLong("data-memory"),
        help: """
            How much of a device's memory data may take, such as 2GiB: arrays that fit stay on a GPU whole; of others, and on \
            a CPU, a few calls' rows are held at a time. Default: an eighth of a GPU, 128 MiB a runner of rows that wait.
            """,
        transform: { text in
            guard let bytes = Quantity.bytes(parsing: text), bytes >= 1 << 20 else {
                throw ValidationError("--data-memory \(text) is no size from 1MiB on; give one such as 512MiB or 2GiB")
            }
            return bytes
        })
    var dataMemory: Int?

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
            executable: try Self.executable(), version: PronghornVersion.current, dataMemory: dataMemory)
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
