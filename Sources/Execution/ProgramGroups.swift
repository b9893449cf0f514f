import Bundles
import Datasets
import Devices
import Experiments
import Lowering
import Planning
import SystemPackage
import TensorFiles

/// Trials that share a program: they differ in seed, data and learning rate only.
struct ProgramGroup: Sendable {
    var arguments: [String: ParameterValue]
    var trials: [Trial]
    var bundle: Bundle
    /// Numbers that each trial has in its own state.
    var parameters: [String]
    /// The states that trials start from, by the file that each names as its start.
    var starts: [String: FilePath] = [:]
    /// Whether a start is a whole model, with a configuration of its own.
    var startsAreModels = false
}

extension Preparation {
    /// Describes one program a distinct architecture, calling `found` as each is ready.
    ///
    /// - Parameter only: the trials that are wanted; the program is that of all, so that a run that goes on finds it in
    ///   the cache.
    /// - Throws: `ExperimentError` for what is wrong with the user's model.
    func groups(
        _ lowerer: Lowerer, only wanted: Set<Int>? = nil, _ found: (ProgramGroup) async throws -> Void
    ) async throws {
        func take(_ group: ProgramGroup) async throws {
            var group = group
            if let wanted { group.trials = group.trials.filter { wanted.contains($0.index) } }
            if !group.trials.isEmpty { try await found(group) }
        }
        do {
            for (arguments, trials) in byArchitecture(trials) {
                do {
                    try await take(try await group(trials, arguments, lowerer, varying: learningRates(of: trials)))
                } catch let error as LoweringError where error.splits == "model" {
                    // A layer holds more of its file than leaves: each file has a program of its own.
                    for (_, trials) in grouped(trials, by: \.start?.file) {
                        try await take(try await group(trials, arguments, lowerer, varying: learningRates(of: trials)))
                    }
                } catch let error as LoweringError where error.splits == "learning_rate" {
                    // The value does more than fill a leaf: each has a program of its own.
                    for (arguments, trials) in grouped(trials, by: \.parametersButSeed) {
                        try await take(try await group(trials, arguments, lowerer, varying: []))
                    }
                }
            }
        } catch let error as LoweringError {
            var key = "model"
            if error.code == .callbackRaised, let scheduler = experiment.learningRateScheduler {
                key = "callbacks[\(scheduler.index)].learning_rate_scheduler.schedule"
            }
            throw experiment.explaining(error, at: key)
        }
    }

    private func group(
        _ trials: [Trial], _ arguments: [String: ParameterValue], _ lowerer: Lowerer, varying rates: [Double]
    ) async throws -> ProgramGroup {
        let inputs = dataset.inputs
        func tensors(_ role: DatasetArray.Role) -> [ProgramDescription.Tensor] {
            inputs.filter { $0.role == role }.map {
                ProgramDescription.Tensor(name: $0.name, shape: $0.rowShape, dtype: $0.dtype.rawValue)
            }
        }
        let seeds = trials.contains { $0.parameters["seed"] != nil } ? Array(Set(trials.map(\.seed))).sorted() : []
        let bundle = try await lowerer.describe(
            ProgramRequest(
                model: model(arguments, of: trials), x: tensors(.x), y: tensors(.y),
                sampleWeight: tensors(.sampleWeight).first,
                // What the description is traced with; functions are lowered for every size that trials have.
                batchSize: trials.first.map { $0.fit.batchSize(rows: self.rows(of: $0).training.count) } ?? 32,
                learningRates: rates, seeds: seeds, terminatesOnNaN: experiment.terminatesOnNaN,
                schedule: scheduleRequest(trials, varying: !rates.isEmpty)))
        try checkMetrics(bundle.description)
        try checkAverages(bundle.description)
        try checkCallbacks(bundle.description)
        var parameters: [String] = []
        if !rates.isEmpty {
            guard bundle.description.parameters.contains(where: { $0.name == "learning_rate" && $0.leaf != nil }) else {
                throw experiment.error(
                    at: "trials.learning_rate",
                    "the model's optimizer has a learning rate that cannot be set "
                        + "(\(bundle.description.notes.joined(separator: " "))); make it an argument of the build function"
                )
            }
            parameters = ["learning_rate"]
        }
        var group = ProgramGroup(arguments: arguments, trials: trials, bundle: bundle, parameters: parameters)
        try await findStarts(&group, lowerer)
        return group
    }

