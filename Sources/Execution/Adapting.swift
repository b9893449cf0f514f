import Bundles
import Datasets
import Experiments
import Files
import Lowering
import Synchronization
import SystemPackage
import TensorFiles
import Units

/// The statistics of the rows that partitions train on, each computed once, whatever trials and programs ask for it.
final class PartitionStatistics: Sendable {
    struct Key: Hashable {
        var partition: Int
        /// Where the rows that are set aside to validate on begin.
        var trainingRows: Int
        /// The number of the array among the inputs of the model.
        var input: Int
    }

    private let known = Mutex<[Key: RowStatistics]>([:])

    subscript(key: Key) -> RowStatistics? {
        get { known.withLock { $0[key] } }
        set { known.withLock { $0[key] = newValue } }
    }
}

/// What the adapted layers of a program's trials hold.
struct AdaptedStates: Sendable {
    let layers: [ProgramDescription.AdaptedLayer]
    fileprivate let state: [ProgramDescription.Leaf]
    fileprivate let statistics: PartitionStatistics

    /// Writes the leaves of the layers for some trials' rows, in their order.
    func write(_ keys: [PartitionStatistics.Key], to path: FilePath) throws {
        var leaves: [Int: [UInt8]] = [:]
        for key in keys {
            for layer in layers {
                var key = key
                key.input = layer.input
                guard let known = statistics[key] else {
                    throw RunError(.machine, "the rows that '\(layer.layer)' is adapted to were not read")
                }
                let (mean, variance) = known.reduced(shape: layer.shape, keeping: layer.axes)
                for (leaf, values) in [(layer.mean, mean), (layer.variance, variance)] {
                    for value in values {
                        guard let bytes = state[leaf].bytes(of: value) else {
                            throw RunError(.machine, "\(state[leaf].path) holds \(state[leaf].dtype), no statistics")
                        }
                        leaves[leaf, default: []] += bytes
                    }
                }
            }
        }
        let order = leaves.keys.sorted()
        let all = order.flatMap { leaves[$0] ?? [] }
        try all.withUnsafeBytes { bytes in
            var end = 0
            try Safetensors.write(
                order.map { leaf in
                    let range = end..<(end + (leaves[leaf]?.count ?? 0))
                    end = range.upperBound
                    return (
                        StateTensor.name(leaf: leaf), DType(rawValue: state[leaf].dtype) ?? .float32,
                        [keys.count] + state[leaf].shape, UnsafeRawBufferPointer(rebasing: bytes[range])
                    )
                }, to: path)
        }
    }
}

extension Preparation {
    /// Reads the rows that the layers of a group's trials are adapted to; nil where none is adapted.
    func adaptedStates(_ group: ProgramGroup) async throws -> AdaptedStates? {
        let description = group.bundle.description
        guard let layers = description.adapted, !layers.isEmpty else { return nil }
        var wanted: [PartitionStatistics.Key: Partition] = [:]
        for trial in group.trials {
            for layer in layers {
                let key = statisticsKey(of: trial, input: layer.input)
                if wanted[key] == nil, statistics[key] == nil { wanted[key] = rows(of: trial) }
            }
        }
        try await withThrowingTaskGroup(
            of: (PartitionStatistics.Key, RowStatistics).self
        ) { [dataset, statistics] tasks in
            for (key, partition) in wanted {
                tasks.addTask { (key, try await dataset.statistics(ofInput: key.input, in: partition)) }
            }
            for try await (key, found) in tasks { statistics[key] = found }
        }
        return AdaptedStates(layers: layers, state: description.state, statistics: statistics)
    }

    /// What the statistics of a trial's rows are kept under.
    func statisticsKey(of trial: Trial, input: Int = 0) -> PartitionStatistics.Key {
        PartitionStatistics.Key(
            partition: trial.partition, trainingRows: rows(of: trial).training.count, input: input)
    }
}

extension Dataset {
    /// The statistics of all rows that a partition trains on, piece by piece.
    fileprivate func statistics(ofInput input: Int, in partition: Partition) async throws -> RowStatistics {
        let count = partition.training.count
        // Pieces that depend on the rows alone: whatever cores there are, the sums are the same.
        let size = max(1 << 16, count / 256 + 1)
        let starts = Array(stride(from: 0, to: count, by: size))
        let pieces = try await withThrowingTaskGroup(of: (Int, RowStatistics).self) { tasks in
            for start in starts {
                tasks.addTask {
                    try Task.checkCancellation()
                    let positions = start..<min(start + size, count)
                    return (start, try self.statistics(ofInput: input, in: partition, at: positions))
                }
            }
            return try await tasks.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        // In the order of the rows, so that the sums are the same every time.
        var all: RowStatistics?
        for start in starts {
            guard let piece = pieces[start] else { continue }
            if all == nil { all = piece } else { all?.add(piece) }
        }
        guard let all else { throw RunError(.machine, "the partition '\(partition.label)' has no rows") }
        return all
    }
}
