import Bundles
import Experiments
import SystemPackage
import Units

extension Preparation {
    /// The experiment's callbacks as a unit has them: paths are absolute.
    ///
    /// - Parameter resolve: which way a monitored metric gets better, where the experiment leaves it to Keras.
    func unitCallbacks(resolving resolve: (_ metric: String) -> Unit.MonitorMode = { _ in .auto }) -> [Unit.Callback] {
        func mode(_ mode: Callback.Mode, _ metric: String) -> Unit.MonitorMode {
            switch mode {
            case .auto: resolve(metric)
            case .min: .min
            case .max: .max
            }
        }
        return experiment.callbacks.map { callback in
            switch callback {
            case .earlyStopping(let callback):
                .earlyStopping(
                    Unit.EarlyStopping(
                        monitor: callback.monitor, minDelta: callback.minDelta, patience: callback.patience,
                        mode: mode(callback.mode, callback.monitor), baseline: callback.baseline,
                        restoreBestWeights: callback.restoreBestWeights, startFromEpoch: callback.startFromEpoch))
            case .modelCheckpoint(let callback):
                .modelCheckpoint(
                    Unit.ModelCheckpoint(
                        monitor: callback.monitor, saveBestOnly: callback.saveBestOnly,
                        saveWeightsOnly: callback.saveWeightsOnly, mode: mode(callback.mode, callback.monitor),
                        batches: callback.batches, initialValueThreshold: callback.initialValueThreshold))
            case .reduceLROnPlateau(let callback):
                .reduceLROnPlateau(
                    Unit.ReduceLROnPlateau(
                        monitor: callback.monitor, factor: callback.factor, patience: callback.patience,
                        mode: mode(callback.mode, callback.monitor), minDelta: callback.minDelta,
                        cooldown: callback.cooldown, minLearningRate: callback.minLearningRate))
            case .learningRateScheduler(let callback):
                .learningRateScheduler(Unit.LearningRateScheduler(schedule: pythonFunction(callback.schedule)))
            case .terminateOnNaN(let callback):
                .terminateOnNaN(Unit.TerminateOnNaN(raiseError: callback.raiseError))
            case .csvLogger(let callback):
                .csvLogger(Unit.CSVLogger(separator: callback.separator, append: callback.append))
            case .swapEMAWeights(let callback):
                .swapEMAWeights(Unit.SwapEMAWeights(swapOnEpoch: callback.swapOnEpoch))
            case .python(let function): .python(pythonFunction(function))
            }
        }
    }

    /// The callbacks of a native unit, with every direction resolved.
    func unitCallbacks(_ description: ProgramDescription) -> [Unit.Callback] {
        unitCallbacks { metric in
            switch description.direction(of: metric) {
            case .up: .max
            case .down: .min
            case nil: .auto
            }
        }
    }

    /// Refuses callbacks that could not do their work on a program.
    ///
    /// Keras warns of a metric that is not there at the end of each epoch, and complains of a direction that it cannot tell,
    /// or of a learning rate that cannot be set, when training has begun.
    func checkCallbacks(_ description: ProgramDescription) throws(ExperimentError) {
        let measured =
            description.logs + (experiment.validates ? description.evaluateLogs.map { "val_\($0)" } : [])
        for (index, callback) in experiment.callbacks.enumerated() {
            let key = "callbacks[\(index)].\(callback.name)"
            if let (metric, mode) = callback.monitor {
                guard measured.contains(metric) else {
                    throw experiment.error(
                        at: "\(key).monitor", "the model measures no '\(metric)'", found: metric, accepted: measured)
                }
                guard mode != .auto || description.direction(of: metric) != nil else {
                    throw experiment.error(
                        at: "\(key).mode",
                        "Keras cannot tell whether less or more of '\(metric)' is better", accepted: ["max", "min"])
                }
            }
            if callback.logsLearningRate, description.learningRateLeaf == nil {
                var reasons = description.notes
                for parameter in description.parameters where parameter.name == "learning_rate" {
                    guard let leaf = parameter.leaf, description.state[leaf].role == .optimizer else { continue }
                    reasons.append(
                        "it is \(description.state[leaf].dtype); `engine: fit` has callbacks for other types than float32"
                    )
                }
                throw experiment.error(
                    at: key,
                    "the model's optimizer has a learning rate that cannot be set (\(reasons.joined(separator: " ")))")
            }
        }
    }

    private func pythonFunction(_ function: FunctionReference) -> Unit.PythonFunction {
        Unit.PythonFunction(
            file: folder.pushing(FilePath(function.file)).lexicallyNormalized().string, function: function.function)
    }
}

extension ProgramDescription {
    /// Which way a metric of the logs gets better, as `MonitorCallback._set_monitor_op` tells it; nil where it cannot.
    fileprivate func direction(of metric: String) -> Direction? {
        let name = metric.hasPrefix("val_") ? String(metric.dropFirst(4)) : metric
        return directions[name] ?? (name == "loss" ? .down : nil)
    }
}