    /// Has the states read that the group's trials start from; a model file that is the only one is in the program itself.
    private func findStarts(_ group: inout ProgramGroup, _ lowerer: Lowerer) async throws {
        let files = grouped(group.trials, by: \.start?.file).compactMap(\.0)
        if case .files = experiment.model { group.startsAreModels = true }
        guard files.count > (group.startsAreModels ? 1 : 0) else { return }
        do {
            let states = try await lowerer.starts(from: files.map { FilePath($0) }, of: group.bundle)
            group.starts = Dictionary(uniqueKeysWithValues: states.map { ($0.key.string, $0.value) })
        } catch {
            // What is said of a model file is told by whoever asked for the group.
            if group.startsAreModels { throw error }
            throw experiment.explaining(error, at: "start")
        }
    }

    /// Refuses to save by a metric that is never measured, which would show only when all is trained.
    private func checkMetrics(_ description: ProgramDescription) throws(ExperimentError) {
        let measured =
            description.logs + (experiment.validates ? description.evaluateLogs.map { "val_\($0)" } : [])
        for monitor in [experiment.save.best, experiment.save.top?.monitor] {
            guard let metric = monitor?.resolved(validates: experiment.validates).metric else { continue }
            guard measured.contains(metric) else {
                throw experiment.error(
                    at: "save", "the model measures no '\(metric)'", found: metric, accepted: measured)
            }
        }
    }

    private func model(_ arguments: [String: ParameterValue], of trials: [Trial]) -> ProgramRequest.Model {
        switch experiment.model {
        case .function(let function):
            .function(
                file: folder.pushing(FilePath(function.file)).lexicallyNormalized(), name: function.function,
                arguments: arguments.mapValues(JSONValue.init))
        case .keras(let path): .keras(file: folder.pushing(FilePath(path)).lexicallyNormalized())
        // The models of a group differ in leaves alone, so that any of them describes the program of all.
        case .files: .keras(file: FilePath(trials.first?.start?.file ?? ""))
        case .layers(let inline):
            .layers(inline.layers.map(JSONValue.init), compile: inline.compile.mapValues(JSONValue.init))
        }
    }

    private func learningRates(of trials: [Trial]) -> [Double] {
        Set(trials.compactMap { $0.parameters["learning_rate"]?.double }).sorted()
    }

    /// The trials of each program: of one architecture, as far as that shows before it is built.
    private func byArchitecture(_ trials: [Trial]) -> [([String: ParameterValue], [Trial])] {
        struct Kind: Hashable {
            var arguments: [String: ParameterValue]
            var architecture: String?
        }
        return grouped(trials) { trial in
            Kind(arguments: trial.arguments, architecture: trial.start.flatMap { architectures[$0.file] })
        }.map { ($0.arguments, $1) }
    }

    /// Trials by what they have in common, in the order in which they come.
    private func grouped<Key: Hashable>(_ trials: [Trial], by key: (Trial) -> Key) -> [(Key, [Trial])] {
        var order: [Key] = []
        var groups: [Key: [Trial]] = [:]
        for trial in trials {
            let key = key(trial)
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(trial)
        }
        return order.map { ($0, groups[$0] ?? []) }
    }
}

extension Experiment {
    /// A complaint of the Python side, at the place in the experiment file that it is about.
    func explaining(_ error: LoweringError, at key: String) -> any Error {
        switch error.code {
        case .internal, .processEnded, .cache, .cancelled:
            return RunError(.machine, error.description, cause: error.cause)
        default:
            var place = ""
            if let file = error.file { place = error.line.map { " (\(file):\($0))" } ?? " (\(file))" }
            return self.error(at: key, error.message + place)
        }
    }
}

extension Trial {
    /// The arguments of the build function where each learning rate has a program of its own.
    fileprivate var parametersButSeed: [String: ParameterValue] {
        var arguments = arguments
        arguments["learning_rate"] = parameters["learning_rate"]
        return arguments
    }
}

extension JSONValue {
    /// A parameter as the lowering process takes it.
    fileprivate init(_ value: ParameterValue) {
        switch value {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .double(let value): self = .double(value)
        case .string(let value): self = .string(value)
        case .list(let values): self = .array(values.map(JSONValue.init))
        case .mapping(let values): self = .object(values.mapValues(JSONValue.init))
        }
    }
}
