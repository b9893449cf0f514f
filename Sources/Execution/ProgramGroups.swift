import Bundles
import Datasets
import Devices
import Experiments
import Lowering
import Planning
import SystemPackage
import TensorFiles
import Units

/// Trials that share a program: they differ in seed, data, and numbers that the program takes as inputs.
struct ProgramGroup: Sendable {
    var arguments: [String: ParameterValue]
    var trials: [Trial]
    /// All trials of the program where an interrupted run goes on with some of them: whole cohorts of these are packed as
    /// they were, so that the same weights come of them.
    var siblings: [Trial] = []
    var bundle: Bundle
    /// Numbers that each trial has in its own state.
    var parameters: [String]
    /// Numbers that have a program a value, and why.
    var baked: [String: String] = [:]
    /// The states that trials start from, by the file that each names as its start.
    var starts: [String: FilePath] = [:]
    /// Whether a start is a whole model, with a configuration of its own.
    var startsAreModels = false
}

extension Preparation {
    /// Describes one program a distinct architecture, calling `found` as each is ready.
    ///
    /// What cannot be a program comes as a group for `Model.fit`, and what is wrong with the user's model as such.
    ///
    /// - Parameters:
    ///   - only: the trials that are wanted; the program is that of all, so that a run that goes on finds it in the cache.
    ///   - packedAlone: whether they are packed as if there were no others, and not as all together would be.
    ///   - isOver: whether no more are wanted; asked before each.
    /// - Throws: `ExperimentError` for what is wrong with the experiment, `RunError` for what is wrong with the machine.
    func groups(
        _ lowerer: Lowerer, only wanted: Set<Int>? = nil, packedAlone: Bool = false,
        until isOver: () -> Bool = { false }, _ found: (FoundGroup) async throws -> Void
    ) async throws {
        func take(_ group: FoundGroup) async throws {
            var group = group
            if let wanted { group.keep { wanted.contains($0.index) } }
            if packedAlone, case .program(var program) = group {
                program.siblings = []
                group = .program(program)
            }
            if !group.trials.isEmpty { try await found(group) }
        }
        let reason = try reasonForFit()
        for share in ProgramShare.divide(trials, kind: kind(of:)) where !isOver() {
            var baked: [String: String] = [:]
            if let reason {
                try await take(fitGroup(share, lowerer, reason: reason))
            } else {
                try await describe(share, lowerer, &baked, until: isOver, take)
            }
        }
    }

    /// Describes the program of trials that may share one, or those that they share where a number splits it.
    ///
    /// - Parameter isFileAlone: whether the model's file has a program of its own, with what it holds in it.
    private func describe(
        _ share: ProgramShare, _ lowerer: Lowerer, _ baked: inout [String: String], isFileAlone: Bool = false,
        until isOver: () -> Bool, _ take: (FoundGroup) async throws -> Void
    ) async throws {
        if isOver() { return }
        let found: FoundGroup
        do {
            found = .program(try await group(share, lowerer, baked, isFileAlone: isFileAlone))
        } catch let error as LoweringError where error.splits == "model" && !isFileAlone {
            // A layer holds more of its file than leaves: each file has a program of its own.
            for (_, trials) in grouped(share.trials, by: startFile) {
                for share in ProgramShare.divide(trials, baked: Set(baked.keys)) {
                    try await describe(share, lowerer, &baked, isFileAlone: true, until: isOver, take)
                }
            }
            return
        } catch let error as LoweringError where error.splits.map({ share.numbers[$0] != nil }) ?? false {
            // The value does more than fill leaves: each has a program of its own.
            if let name = error.splits { baked[name] = error.message }
            for share in ProgramShare.divide(share.trials, baked: Set(baked.keys)) {
                // What one of them has found to split the program as well does so for those that follow.
                for share in ProgramShare.divide(share.trials, baked: Set(baked.keys)) {
                    try await describe(share, lowerer, &baked, isFileAlone: isFileAlone, until: isOver, take)
                }
            }
            return
        } catch {
            found = try judged(error, share.trials, share.arguments)
        }
        try await take(found)
    }

    /// The group for `Model.fit`; where no backend is named, describing its model tells which one it needs.
    private func fitGroup(_ share: ProgramShare, _ lowerer: Lowerer, reason: String) async throws -> FoundGroup {
        var needs: Unit.FitEngine.Backend?
        if experiment.backend == .auto {
            do { _ = try await lowerer.describe(request(share, isFileAlone: true)) } catch {
                guard error.code == .notLowerable || error.needs != nil else {
                    return try judged(error, share.trials, share.arguments)
                }
                needs = error.needs.flatMap { Unit.FitEngine.Backend(rawValue: $0) }
            }
        }
        return .fit(fitGroup(share.trials, share.arguments, needs: needs, reason: reason))
    }

    /// What asks for the description of trials' model, as it is without callbacks.
    private func request(_ share: ProgramShare, isFileAlone: Bool) -> ProgramRequest {
        let trials = share.trials
        let inputs = dataset.inputs
        func tensors(_ role: DatasetArray.Role) -> [ProgramDescription.Tensor] {
            inputs.filter { $0.role == role }.map {
                ProgramDescription.Tensor(name: $0.name, shape: $0.rowShape, dtype: $0.dtype.rawValue)
            }
        }
        let seeds = trials.contains { $0.parameters["seed"] != nil } ? Array(Set(trials.map(\.seed))).sorted() : []
        var request = ProgramRequest(
            model: model(share.arguments, of: trials, isFileAlone: isFileAlone), x: tensors(.x), y: tensors(.y),
            sampleWeight: tensors(.sampleWeight).first,
            // What the description is traced with; functions are lowered for every size that trials have.
            batchSize: trials.first.map { $0.fit.batchSize(rows: self.rows(of: $0).training.count) } ?? 32,
            numbers: share.numbers, seeds: seeds)
        request.adapt = experiment.adapt.map(JSONValue.init)
        return request
    }

