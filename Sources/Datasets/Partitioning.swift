public import Experiments
import Randomness

extension Dataset {
    /// The partitions of the experiment's rows, in order, none of them empty.
    ///
    /// Everything random is drawn by `SplitMix64` from the experiment's seed: folds from its stream 2⁴⁰, the sample k of a
    /// bootstrap from its stream 2⁴¹ + k. Rows are in ascending order.
    ///
    /// - Parameters:
    ///   - devices: How many devices there are, for `{count: devices}`.
    ///   - validation: What trials validate on, where it is not what the experiment says.
    /// - Throws: `ExperimentError` for rows that cannot be divided so.
    public func partitions(devices: Int, validation: FitOptions.Validation? = nil) throws -> [Partition] {
        var partitions = try divided(devices: devices)
        for index in partitions.indices {
            try validate(&partitions[index], on: validation ?? experiment.fit.validation)
            try check(partitions[index])
        }
        return partitions
    }

    private func divided(devices: Int) throws -> [Partition] {
        switch experiment.partition.resolved(devices: devices) {
        case .none: return [Partition(label: "all", source: 0, training: .all(rows))]
        case .byFile:
            return sources.prefix(trainingSources).enumerated().map { index, source in
                Partition(label: source.label, source: index, training: .all(source.rows))
            }
        case .count(.number(let number)):
            guard number <= rows else {
                throw experiment.error(
                    .invalidValue, at: "partition.count",
                    "\(rows) rows make no \(number) partitions: part-\(rows) would have no rows")
            }
            return shares((0..<number).map { rows / number + ($0 < rows % number ? 1 : 0) })
        case .count(.sizes(let sizes)):
            let sum = sizes.reduce(0) { $0.addingReportingOverflow($1).partialValue }
            guard sum == rows else {
                throw experiment.error(
                    .invalidValue, at: "partition.count",
                    "the sizes add up to \(sum), but \(inputs[0].origin) has \(rows) rows")
            }
            return shares(sizes)
        case .count(.devices): return shares([rows])
        case .by(let column):
            let groups = try groups(of: column, at: "partition.by")
            var members = groups.counts.map { count in
                var rows: [Int32] = []
                rows.reserveCapacity(count)
                return rows
            }
            for (row, code) in groups.codes.enumerated() { members[Int(code)].append(Int32(row)) }
            return zip(groups.labels, members).map { Partition(label: $0, source: 0, training: .indices($1)) }
        case .folds(let folds): return try crossValidation(folds)
        case .bootstrap(let count): return try bootstrap(count)
        }
    }

    private func shares(_ sizes: [Int]) -> [Partition] {
        var start = 0
        return sizes.enumerated().map { index, size in
            defer { start += size }
            return Partition(label: "part-\(index)", source: 0, training: .range(start..<(start + size)))
        }
    }

    private func crossValidation(_ folds: PartitionScheme.Folds) throws -> [Partition] {
        let count = folds.count
        guard count <= rows else {
            throw experiment.error(
                .invalidValue, at: "partition.folds",
                "\(rows) rows make no \(count) folds: fold-\(rows) would have no rows")
        }
        let assigned: [Int32]
        if let column = folds.stratify {
            let classes = try groups(of: column, at: "partition.stratify")
            let largest = classes.counts.max() ?? 0
            guard largest >= count else {
                throw experiment.error(
                    .invalidValue, at: "partition.stratify",
                    "no value of '\(column)' is in \(count) rows or more, so that the folds cannot share it: leave out stratify, or stratify by classes"
                )
            }
            assigned = Folding.stratified(classes, count: count, seed: experiment.seed)
        } else {
            assigned = Folding.plain(rows: rows, count: count, seed: experiment.seed)
        }
        return (0..<Int32(count)).map { fold in
            var training: [Int32] = []
            var held: [Int32] = []
            for (row, other) in assigned.enumerated() {
                if other == fold { held.append(Int32(row)) } else { training.append(Int32(row)) }
            }
            return Partition(
                label: "fold-\(fold)", source: 0, training: .indices(training), validationSource: 0,
                validation: .indices(held))
        }
    }

    private func bootstrap(_ count: Int) throws -> [Partition] {
        try (0..<count).map { sample in
            var generator = SplitMix64(seed: experiment.seed, stream: (2 << 40) + UInt64(sample))
            var times = [Int](repeating: 0, count: rows)
            for _ in 0..<rows { times[Int(generator.below(UInt64(rows)))] += 1 }
            var drawn: [Int32] = []
            var left: [Int32] = []
            for (row, times) in times.enumerated() {
                if times == 0 { left.append(Int32(row)) }
                drawn.append(contentsOf: repeatElement(Int32(row), count: times))
            }
            if left.isEmpty {
                throw experiment.error(
                    at: "partition.bootstrap",
                    "sample-\(sample) drew every one of the \(rows) rows, so that none is left to validate on")
            }
            return Partition(
                label: "sample-\(sample)", source: 0, training: .indices(drawn), validationSource: 0,
                validation: .indices(left))
        }
    }

    /// Adds what `fit.validation` asks for, where the partitions hold no rows out themselves.
    private func validate(_ partition: inout Partition, on validation: FitOptions.Validation) throws {
        guard partition.validation == nil else { return }
        switch validation {
        case .automatic: break
        case .share(let share):
            // Keras's train_validation_split, which refuses an empty side too.
            let rows = partition.training.count
            let position = Int((Double(rows) * (1 - share)).rounded(.down))
            guard position > 0, position < rows else {
                throw experiment.error(
                    .invalidValue, at: experiment.validationKey,
                    "the partition '\(partition.label)' has \(rows) \(rows == 1 ? "row" : "rows"), too few to set aside a share of \(share)"
                )
            }
            let (training, validation) = partition.training.split(at: position)
            partition.training = training
            partition.validationSource = partition.source
            partition.validation = validation
        case .data:
            let several = sources.count - trainingSources > 1
            let source = trainingSources + (several ? partition.source : 0)
            guard source < sources.count else { return }
            partition.validationSource = source
            partition.validation = .all(sources[source].rows)
        }
    }

    private func check(_ partition: Partition) throws {
        guard partition.training.count > 0 else {
            throw experiment.error(at: "partition", "the partition '\(partition.label)' has no rows")
        }
        let inside =
            partition.training.isInside(sources[partition.source].rows)
            && (partition.validation?.isInside(sources[partition.validationSource ?? partition.source].rows) ?? true)
        guard inside else {
            throw experiment.error(
                at: "partition", "the partition '\(partition.label)' names rows that \(inputs[0].origin) does not have")
        }
    }
}
