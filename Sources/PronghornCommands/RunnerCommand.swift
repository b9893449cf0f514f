import ArgumentParser
import CLinux
import Glibc
import PJRT
import SystemPackage
import Training

/// The process that works on units on one device; started by `train`, an executor or a person who looks for a fault.
struct RunnerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runner",
        abstract: "Trains units on one device: reads unit folders on standard input, writes events on standard output.",
        discussion: """
            `pronghorn train` starts one of these a device. By hand it trains a copy of a unit's folder again, to look for a fault:

              (echo $PWD/copy-of-0003; cat) | pronghorn runner --plugin PLUGIN.so --device cpu:0 --cores 0

            It ends at once when its input closes, whatever it is at. Which GPU it sees is said by CUDA_VISIBLE_DEVICES before it starts.
            """)

    @Option(help: "The PJRT plugin, a shared library.")
    var plugin: String

    @Option(help: "The SHA-256 digest that the plugin must have.")
    var pluginDigest: String?

    @Option(help: "The device's name in events.")
    var device = "cpu:0"

    @Option(help: "The logical cores that this process stays on, such as 0,1.")
    var cores: String?

    @Option(help: "Where compiled programs are kept.")
    var executables: String?

    @Option(help: "The folder of CUDA's own tools and libraries, for the compiler (XLA's xla_gpu_cuda_data_dir).")
    var cudaData: String?

    @Option(help: "The share of a GPU's free memory that the plugin may take.")
    var memoryFraction: Float = 0.9

    func run() throws {
        // Ctrl-C is for the control process, which says what is to become of the unit.
        signal(SIGINT, SIG_IGN)
        // A reader that is gone shows as an error of the write, not as a signal.
        signal(SIGPIPE, SIG_IGN)
        if let cores { try stay(on: cores) }
        let isCPU = device.hasPrefix("cpu")
        let options: [String: OptionValue] =
            isCPU
            ? ["cpu_device_count": .int64(1)]
            : ["preallocate": .bool(false), "memory_fraction": .float(memoryFraction)]
        let runner = try Runner(
            Runner.Options(
                plugin: FilePath(plugin), pluginDigest: pluginDigest, device: device, clientOptions: options,
                compileOptions: CompileOptions(
                    overrides: cudaData.map { ["xla_gpu_cuda_data_dir": .string($0)] } ?? [:]),
                executables: executables.map { FilePath($0) }))
        runner.work()
        // The plugin's threads are idle, but its exit handlers have been seen to crash.
        fflush(nil)
        _exit(0)
    }

    /// Pins the process before the plugin is loaded, which takes its number of threads from what it may use.
    private func stay(on cores: String) throws {
        let numbers = try cores.split(separator: ",").map { part in
            guard let core = Int32(part) else { throw ValidationError("'\(part)' is not a core; write --cores 0,1") }
            return core
        }
        let failure = linux_stay_on_cores(numbers, Int32(numbers.count))
        guard failure == 0 else {
            throw ValidationError(
                "this process may not stay on the cores \(cores): \(String(cString: strerror(failure)))")
        }
    }
}
