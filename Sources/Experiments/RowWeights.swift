extension FitOptions {
    /// What the rows that a trial trains on weigh.
    public enum RowWeights: Sendable, Hashable {
        /// The numbers of a column.
        case column(String)
        /// Each what its class does, by the class's number; others 1.
        case classes([Int: Double])
    }

    /// The trial's weights of rows, where it has other than those of its data.
    public var rowWeights: RowWeights? { sampleWeight.map { .column($0) } ?? classWeight.map { .classes($0) } }
}

extension Experiment {
    /// The weights of rows that trials choose between, each with a key that gives it; none where the data alone says
    /// what its rows weigh.
    public var rowWeights: [(weights: FitOptions.RowWeights, key: String)] {
        var found: [(weights: FitOptions.RowWeights, key: String)] = []
        func note(_ weights: FitOptions.RowWeights?, _ key: String) {
            guard let weights, !found.contains(where: { $0.weights == weights }) else { return }
            found.append((weights, key))
        }
        note(fit.classWeight.map { .classes($0) }, "fit.class_weight")
        let settings = [FitSetting.classWeight, .sampleWeight].flatMap { setting in
            places(of: setting).map { (setting, $0) }
        }
        if settings.contains(where: { $0.0 == .sampleWeight }) {
            note(fit.sampleWeight.map { .column($0) }, "fit.sample_weight")
        }
        for (setting, place) in settings {
            note(FitOptions().with([setting.rawValue: place.value]).rowWeights, place.key)
        }
        return found
    }

    /// Whether trials differ in the column that weighs their rows.
    public var choosesColumnOfWeights: Bool { !places(of: .sampleWeight).isEmpty }

    /// Checks the columns that weigh rows, and the weights of classes: those are of one target's, and the only weights of
    /// the rows that are trained on, as `keras.src.trainers.data_adapters.ArrayDataAdapter` has it.
    func validateRowWeights() throws(ExperimentError) {
        var columns = places(of: .sampleWeight)
        if let column = fit.sampleWeight { columns.insert(("fit.sample_weight", .string(column)), at: 0) }
        for case (let key, .string(let column)) in columns {
            if data.sampleWeight != nil {
                throw error(.conflict, at: key, "the weights are given as data.sample_weight already")
            }
            try requireColumn(column, at: key)
        }
        var classes = places(of: .classWeight)
        if fit.classWeight != nil { classes.insert(("fit.class_weight", .mapping([:])), at: 0) }
        guard let key = classes.first(where: { $0.value != .null })?.key else { return }
        if data.sampleWeight != nil {
            throw error(
                .conflict, at: key, "the rows are weighed by data.sample_weight already: give one of the two")
        }
        if weighsTwice {
            throw error(.conflict, at: key, "the rows are weighed by sample_weight already: give one of the two")
        }
        if !data.awaitsArrays, data.y.map(\.name) != ["y"] {
            throw error(
                .conflict, at: key,
                "classes are those of one target, given as data.y itself and not as a mapping; found \(data.y.isEmpty ? "none" : data.y.map(\.name).joined(separator: ", "))"
            )
        }
    }

    /// Whether any trial has both weights of classes and a column of weights.
    private var weighsTwice: Bool {
        switch space {
        case .list(let trials):
            return trials.contains { parameters in
                let own = fit.with(parameters)
                return own.classWeight != nil && own.sampleWeight != nil
            }
        case .product:
            // Every value of one axis meets every value of the other.
            func isGiven(_ setting: FitSetting, _ otherwise: Bool) -> Bool {
                let places = places(of: setting)
                return places.isEmpty ? otherwise : places.contains { $0.value != .null }
            }
            return isGiven(.classWeight, fit.classWeight != nil) && isGiven(.sampleWeight, fit.sampleWeight != nil)
        }
    }
}
