extension ExperimentReading {
    /// Reads `{random: COUNT, NAME: DISTRIBUTION, …}`.
    func readRandomSearch(_ entries: [(key: String, value: Field)], seed: UInt64) throws(ExperimentError) -> TrialSpace
    {
        var count = 0
        var axes: [(name: String, distribution: Distribution)] = []
        for (name, field) in entries {
            if name == Self.random {
                count = try field.integer()
                guard (1...Experiment.mostTrials).contains(count) else {
                    throw field.fail(
                        .invalidValue, "a random search has 1 to \(Experiment.mostTrials) trials, found \(count)")
                }
            } else {
                axes.append((name, try readDistribution(field, of: name)))
            }
        }
        return .random(count, axes, seed: seed)
    }

    /// The key that makes a mapping of axes a random search.
    static let random = "random"

    private func readDistribution(_ field: Field, of name: String) throws(ExperimentError) -> Distribution {
        guard case .mapping(let entries) = field.content, entries.first?.key != "range",
            !FitSetting.takesMapping(name)
        else {
            let values = try readAxis(field, of: name)
            if values.isEmpty { throw field.fail(.invalidValue, "has no values") }
            return .choice(values)
        }
        let fields = try field.mapping(accepted: ["log_uniform", "range", "uniform"])
        guard let (kind, bounds) = fields.first, fields.count == 1 else {
            throw field.expected(
                "what to draw from",
                accepted: ["a list", "{range: 20}", "{uniform: [0.1, 0.5]}", "{log_uniform: [1e-4, 1e-1]}"])
        }
        if name == "seed" || FitSetting.isName(name) {
            throw bounds.fail(.invalidValue, "\(name) is no number with a point: give a list or a range to draw from")
        }
        var ends: [Double] = []
        for end in try bounds.list(of: "two numbers") { ends.append(try end.number("a number")) }
        guard ends.count == 2, ends[0] < ends[1], ends.allSatisfy(\.isFinite) else {
            throw bounds.fail(.invalidValue, "must be two numbers, the lesser first, such as [0.1, 0.5]")
        }
        let mustBePositive = kind == "log_uniform" || name == "learning_rate"
        if mustBePositive, ends[0] <= 0 {
            throw bounds.fail(.invalidValue, "must begin above 0, found \(ParameterValue.double(ends[0]))")
        }
        return kind == "uniform" ? .uniform(ends[0], ends[1]) : .logUniform(ends[0], ends[1])
    }
}
