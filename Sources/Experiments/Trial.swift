/// One model on one partition with one set of hyperparameters and one seed: what results are about.
public struct Trial: Sendable, Equatable, Codable {
    /// The trial's number in the experiment, from 0.
    public var index: Int
    /// The number as file names have it: `0042`, as wide as the number of trials and at least four digits.
    public var name: String
    /// What its weights, row order and random layers are drawn from.
    public var seed: UInt64
    /// Its value of every axis, `seed` and `learning_rate` included.
    public var parameters: [String: ParameterValue]
    /// The number of its partition, from 0.
    public var partition: Int
    /// What the partition is called.
    public var partitionLabel: String
    /// The file that it starts from, or `nil`.
    public var start: TrialStart?
    /// How it is fitted: the experiment's options with the trial's own parameters in their place.
    public var fit: FitOptions

    /// A trial.
    public init(
        index: Int, name: String, seed: UInt64, parameters: [String: ParameterValue], partition: Int,
        partitionLabel: String, start: TrialStart? = nil, fit: FitOptions = FitOptions()
    ) {
        self.index = index
        self.name = name
        self.seed = seed
        self.parameters = parameters
        self.partition = partition
        self.partitionLabel = partitionLabel
        self.start = start
        self.fit = fit
    }

    /// The arguments that the build function is called with: all parameters but the settings of `fit` and the file that
    /// it starts from, and but `seed` and `learning_rate`, which reach it only if it takes them.
    public var arguments: [String: ParameterValue] {
        parameters.filter {
            $0.key != "seed" && $0.key != "learning_rate" && $0.key != start?.axis && !FitSetting.isName($0.key)
        }
    }
}

extension Experiment {
    /// The most trials that one experiment may have.
    public static let mostTrials = 1_000_000

    /// Every trial, given what the partitions are called.
    ///
    /// The partition varies slowest, then the file that trials start from, then the first axis of the file; the last axis
    /// varies fastest. A trial without a `seed` of its own has the experiment's.
    public func trials(partitions labels: [String]) throws(ExperimentError) -> [Trial] {
        let starts = try starts(ofPartitions: labels)
        let (combinations, isMany) = (space.count ?? Int.max).multipliedReportingOverflow(by: starts.first?.count ?? 1)
        let (product, isMore) = combinations.multipliedReportingOverflow(by: labels.count)
        let (count, overflow) = (product, isMany || isMore)
        guard !overflow, count <= Self.mostTrials else {
            let number = overflow ? "more than \(Int.max)" : String(count)
            throw error(
                .invalidValue, at: "trials",
                "\(labels.count) partitions × \(combinations) combinations make \(number) trials; an experiment has at most \(Self.mostTrials)"
            )
        }
        let files = startFiles?.files
        let names = Dictionary(zip(files?.paths ?? [], files?.names ?? [])) { first, _ in first }
        let width = max(4, String(count).count)
        var trials: [Trial] = []
        trials.reserveCapacity(count)
        for (partition, label) in labels.enumerated() {
            for (start, combination) in starts[partition].flatMap({ start in
                (0..<(space.count ?? 0)).map { (start, $0) }
            }) {
                var parameters = space.parameters(at: combination)
                if let start, let axis = start.axis { parameters[axis] = .string(names[start.file] ?? start.file) }
                let number = String(trials.count)
                trials.append(
                    Trial(
                        index: trials.count, name: String(repeating: "0", count: width - number.count) + number,
                        seed: parameters["seed"]?.int.flatMap { UInt64(exactly: $0) } ?? seed, parameters: parameters,
                        partition: partition, partitionLabel: label, start: start, fit: fit.with(parameters)))
            }
        }
        return trials
    }
}
