import Devices
import FoundationEssentials
import PythonEnvironment
import SystemPackage
import Units

/// What is started as a runner, and when it is ended to be started anew.
struct RunnerProgram: Sendable {
    var kind: WorkKind
    var executable: FilePath
    var arguments: [String]
    /// The process's whole environment.
    var environment: [String: String]
    var recycling: Recycling?

    /// When a process that could go on is ended between two units, so that the next begins in a fresh one.
    struct Recycling: Sendable {
        /// After so many units.
        var units: Int
        /// Or when its resident memory has grown by so many bytes since its first unit.
        var growth: Int
    }
}

extension RunnerProgram {
    /// The verb `runner` of this program, with a device's plugin.
    static func native(_ executable: FilePath, on device: Device, plugin: PluginFile, cudaData: FilePath?) -> Self {
        var arguments = [
            "runner", "--plugin", plugin.path.string, "--plugin-digest", plugin.sha256, "--device", device.name,
        ]
        if device.platform == "cuda", let cudaData { arguments += ["--cuda-data", cudaData.string] }
        if !device.cores.isEmpty {
            arguments += ["--cores", device.cores.map(String.init).joined(separator: ",")]
        }
        // What the runner needs of the environment and nothing else: an unknown flag of XLA's kills a process.
        let kept = ["PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "PRONGHORN_CACHE", "XDG_CACHE_HOME"]
        let inherited = ProcessInfo.processInfo.environment.filter {
            #if DEBUG
                if $0.key.hasPrefix("PRONGHORN_TEST_") { return true }
            #endif
            return kept.contains($0.key) || $0.key.hasPrefix("CUDA_")
        }
        return RunnerProgram(
            kind: .native, executable: executable, arguments: arguments,
            environment: inherited.merging(device.environment) { $1 })
    }

    /// `python -m pronghorn.fit_runner`.
    ///
    /// Keras's trainers leave compiled functions and graphs behind, so that a process is recycled after 200 trials, or when it has
    /// grown by 1 GiB.
    ///
    /// - Parameters:
    ///   - device: a device, or one of the places on it that share it.
    ///   - sharers: how many processes share the device.
    ///   - devices: how many devices there are, which share the cores where these are no device's own.
    static func fit(
        _ backend: Unit.FitEngine.Backend, _ python: BackendPython, on device: Device, sharers: Int, devices: Int
    ) -> Self {
        var arguments = ["-m", "pronghorn.fit_runner", "--device", device.name]
        var environment = python.environment.merging(device.environment) { $1 }
        let isCPU = device.platform == "cpu"
        environment["KERAS_BACKEND"] = backend.rawValue
        environment["JAX_PLATFORMS"] = isCPU ? "cpu" : "\(device.platform),cpu"
        environment["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
        if sharers > 1 { environment["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false" }
        var threads = device.cores.count
        if isCPU, !device.cores.isEmpty {
            arguments += ["--cores", device.cores.map(String.init).joined(separator: ",")]
        } else {
            threads /= max(1, sharers * devices)
        }
        for name in ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"] {
            environment[name] = String(max(1, threads))
        }
        return RunnerProgram(
            kind: .fit(backend), executable: python.interpreter, arguments: arguments, environment: environment,
            recycling: Recycling(units: 200, growth: 1 << 30))
    }
}

extension Device {
    /// The places on the device for so many processes that share it; the device itself for one.
    func shared(by count: Int) -> [Device] {
        guard count > 1 else { return [self] }
        return (0..<count).map { index in
            var place = self
            place.name = "\(name).\(index)"
            if platform == "cpu", !cores.isEmpty {
                place.cores =
                    count > cores.count
                    ? [cores[index % cores.count]]
                    : Array(cores[(index * cores.count / count)..<((index + 1) * cores.count / count)])
            }
            return place
        }
    }
}
