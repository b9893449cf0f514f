import Bundles
import Experiments
import Lowering
import SystemPackage
import Units

/// What callbacks need before training begins.
extension Preparation {
    /// Asks for the learning rates of these trials' epochs, where a schedule sets them.
    ///
    /// - Parameter varying: whether each trial's own learning rate is put into its state.
    func scheduleRequest(_ trials: [Trial], varying: Bool) -> ProgramRequest.Schedule? {
        guard let schedule = experiment.learningRateScheduler?.schedule else { return nil }
        let runs = Set(trials.map { scheduleRun($0, varying: varying) })
        return ProgramRequest.Schedule(
            file: folder.pushing(FilePath(schedule.file)).lexicallyNormalized(), function: schedule.function,
            runs: runs.sorted { one, other in
                let ends = (one.epochs.lowerBound, one.epochs.upperBound)
                let others = (other.epochs.lowerBound, other.epochs.upperBound)
                return ends == others ? one.rate ?? 0 < other.rate ?? 0 : ends < others
            })
    }

    /// The learning rate of each epoch of a trial, where a schedule sets it.
    func scheduledRates(of trial: Trial, _ group: ProgramGroup) -> [Double]? {
        guard experiment.learningRateScheduler != nil else { return nil }
        let run = scheduleRun(trial, varying: group.parameters.contains("learning_rate"))
        return group.bundle.description.schedules?.first {
            $0.rate == run.rate && $0.firstEpoch..<$0.lastEpoch == run.epochs
        }?.rates
    }

    /// Refuses to exchange weights with averages that nothing keeps, as Keras does.
    func checkAverages(_ description: ProgramDescription) throws(ExperimentError) {
        for (index, callback) in experiment.callbacks.enumerated() {
            guard case .swapEMAWeights = callback, description.averages?.isEmpty != false else { continue }
            throw experiment.error(
                at: "callbacks[\(index)].swap_ema_weights",
                "the optimizer of \(description.name) keeps no moving average of its weights: make it with use_ema=True"
            )
        }
    }

    private func scheduleRun(_ trial: Trial, varying: Bool) -> ProgramRequest.Schedule.Run {
        ProgramRequest.Schedule.Run(
            rate: varying ? trial.parameters["learning_rate"]?.double : nil,
            epochs: trial.fit.initialEpoch..<max(trial.fit.initialEpoch, trial.fit.epochs))
    }
}
