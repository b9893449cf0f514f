extension Experiment {
    /// The greatest count that a fit setting may be: products of two such numbers fit into 64 bits.
    static let mostOfACount = Int(Int32.max)

    /// Checks the counts among the fit settings, those of every trial included.
    func validateFitCounts() throws(ExperimentError) {
        let counts: [(setting: FitSetting, count: Int?)] = [
            (.epochs, fit.epochs), (.batchSize, fit.batchSize), (.stepsPerEpoch, fit.stepsPerEpoch),
            (.validationBatchSize, fit.validationBatchSize), (.validationSteps, fit.validationSteps),
            (.initialEpoch, fit.initialEpoch),
        ]
        for (setting, count) in counts {
            let key = "fit.\(setting.rawValue)"
            let least = setting == .initialEpoch ? 0 : 1
            if let count { try require(count >= least, at: key, "must be at least \(least), found \(count)") }
            let all = [(key, count)] + places(of: setting).map { ($0.key, $0.value.int) }
            for case (let key, let count?) in all {
                try require(count <= Self.mostOfACount, at: key, "must be at most \(Self.mostOfACount), found \(count)")
            }
        }
        switch fit.validationFrequency {
        case .every(let number):
            try require(number >= 1, at: "fit.validation_freq", "must be at least 1, found \(number)")
        case .epochs(let numbers):
            try require(
                !numbers.isEmpty && numbers.allSatisfy { $0 >= 1 }, at: "fit.validation_freq",
                "lists epochs, counted from 1")
        }
        try validateEpochs()
        try validateSplits()
    }

    /// Trials that differ in their share of rows to validate on have no other rows to validate on.
    private func validateSplits() throws(ExperimentError) {
        guard let place = places(of: .validationSplit).first else { return }
        if holdsOutRows {
            throw error(
                .conflict, at: place.key, "the rows that each partition holds out are its validation set")
        }
        if case .data = fit.validation {
            throw error(.conflict, at: place.key, "\(validationKey) gives the rows to validate on")
        }
    }

    /// No trial may begin where it ends: `Model.fit` would train nothing.
    private func validateEpochs() throws(ExperimentError) {
        switch space {
        case .list(let trials):
            for (index, parameters) in trials.enumerated() {
                let own = fit.with(parameters)
                let key = ["initial_epoch", "epochs"].first { parameters[$0] != nil }
                try require(own, at: key.map { "trials[\(index)].\($0)" } ?? "fit.initial_epoch")
            }
        case .product(let axes):
            func values(_ setting: FitSetting) -> [Int]? {
                axes.first { $0.name == setting.rawValue }?.values.compactMap(\.int)
            }
            var extreme = fit
            let axis = [FitSetting.initialEpoch, .epochs].first { values($0) != nil }
            if let least = values(.epochs)?.min() { extreme.epochs = least }
            if let last = values(.initialEpoch)?.max() { extreme.initialEpoch = last }
            try require(extreme, at: axis.map { "trials.\($0.rawValue)" } ?? "fit.initial_epoch")
        }
    }

    private func require(_ fit: FitOptions, at key: String) throws(ExperimentError) {
        try require(
            fit.initialEpoch < fit.epochs, at: key,
            "epochs from \(fit.initialEpoch) to \(fit.epochs) are none: initial_epoch must be less than epochs")
    }
}
