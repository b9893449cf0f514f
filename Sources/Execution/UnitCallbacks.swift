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

    private func pythonFunction(_ function: FunctionReference) -> Unit.PythonFunction {
        Unit.PythonFunction(
            file: folder.pushing(FilePath(function.file)).lexicallyNormalized().string, function: function.function)
    }
}
