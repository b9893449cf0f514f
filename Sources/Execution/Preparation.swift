import Datasets
import Devices
import Experiments
import Files
import FoundationEssentials
import Ledger
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
    let machine: Machine
    let python: Python
    /// What a Python of Pronghorn's own must hold for this experiment.
    let requirements: Requirements
    /// The interpreter that the experiment names.
    let interpreter: FilePath?
    /// The variables that the experiment's `environment` names, where they are set.
    let passed: [String: String]
    let dataset: Dataset
    let partitions: [Partition]
    /// The rows that no trial sees, or `nil`.
    let testRows: Rows?
    /// The partitions with another share of rows to validate on than the experiment's, by the share; 0 for none.
    private let split: [Double: [Partition]]
    let trials: [Trial]
    /// A line for each trial that the run has and its experiment has no more.
    let missing: [String]
    /// How many trials the run was begun with, by which its files are laid out.
    let firstTrials: Int
    /// What says of each model file which others may share its program, by the file's path.
    let architectures: [String: String]
    /// The model's file, where it is the only one and its arrays lie beside it: its trials start from it as from one of several.
    let givenModel: String?
    /// A checkpoint is left after the first epoch that ends so many seconds after the last one.
    let checkpointSeconds: Double
    /// Bytes of a device's memory that data may take; nil: what is usual.
    let dataMemory: Int?
    /// The moments of the rows that layers are adapted to, as far as they were asked for.
    let moments = PartitionMoments()

    /// Opens the data, draws the partitions and lists the trials.
    ///
    /// - Parameter partitionDevices: how many devices `partition: {count: devices}` divides the rows by, where it is not
    ///   the number there are.
    /// - Parameter known: the trials that the run has already, which keep their numbers.
    /// - Throws: `ExperimentError` for what the user can mend, with file, line and key.
    init(
        _ experiment: Experiment, relativeTo folder: FilePath, on devices: [Device], partitionDevices: Int?,
        checkpointSeconds: Double, dataMemory: Int?, machine: Machine, known: [TrialRecord] = [],
        firstTrials: Int? = nil,
        progress: @escaping @Sendable (String) -> Void
    ) async throws {
        try Self.checkFiles(experiment, folder)
        let found = try experiment.findingStartFiles(relativeTo: Folder.absolute(folder))
        architectures = try Self.architectures(of: found, folder)
        givenModel = Self.givenModel(of: found, folder)
        let driver = devices.contains { $0.platform == "cuda" } ? machine.driver : nil
        let requirements = Requirements(
            further: experiment.python?.requirements ?? [],
            accelerators: driver.map { [Requirements.Accelerator.cuda(driver: $0)] } ?? [])
        let interpreter = experiment.python?.interpreter.map { name in
            // A bare name is looked up on PATH, anything else is a path.
            name.contains("/") ? folder.pushing(FilePath(name)) : FilePath(name)
        }
        let passed = experiment.passedVariables
        for name in experiment.environment ?? [] where passed[name] == nil {
            progress("the variable \(name), which environment names, is not set here")
        }
        self.passed = passed
        func findPython() async throws -> Python {
            do {
                return try await ManagedPython.prepare(
                    requirements: requirements, interpreter: interpreter, progress: progress
                ).passing(passed)
            } catch {
                throw experiment.explaining(error)
            }
        }
        // Making an environment takes minutes, so that mistakes in files of data are found before.
        let early = experiment.dataFunctions.isEmpty ? nil : try await findPython()
        let prepared = try await PreparingData(experiment: found, folder: Folder.absolute(folder), progress: progress)
            .prepare(early)
        let experiment = try found.resolving(prepared)
        self.experiment = experiment
        self.machine = machine
        self.requirements = requirements
        self.interpreter = interpreter
        self.folder = folder
        self.devices = devices
        self.checkpointSeconds = checkpointSeconds
        self.dataMemory = dataMemory
        var dataset = try Dataset.open(
            experiment, relativeTo: folder, cache: CacheFolder.path("data"), progress: progress)
        let division = try dataset.division(devices: partitionDevices ?? devices.count)
        for note in division.notes { progress(note) }
        var partitions = division.partitions
        try dataset.fill(&partitions)
        self.partitions = partitions
        testRows = division.test
        (trials, missing) = Self.numbered(
            try experiment.trials(partitions: partitions.map(\.label)), after: known)
        self.firstTrials = firstTrials ?? (known.isEmpty ? trials.count : known.count)
        var split: [Double: [Partition]] = [:]
        for trial in trials where trial.fit.validation != experiment.fit.validation {
            guard split[trial.fit.splitShare] == nil else { continue }
            var others = try dataset.partitions(
                devices: partitionDevices ?? devices.count, validation: trial.fit.validation)
            try dataset.fill(&others)
            split[trial.fit.splitShare] = others
        }
        self.dataset = dataset
        self.split = split
        if let early { python = early } else { python = try await findPython() }
    }

    /// The rows that a trial trains on and may validate on: those of its partition, as its own fit settings divide them.
    func rows(of trial: Trial) -> Partition {
        let others = trial.fit.validation == experiment.fit.validation ? nil : split[trial.fit.splitShare]
        return (others ?? partitions)[trial.partition]
    }

    /// Finds a missing Python file or model before anything slow is begun.
    private static func checkFiles(_ experiment: Experiment, _ folder: FilePath) throws(ExperimentError) {
        var files: [(key: String, path: String)] = []
        switch experiment.model {
        case .function(let function): files.append(("model", function.file))
        case .keras(let path): files.append(("model", path))
        case .configuration(let configuration):
            if let path = configuration.file { files.append(("model.config", path)) }
        case .configurations(let choices):
            files += choices.compactMap { choice in
                choice.configuration.file.map { ("model.\(choice.name).config", $0) }
            }
        case .files, .layers: break
        }
        for (key, function) in experiment.dataFunctions { files.append((key, function.file)) }
        for (index, callback) in experiment.callbacks.enumerated() {
            switch callback {
            case .python(let function): files.append(("callbacks[\(index)]", function.file))
            case .learningRateScheduler(let callback):
                files.append(("callbacks[\(index)].learning_rate_scheduler.schedule", callback.schedule.file))
            default: break
            }
        }
        if let customObjects = experiment.customObjects { files.append(("custom_objects", customObjects)) }
        if let summarize = experiment.summarize { files.append(("summarize", summarize.file)) }
        for (key, path) in files where (try? FileStamp(of: folder.pushing(FilePath(path)))) == nil {
            throw experiment.error(at: key, "there is no file \(folder.pushing(FilePath(path)))", found: path)
        }
    }

    /// The native engine's runner of a device.
    func nativeRunner(_ executable: FilePath, on device: Device) throws(RunError) -> RunnerProgram {
        let plugin = device.platform == "cuda" ? python.cudaPlugin : python.plugin
        guard let plugin else {
            throw RunError(.request, "\(device.name) has no CUDA plugin; `pronghorn doctor` says what is missing")
        }
        return .native(executable, on: device, plugin: plugin, cudaData: python.cudaDataFolder)
    }
}

extension Experiment {
    /// The variables that `environment` names, where they are set.
    var passedVariables: [String: String] {
        let names = Set(environment ?? [])
        return ProcessInfo.processInfo.environment.filter { names.contains($0.key) }
    }
}

extension FitOptions {
    /// The share of rows that are set aside to validate on; 0 for none.
    fileprivate var splitShare: Double { if case .share(let share) = validation { share } else { 0 } }
}

extension Experiment {
    /// What is wrong with an interpreter that the experiment names, at the place where it does.
    func explaining(_ error: PythonEnvironmentError) -> any Error {
        guard python?.interpreter != nil, [.badInterpreter, .missingPackages].contains(error.code) else { return error }
        return self.error(at: "python.interpreter", error.message)
    }
}
