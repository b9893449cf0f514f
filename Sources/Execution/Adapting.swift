import Bundles
import Datasets
import Experiments
import FoundationEssentials
import Lowering
import Synchronization

/// Rows that trials train on: those of a partition that are not set aside to validate on.
struct TrainingRows: Hashable, Sendable {
    var partition: Int
    /// How many they are, which is where those begin that are set aside.
    var count: Int
}

/// The moments of the rows that partitions train on, each computed once, whatever trials and programs ask for it.
final class PartitionMoments: Sendable {
    struct Key: Hashable, Sendable {
        var rows: TrainingRows
        /// The number of the array among the inputs of the model.
        var input: Int
        var axes: RowAxes
    }

    private let known = Mutex<[Key: Moments]>([:])

    subscript(key: Key) -> Moments? {
        get { known.withLock { $0[key] } }
        set { known.withLock { $0[key] = newValue } }
    }
}

/// What the adapted layers of a program's trials hold.
struct AdaptedStates: Sendable {
    let layers: [ProgramDescription.AdaptedLayer]
    /// What each of the layers holds, in their order, for trials of these rows.
    let moments: [TrainingRows: [Moments]]
}

extension Run {
    /// Reads the rows that the layers of a group's trials are adapted to, until the run is asked to end.
    ///
    /// - Returns: nil where no layer is adapted.
    func adaptedStates(_ group: ProgramGroup, _ preparation: Preparation) async throws -> AdaptedStates? {
        guard let layers = group.bundle.description.adapted, !layers.isEmpty else { return nil }
        return try await stopSwitch.cancelling { [report] in
            try await preparation.adaptedStates(layers, of: group.trials) { report(.preparing($0)) }
        }
    }
}

extension Preparation {
    /// The rows that a trial trains on, among those of all.
    func trainingRows(of trial: Trial) -> TrainingRows {
        TrainingRows(partition: trial.partition, count: rows(of: trial).training.count)
    }

    fileprivate func adaptedStates(
        _ layers: [ProgramDescription.AdaptedLayer], of trials: [Trial], progress: (String) -> Void
    ) async throws -> AdaptedStates {
        let keys = { (rows: TrainingRows) in layers.map { PartitionMoments.Key(rows: rows, $0) } }
        var partitions: [TrainingRows: Partition] = [:]
        var wanted: [(rows: TrainingRows, moments: WantedMoments)] = []
        for trial in trials {
            let rows = trainingRows(of: trial)
            guard partitions[rows] == nil else { continue }
            let partition = self.rows(of: trial)
            partitions[rows] = partition
            // Layers of one input share the reading, and those of the same axes the moments too.
            let missing = Set(keys(rows).filter { moments[$0] == nil })
            for (input, keys) in Dictionary(grouping: missing, by: \.input).sorted(by: { $0.key < $1.key }) {
                wanted.append((rows, WantedMoments(partition, input: input, axes: keys.map(\.axes))))
            }
        }
        if !wanted.isEmpty { try await read(wanted, progress) }
        var held: [TrainingRows: [Moments]] = [:]
        for rows in partitions.keys { held[rows] = keys(rows).compactMap { moments[$0] } }
        return AdaptedStates(layers: layers, moments: held)
    }

    /// Reads rows, and keeps their moments for whoever asks next.
    private func read(
        _ wanted: [(rows: TrainingRows, moments: WantedMoments)], _ progress: (String) -> Void
    ) async throws {
        let count = Set(wanted.map(\.rows)).count
        let what = "adapting layers to the rows of \(count) \(count == 1 ? "partition" : "partitions")"
        progress(what)
        var told = ContinuousClock().now
        let found = try await dataset.moments(
            of: wanted.map(\.moments), atOnce: 2 * ProcessInfo.processInfo.activeProcessorCount
        ) { share in
            let now = ContinuousClock().now
            if now - told < .seconds(1) { return }
            told = now
            progress("\(what): \(Int(100 * share))% read")
        }
        for ((rows, one), found) in zip(wanted, found) {
            for (axes, moments) in zip(one.axes, found) {
                self.moments[PartitionMoments.Key(rows: rows, input: one.input, axes: axes)] = moments
            }
        }
    }
}

extension PartitionMoments.Key {
    fileprivate init(rows: TrainingRows, _ layer: ProgramDescription.AdaptedLayer) {
        self.init(rows: rows, input: layer.input, axes: RowAxes(shape: layer.shape, kept: layer.axes))
    }
}
