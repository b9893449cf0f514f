extension Experiment {
    func validatePartition() throws(ExperimentError) {
        try validateScheme(partition, at: "partition")
        if let within {
            switch partition {
            case .count, .by: break
            default:
                throw error(
                    .conflict, at: "partition.within",
                    "only the parts of 'by' and 'count' are divided again")
            }
            switch within {
            case .rows, .byFile, .none, .count(.devices), .count(.sizes):
                throw error(
                    .conflict, at: "partition.within",
                    "a part can be divided again by count, by, folds, bootstrap and subsample")
            default: try validateScheme(within, at: "partition.within")
            }
        }
        guard let testSet else { return }
        if partition == .byFile {
            throw error(
                .conflict, at: "partition.test", "no rows of files of their own are set aside: leave the files out")
        }
        switch testSet {
        case .share(let share), .last(let share):
            try require(
                share > 0 && share < 1, at: "partition.test",
                "a share of the rows lies between 0 and 1, both excluded; found \(share)")
        case .rows: break
        }
    }

    private func validateScheme(_ scheme: PartitionScheme, at key: String) throws(ExperimentError) {
        for (name, column) in scheme.columns { try requireColumn(column, at: "\(key).\(name)") }
        switch scheme {
        case .none, .byFile, .count(.devices), .rows: break
        case .count(.number(let number)), .count(.strided(let number)):
            try require(number >= 1, at: "\(key).count", "must be at least 1, found \(number)")
        case .count(.sizes(let sizes)):
            try require(!sizes.isEmpty, at: "\(key).count", "lists no sizes")
            for (index, size) in sizes.enumerated() {
                try require(
                    size >= 1, at: "\(key).count[\(index)]", "a partition has at least 1 row, found \(size)")
            }
        case .by(_, let small):
            if let small {
                try require(
                    small.leastRows >= 1, at: "\(key).min_rows", "must be at least 1, found \(small.leastRows)")
            }
        case .folds(let folds): try validateFolds(folds, at: key)
        case .bootstrap(let count):
            try require(count >= 1, at: "\(key).bootstrap", "must be at least 1, found \(count)")
        case .subsample(let samples):
            try require(samples.count >= 1, at: "\(key).subsample", "must be at least 1, found \(samples.count)")
            try require(
                samples.share > 0 && samples.share < 1, at: "\(key).share",
                "a share of the rows lies between 0 and 1, both excluded; found \(samples.share)")
        }
    }

    private func validateFolds(_ folds: PartitionScheme.Folds, at key: String) throws(ExperimentError) {
        try require(folds.count >= 2, at: "\(key).folds", "must be at least 2, found \(folds.count)")
        let kinds = [("stratify", folds.stratify), ("groups", folds.groups), ("time", folds.time)].filter {
            $0.1 != nil
        }
        if kinds.count > 1 {
            throw error(.conflict, at: "\(key).\(kinds[1].0)", "excludes '\(kinds[0].0)': one of them")
        }
        guard let repeats = folds.repeats else { return }
        try require(repeats >= 1, at: "\(key).repeats", "must be at least 1, found \(repeats)")
        if folds.time != nil {
            throw error(.conflict, at: "\(key).repeats", "folds in the order of time are the same each time")
        }
    }

    /// The columns that the experiment names elsewhere than under `data`, in order.
    public var columnsUsed: [String] {
        var names = (partition.columns + (within?.columns ?? [])).map(\.column)
        names += fit.sampleWeight.map { [$0] } ?? []
        for (_, value) in places(of: .sampleWeight) {
            if case .string(let name) = value { names.append(name) }
        }
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    /// The columns that partitions are made by, with the keys that name them.
    public var partitionColumns: [(key: String, column: String)] {
        partition.columns.map { ("partition.\($0.key)", $0.column) }
            + (within?.columns ?? []).map { ("partition.within.\($0.key)", $0.column) }
    }

    /// Whether partitions say themselves which rows validate.
    public var holdsOutRows: Bool { partition.holdsOutRows || within?.holdsOutRows ?? false }
}
