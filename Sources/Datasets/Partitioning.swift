public import Experiments

/// The partitions of an experiment's rows, and what was left out of them.
public struct Division: Sendable {
    /// In order, none of them empty.
    public var partitions: [Partition]
    /// The rows that no partition has, or `nil`.
    public var test: Rows?
    /// What the user should know, a sentence each: groups that are skipped or pooled.
    public var notes: [String]
}

extension Dataset {
    /// The partitions of the experiment's rows, in order, none of them empty.
    ///
    /// Everything random is drawn by `SplitMix64` from the experiment's seed: the repetition r of folds from its stream
    /// 2⁴⁰ + r, the sample k of a bootstrap from its stream 2⁴¹ + k, the sample k without replacement from 4 · 2⁴⁰ + k,
    /// the test set from 5 · 2⁴⁰. What divides the part g of an outer partition has the first value of stream
    /// 6 · 2⁴⁰ + g for its seed. Rows are in ascending order, but in the order of time where folds are.
    ///
    /// - Parameters:
    ///   - devices: How many devices there are, for `{count: devices}`.
    ///   - validation: What trials validate on, where it is not what the experiment says.
    /// - Throws: `ExperimentError` for rows that cannot be divided so.
    public func division(devices: Int, validation: FitOptions.Validation? = nil) throws -> Division {
        var divider = Divider(dataset: self, devices: devices)
        let test = try divider.testSet()
        var partitions: [Partition] = []
        if experiment.partition == .byFile {
            partitions = sources.prefix(trainingSources).enumerated().map { index, source in
                Partition(label: source.label, source: index, training: .all(source.rows))
            }
        } else {
            partitions = try divider.parts(of: test.map { Rows.all(rows).without($0) } ?? .all(rows)).map { part in
                Partition(
                    label: part.label, source: 0, training: part.training,
                    validationSource: part.validation == nil ? nil : 0, validation: part.validation)
            }
        }
        for index in partitions.indices {
            try validate(&partitions[index], on: validation ?? experiment.fit.validation)
            try check(partitions[index])
        }
        return Division(partitions: partitions, test: test, notes: divider.notes)
    }

    /// The partitions alone of ``division(devices:validation:)``.
    public func partitions(devices: Int, validation: FitOptions.Validation? = nil) throws -> [Partition] {
        try division(devices: devices, validation: validation).partitions
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
            let several = ownSources - trainingSources > 1
            let source = trainingSources + (several ? partition.source : 0)
            guard source < ownSources else { return }
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
