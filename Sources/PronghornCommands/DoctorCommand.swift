import ArgumentParser
import Devices
import Execution
import Files
import FoundationEssentials
import PythonEnvironment
import SystemPackage

/// Says what this machine has for training, and what is missing.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Says what this machine has for training and what is missing, or what slowed a run's input.",
        discussion: """
              pronghorn doctor               devices, plugins, Python, versions
              pronghorn doctor runs/digits   how long training waited for rows, where they are, and what would help
              pronghorn doctor --prepare     makes the Python environment now, instead of with the first training
              pronghorn doctor --prepare --backend tensorflow     the one for Model.fit on TensorFlow too
              pronghorn doctor --prepare --tables                 the one that reads tables and images too

            Variables that Pronghorn heeds: PRONGHORN_CACHE (where programs, data and environments are kept),
            PRONGHORN_PYTHON (an interpreter to use instead of an environment of its own), PRONGHORN_CPU_PLUGIN and
            PRONGHORN_CUDA_PLUGIN (PJRT plugins by path), PRONGHORN_TENSORFLOW_PYTHON and PRONGHORN_TORCH_PYTHON
            (interpreters for Model.fit on these backends), PRONGHORN_DATA_PYTHON (one with pyarrow and Pillow that reads
            tables and images), PRONGHORN_REPORT_PYTHON (one with plotly that writes reports), CUDA_VISIBLE_DEVICES.
            """)

    @Argument(help: "A run's folder: says how its data were read.")
    var folder: String?

    @Flag(help: "Makes the Python environment if it is not there.")
    var prepare = false

    @Option(
        name: .customLong("with"),
        help: "A further Python package of the environment, as pip names it; may be repeated.")
    var requirements: [String] = []

    @Option(
        help: "A further backend of Keras, tensorflow or torch, whose environment is looked for too.",
        transform: { text in
            guard let backend = KerasBackend(rawValue: text), backend != .jax else {
                throw ValidationError("'\(text)' is none of the further backends; write tensorflow or torch")
            }
            return backend
        })
    var backend: KerasBackend?

    @Flag(help: "Looks for the environment that reads CSV and Parquet files and images too.")
    var tables = false

    @Flag(help: "Prints one JSON object.")
    var json = false

    func run() async throws {
        try await Failure.reporting {
            let machine = await Devices.discover()
            if let folder { return try explain(folder, memory: machine.cpu.memory) }
            var report = Report(machine)
            let accelerators =
                machine.visible.isEmpty ? nil : machine.driver.map { [Requirements.Accelerator.cuda(driver: $0)] }
            let wanted = Requirements(further: requirements, accelerators: accelerators ?? [])
            do throws(PythonEnvironmentError) {
                let python =
                    prepare
                    ? try await ManagedPython.prepare(requirements: wanted, interpreter: nil) { line in
                        Terminal.error(line)
                    } : try await ManagedPython.find(requirements: wanted, interpreter: nil)
                report.take(python)
                if let backend {
                    let found =
                        prepare
                        ? try await ManagedPython.prepare(backend, requirements: wanted, interpreter: nil) { line in
                            Terminal.error(line)
                        } : try await ManagedPython.find(backend, requirements: wanted, interpreter: nil)
                    report.backends = [backend.rawValue: found.interpreter.string]
                }
                if tables {
                    let found =
                        prepare
                        ? try await ManagedPython.prepareForTables { line in Terminal.error(line) }
                        : try await ManagedPython.findForTables()
                    report.dataPython = found.interpreter.string
                }
            } catch {
                report.problems.append(error.message)
            }
            if json { Terminal.line(try report.json) } else { report.lines.forEach(Terminal.line) }
            let lacks =
                report.python == nil || (backend != nil && report.backends.isEmpty)
                || (tables && report.dataPython == nil)
            if prepare, lacks { throw ExitCode(1) }
        }
    }
}

extension DoctorCommand {
    func validate() throws {
        if folder != nil, prepare || tables || backend != nil || !requirements.isEmpty {
            throw ValidationError("a run's folder stands alone, or with --json: other options are of this machine")
        }
    }
}

/// What the doctor found.
private struct Report: Encodable {
    var version = PronghornVersion.current
    var cores: Int
    var processor: String
    var memory: Int
    var devices: [String]
    var gpus: [String]
    var cache: String
    var python: String?
    var pythonVersion: String?
    var cpuPlugin: String?
    var cudaPlugin: String?
    /// The interpreters of further backends, by their names.
    var backends: [String: String] = [:]
    /// The interpreter that reads tables.
    var dataPython: String?
    var problems: [String] = []

    enum CodingKeys: String, CodingKey {
        case version, cores, processor, memory, devices, gpus, cache, python, backends, problems
        case pythonVersion = "python_version"
        case cpuPlugin = "cpu_plugin"
        case cudaPlugin = "cuda_plugin"
        case dataPython = "data_python"
    }

    init(_ machine: Machine) {
        cores = machine.cpu.cores.count
        processor = machine.cpu.model
        memory = machine.cpu.memoryAvailable
        devices = (try? DeviceSelection.auto.resolve(on: machine))?.map(\.name) ?? []
        gpus = machine.visible.map { "\($0.name), \($0.memoryFree.map(Quantity.bytes) ?? "?") free" }
        cache = CacheFolder.path().string
        if let problem = machine.gpuProblem { problems.append(problem) }
    }

    mutating func take(_ python: Python) {
        self.python = python.interpreter.string
        pythonVersion = python.version
        cpuPlugin = python.plugin.path.string
        cudaPlugin = python.cudaPlugin?.path.string
    }

    var lines: [String] {
        var lines = [
            "pronghorn   \(version)",
            "processor   \(processor), \(Quantity.count(cores, "core")), \(Quantity.bytes(memory)) of memory free",
            "GPUs        \(gpus.isEmpty ? "none" : gpus.joined(separator: "; "))",
            "devices     \(devices.joined(separator: ", ")) (what --devices auto means)",
            "cache       \(cache)",
            "Python      \(python.map { "\($0) (\(pythonVersion ?? "?"))" } ?? "not ready")",
            "CPU plugin  \(cpuPlugin ?? "not ready")",
        ]
        if !gpus.isEmpty { lines.append("CUDA plugin \(cudaPlugin ?? "not ready")") }
        lines += backends.map { "\($0.key)  \($0.value)" }
        if let dataPython { lines.append("tables      \(dataPython)") }
        lines += problems.map { "problem:    \($0)" }
        return lines
    }

    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}
