import Experiments
import Ledger

/// The best epoch of each trial so far, by the metric that the experiment watches.
struct BestEpochRecord: Sendable {
    private let metric: String
    private let lessIsBetter: Bool
    /// Whether an epoch whose loss is NaN or infinite ends a trial, and leaves no model.
    private let endsOnDivergence: Bool
    private var best: [Int: (value: Double, epoch: Int)] = [:]

    init(_ experiment: Experiment) {
        let monitor = experiment.save.best ?? experiment.save.top?.monitor ?? Monitor()
        (metric, lessIsBetter) = experiment.resolved(monitor)
        endsOnDivergence = experiment.endsOnDivergence
    }

    /// A trial's best epoch, counted from 0.
    subscript(trial: Int) -> Int? { best[trial]?.epoch }

    /// Takes an epoch's metrics in, a value a trial.
    mutating func note(_ epoch: Int, _ trials: [Int], _ metrics: [String: [Double]]) {
        guard let values = metrics[metric] else { return }
        let losses = endsOnDivergence ? metrics["loss"] : nil
        for (index, (trial, value)) in zip(trials, values).enumerated() where !value.isNaN {
            if let loss = losses?[index], !loss.isFinite { continue }
            if let earlier = best[trial], lessIsBetter ? value >= earlier.value : value <= earlier.value { continue }
            best[trial] = (value, epoch)
        }
    }

    /// Forgets best epochs that will be trained again.
    mutating func forget(_ trials: [Int], from epochs: Int) {
        for trial in trials where (best[trial]?.epoch ?? -1) >= epochs { best[trial] = nil }
    }

    /// Recalls from the ledger what was best before an interruption.
    mutating func recall(_ results: [TrialResult], of trials: [Trial], before epochs: Int) {
        for result in results {
            let fit = trials[result.trial].fit
            let measured = (fit.initialEpoch..<max(fit.initialEpoch, epochs)).filter {
                !metric.hasPrefix("val_") || fit.validationFrequency.isDue(after: $0)
            }
            let losses = result.history["loss"] ?? []
            for (epoch, value) in zip(measured, result.history[metric] ?? []) {
                let place = epoch - fit.initialEpoch
                let loss = losses.indices.contains(place) ? ["loss": [losses[place]]] : [:]
                note(epoch, [result.trial], loss.merging([metric: [value]]) { $1 })
            }
        }
    }
}
