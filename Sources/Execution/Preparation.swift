import Datasets
import Devices
import Experiments
import Files
import Lowering
import Planning
import PythonEnvironment
import SystemPackage

/// An experiment made ready: its data mapped, its trials listed, its Python found.
struct Preparation: Sendable {
    let experiment: Experiment
    /// The folder that the experiment's paths are relative to.
    let folder: FilePath
    let devices: [Device]
    let python: Python
    let dataset: Dataset
    let partitions: [Partition]
    let trials: [Trial]

    /// Opens the data, draws the partitions and lists the trials.
    ///
    /// - Throws: `ExperimentError` for what the user can mend, with file, line and key.
    init(
        _ experiment: Experiment, relativeTo folder: FilePath, on devices: [Device], machine: Machine,
        progress: @escaping @Sendable (String) -> Void
    ) async throws {
        self.experiment = experiment
        self.folder = folder
        self.devices = devices
        try Self.checkFiles(experiment, folder)
        dataset = try Dataset.open(experiment, relativeTo: folder, cache: CacheFolder.path("data"))
        partitions = try dataset.partitions(devices: devices.count)
        trials = try experiment.trials(partitions: partitions.map(\.label))
        let needsCUDA = devices.contains { $0.platform == "cuda" }
        let accelerators = needsCUDA ? machine.driver.map { [Requirements.Accelerator.cuda(driver: $0)] } ?? [] : []
        python = try await ManagedPython.prepare(
            requirements: Requirements(further: experiment.python?.requirements ?? [], accelerators: accelerators),
            interpreter: experiment.python?.interpreter.map { folder.pushing(FilePath($0)) }, progress: progress)
    }

    /// Finds a missing Python file or model before anything slow is begun.
    private static func checkFiles(_ experiment: Experiment, _ folder: FilePath) throws(ExperimentError) {
        var files: [(key: String, path: String)] = []
        switch experiment.model {
        case .function(let function): files.append(("model", function.file))
        case .keras(let path): files.append(("model", path))
        case .layers: break
        }
        if let summarize = experiment.summarize { files.append(("summarize", summarize.file)) }
        for (key, path) in files where (try? FileStamp(of: folder.pushing(FilePath(path)))) == nil {
            throw experiment.error(at: key, "there is no file \(folder.pushing(FilePath(path)))", found: path)
        }
    }

    /// The plugin of a device.
    func plugin(of device: Device) throws(RunError) -> PluginFile {
        guard device.platform == "cuda" else { return python.plugin }
        guard let plugin = python.cudaPlugin else {
            throw RunError(.request, "\(device.name) has no CUDA plugin; `pronghorn doctor` says what is missing")
        }
        return plugin
    }
}
