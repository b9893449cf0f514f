extension Experiment {
    /// Checks the arguments of callbacks as Keras's constructors do, and what Keras would only warn of.
    func validateCallbacks() throws(ExperimentError) {
        for (index, callback) in callbacks.enumerated() {
            let key = "callbacks[\(index)].\(callback.name)"
            switch callback {
            case .earlyStopping(let callback):
                try require(!callback.minDelta.isNaN, at: "\(key).min_delta", "is not a number")
                try requireCount(callback.patience, at: "\(key).patience")
                try requireCount(callback.startFromEpoch, at: "\(key).start_from_epoch")
            case .modelCheckpoint(let callback):
                if let batches = callback.batches {
                    try require(batches >= 1, at: "\(key).save_freq", "must be at least 1, found \(batches)")
                }
            case .reduceLROnPlateau(let callback):
                try require(
                    callback.factor >= 0 && callback.factor < 1, at: "\(key).factor",
                    "must be at least 0 and less than 1, found \(callback.factor)")
                try requireCount(callback.patience, at: "\(key).patience")
                try requireCount(callback.cooldown, at: "\(key).cooldown")
                try require(
                    callback.minLearningRate >= 0, at: "\(key).min_lr",
                    "must be at least 0, found \(callback.minLearningRate)")
            case .csvLogger(let callback):
                // As Python's csv module has it.
                try require(
                    callback.separator.unicodeScalars.count == 1
                        && !["\"", "\r", "\n"].contains(callback.separator), at: "\(key).separator",
                    "must be one character, and no quote or end of a line, found '\(callback.separator)'")
            case .learningRateScheduler(let callback):
                try requireFunction(callback.schedule, at: "\(key).schedule")
            case .python(let function): try requireFunction(function, at: "callbacks[\(index)]")
            case .terminateOnNaN, .swapEMAWeights: break
            }
            if let metric = callback.monitor?.metric, metric.hasPrefix("val_"), !validates {
                throw error(
                    .conflict, at: "\(key).monitor",
                    "'\(metric)' is never measured, since nothing is validated: give fit.validation, or monitor "
                        + "\(metric.dropFirst(4))")
            }
        }
    }

    private func requireCount(_ value: Int, at key: String) throws(ExperimentError) {
        try require(value >= 0, at: key, "must be at least 0, found \(value)")
    }
}
