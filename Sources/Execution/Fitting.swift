import Bundles
import Datasets
import Experiments
import Lowering
import Units

/// What a trial's fit settings come to, given its rows and its program.
extension Preparation {
    /// A group's trials by how they are fitted, in the order of their first; those that validate stand apart from those
    /// that do not, which have no metrics of validation.
    func fittedAlike(
        _ all: [Trial], _ description: ProgramDescription
    ) -> [(fit: Unit.FitSettings, trials: [Trial])] {
        struct Key: Hashable {
            var fit: Unit.FitSettings
            var validates: Bool
        }
        var order: [Key] = []
        var groups: [Key: [Trial]] = [:]
        for trial in all {
            let key = Key(
                fit: fitSettings(of: trial, description), validates: rows(of: trial).validation != nil)
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(trial)
        }
        return order.map { ($0.fit, groups[$0] ?? []) }
    }

    /// How a trial is fitted; Keras's own choice of a batch size depends on the number of its rows.
    ///
    /// - Parameter program: what is trained; nil where `Model.fit` trains it, which rounds to whole executions by itself.
    func fitSettings(of trial: Trial, _ program: ProgramDescription?) -> Unit.FitSettings {
        let fit = trial.fit
        let partition = rows(of: trial)
        return Unit.FitSettings(
            firstEpoch: fit.initialEpoch, lastEpoch: fit.epochs,
            batchSize: fit.batchSize(rows: partition.training.count),
            stepsPerEpoch: fit.stepsPerEpoch.map { program?.wholeExecutions($0) ?? $0 },
            validationBatchSize: fit.validationBatchSize(rows: partition.validation?.count ?? 0),
            validationFrequency: Unit.ValidationFrequency(fit.validationFrequency), shuffle: Unit.Shuffle(fit.shuffle),
            shuffleWindow: fit.shuffleWindow)
    }

    /// The rows that a trial trains on and those that its validation reads.
    ///
    /// `Model.evaluate` begins with the first batch each time, so that what is beyond `validation_steps` is never read.
    ///
    /// - Parameter program: what is trained; nil where `Model.fit` trains it, whose steps are taken one at a time.
    func rows(of trial: Trial, _ program: ProgramDescription?) -> Partition {
        var partition = rows(of: trial)
        if let steps = trial.fit.validationSteps, let rows = partition.validation {
            let batchSize = trial.fit.validationBatchSize(rows: rows.count)
            partition.validation = rows.prefix((program?.wholeExecutions(steps) ?? steps) * batchSize)
        }
        return partition
    }
}

extension ProgramDescription {
    /// So many steps, rounded up to whole executions, as `keras.src.trainers.EpochIterator` does.
    fileprivate func wholeExecutions(_ steps: Int) -> Int {
        let size = max(1, stepsPerExecution ?? 1)
        return (steps + size - 1) / size * size
    }
}

extension Unit.Shuffle {
    fileprivate init(_ shuffle: FitOptions.Shuffle) {
        switch shuffle {
        case .none: self = .none
        case .rows: self = .rows
        case .batch: self = .batch
        case .windows: self = .windows
        }
    }
}

extension Unit.ValidationFrequency {
    fileprivate init(_ frequency: FitOptions.ValidationFrequency) {
        switch frequency {
        case .every(let number): self = .every(number)
        case .epochs(let numbers): self = .epochs(numbers)
        }
    }
}