    private func group(
        _ share: ProgramShare, _ lowerer: Lowerer, _ baked: [String: String], isFileAlone: Bool
    ) async throws -> ProgramGroup {
        var request = request(share, isFileAlone: isFileAlone)
        request.terminatesOnNaN = experiment.terminatesOnNaN
        request.masksRows = hasManyTails
        request.schedule = scheduleRequest(share.trials, varying: share.numbers["learning_rate"] != nil)
        let bundle = try await lowerer.describe(request)
        try checkMetrics(bundle.description)
        try checkAverages(bundle.description)
        try checkCallbacks(bundle.description)
        // A learning rate that the build function takes may be in no leaf, as long as it is the same for all.
        let parameters = share.numbers.keys.filter { name in bundle.description.parameters.contains { $0.name == name }
        }
        var group = ProgramGroup(
            arguments: share.arguments, trials: share.trials, bundle: bundle, parameters: parameters.sorted(),
            baked: baked)
        group.startsAreModels = share.trials.first.flatMap(kind) != nil
        if !isFileAlone { try await findStarts(&group, lowerer) }
        return group
    }

    /// Whether last partial batches are of so many sizes that one function for all of them pays.
    ///
    /// All trials count, so that what is left of an interrupted run has the program that it had.
    private var hasManyTails: Bool {
        var (training, validation) = (TailSizes(), TailSizes())
        for trial in trials {
            let (fit, rows) = (fitSettings(of: trial, nil), rows(of: trial, nil))
            training.add(rows: rows.training.count, batchSize: fit.batchSize)
            validation.add(rows: rows.validation?.count ?? 0, batchSize: fit.validationBatchSize)
            if training.areMany || validation.areMany { return true }
        }
        return false
    }

    /// Has the states read that the group's trials start from.
    private func findStarts(_ group: inout ProgramGroup, _ lowerer: Lowerer) async throws {
        let files = grouped(group.trials, by: startFile).compactMap(\.0)
        if files.isEmpty { return }
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
            guard let metric = monitor.map({ experiment.resolved($0).metric }) else { continue }
            guard measured.contains(metric) else {
                throw experiment.error(
                    at: "save", "the model measures no '\(metric)'", found: metric, accepted: measured)
            }
        }
    }

    /// The model of trials with these build arguments.
    ///
    /// - Parameter isFileAlone: whether the trials' file is the model itself, and not one of its architecture.
    func model(
        _ arguments: [String: ParameterValue], of trials: [Trial], isFileAlone: Bool = true
    ) -> ProgramRequest.Model {
        let customObjects = experiment.customObjects.map { folder.pushing(FilePath($0)).lexicallyNormalized() }
        return switch experiment.model {
        case .function(let function):
            .function(
                file: folder.pushing(FilePath(function.file)).lexicallyNormalized(), name: function.function,
                arguments: arguments.mapValues(JSONValue.init))
        case .keras(let path):
            .keras(
                file: folder.pushing(FilePath(path)).lexicallyNormalized(), customObjects: customObjects,
                architecture: isFileAlone ? nil : trials.first.flatMap(kind))
        // The models of a group differ in leaves alone, so that any of them describes the program of all.
        case .files:
            .keras(
                file: FilePath(trials.first?.start?.file ?? ""), customObjects: customObjects,
                architecture: isFileAlone ? nil : trials.first.flatMap(kind))
        case .layers(let inline):
            .layers(inline.layers.map(JSONValue.init), compile: inline.compile.mapValues(JSONValue.init))
        case .configuration(let configuration): self.model(configuration, customObjects)
        case .configurations(let choices):
            self.model(
                (choices.first { .string($0.name) == arguments[ModelSource.choice] } ?? choices[0]).configuration,
                customObjects)
        }
    }

    private func model(_ configuration: ModelConfiguration, _ customObjects: FilePath?) -> ProgramRequest.Model {
        let place: ProgramRequest.Model.Configuration =
            switch configuration.place {
            case .file(let path): .file(folder.pushing(FilePath(path)).lexicallyNormalized())
            case .value(let value): .value(JSONValue(value))
            }
        return .configuration(
            place, compile: configuration.compile?.mapValues(JSONValue.init), customObjects: customObjects)
    }

    /// The architecture of the model that a trial starts from, as far as that shows before it is built.
    private func kind(of trial: Trial) -> String? { startFile(of: trial).flatMap { architectures[$0] } }

    /// The file whose state a trial starts from.
    func startFile(of trial: Trial) -> String? { trial.start?.file ?? givenModel }

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
            var explained = self.error(at: key, error.message + place)
            explained.detail = error.detail
            explained.accepted = error.accepted
            if !error.accepted.isEmpty {
                explained.found = error.key.flatMap { $0.split(separator: ".").last.map(String.init) }
            }
            return explained
        }
    }
}

extension JSONValue {
    /// The layers to adapt as Python takes them.
    init(_ layers: AdaptedLayers) {
        switch layers {
        case .all: self = .bool(true)
        case .named(let names): self = .array(names.map { .string($0) })
        }
    }

    /// A parameter as the lowering process takes it.
    init(_ value: ParameterValue) {
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
