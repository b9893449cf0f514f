import Datasets
import Experiments
import FoundationEssentials
import Lowering
import Units

/// Trials with equal build arguments that real `Model.fit` trains.
struct FitGroup: Sendable {
    var arguments: [String: ParameterValue]
    var trials: [Trial]
    var backend: Unit.FitEngine.Backend
    /// Why not a lowered program, in one sentence.
    var reason: String
}

/// What was found out about trials with equal build arguments.
enum FoundGroup: Sendable {
    /// They share a program.
    case program(ProgramGroup)
    /// `Model.fit` trains them.
    case fit(FitGroup)
    /// The user's model is wrong for them.
    case wrong([Trial], any Error)

    var trials: [Trial] {
        get {
            switch self {
            case .program(let group): group.trials
            case .fit(let group): group.trials
            case .wrong(let trials, _): trials
            }
        }
        set {
            switch self {
            case .program(var group):
                group.trials = newValue
                self = .program(group)
            case .fit(var group):
                group.trials = newValue
                self = .fit(group)
            case .wrong(_, let error): self = .wrong(newValue, error)
            }
        }
    }

    /// Keeps some of the trials; a program's group remembers the others.
    mutating func keep(_ isWanted: (Trial) -> Bool) {
        let all = trials
        trials = all.filter(isWanted)
        guard trials.count < all.count, case .program(var group) = self else { return }
        group.siblings = all
        self = .program(group)
    }
}

extension Preparation {
    /// Why `Model.fit` trains all trials, whatever their models are; nil if that depends on the model.
    func reasonForFit() throws(ExperimentError) -> String? {
        if experiment.engine == .fit { return "the experiment says `engine: fit`" }
        guard let (index, reason) = experiment.callbacksNeedFitEngine else { return nil }
        if experiment.engine == .native {
            throw experiment.error(
                .conflict, at: "callbacks[\(index)]", "\(reason), which `engine: native` cannot run",
                accepted: ["auto", "fit"])
        }
        return reason
    }

    /// The group for `Model.fit`, on the backend that the experiment names, or else the one that the model needs.
    func fitGroup(
        _ trials: [Trial], _ arguments: [String: ParameterValue], needs: Unit.FitEngine.Backend? = nil, reason: String
    ) -> FitGroup {
        let named = Unit.FitEngine.Backend(rawValue: experiment.backend.rawValue)
        return FitGroup(arguments: arguments, trials: trials, backend: named ?? needs ?? .jax, reason: reason)
    }

    /// What becomes of trials whose model could not be lowered.
    ///
    /// What JAX cannot do trains by `Model.fit`; a mistake of the user's stays one.
    /// - Throws: `RunError` for what is wrong with neither: the lowering process, the disk.
    func judged(
        _ error: any Error, _ trials: [Trial], _ arguments: [String: ParameterValue]
    ) throws -> FoundGroup {
        guard let error = error as? LoweringError else {
            guard error is ExperimentError else { throw error }
            return .wrong(trials, error)
        }
        let needs = error.needs.flatMap { Unit.FitEngine.Backend(rawValue: $0) }
        if experiment.engine == .auto, error.code == .notLowerable || needs != nil {
            return .fit(fitGroup(trials, arguments, needs: needs, reason: error.reason(needs)))
        }
        var told = error
        if error.key?.hasPrefix(Experiment.ofArguments) ?? false {
            told.accepted = (error.accepted + Experiment.axesOfAllModels).sorted()
        }
        var key = experiment.place(ofModel: error.key)
        if error.code == .notAdaptable { key = "adapt" }
        if error.code == .callbackRaised, let scheduler = experiment.learningRateScheduler {
            key = "callbacks[\(scheduler.index)].learning_rate_scheduler.schedule"
        }
        let explained = experiment.explaining(told, at: key)
        guard explained is ExperimentError else { throw explained }
        return .wrong(trials, explained)
    }
}

extension Experiment {
    /// What stands before the name of an argument in the lowering process's keys.
    fileprivate static let ofArguments = "arguments."

    /// Where the experiment says what the lowering process calls by this key of the model.
    fileprivate func place(ofModel key: String?) -> String {
        guard let key else { return "model" }
        if key.hasPrefix(Self.ofArguments) {
            let name = String(key.dropFirst(Self.ofArguments.count))
            // A random search is a list of trials, too, but stands there as axes.
            if case .list(let trials) = space, positions["trials.\(name)"] == nil {
                return trials.firstIndex { $0[name] != nil }.map { "trials[\($0)].\(name)" } ?? "trials"
            }
            return "trials.\(name)"
        }
        switch model {
        case .layers, .configuration: return "model.\(key)"
        default: return "model"
        }
    }
}

extension LoweringError {
    /// Why the model is not lowered, in one sentence without the traceback that may follow.
    fileprivate func reason(_ needs: Unit.FitEngine.Backend?) -> String {
        let line = message.split(whereSeparator: \.isNewline).first.map(String.init) ?? message
        return switch needs {
        case .tensorflow: "the model needs TensorFlow: \(line)"
        case .torch: "the model needs Torch: \(line)"
        case .jax, nil: line
        }
    }
}
