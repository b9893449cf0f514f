import Randomness
import Units

/// The rows of one lane, in the order in which an epoch reads them.
///
/// Unshuffled, that is the order of the partition. Shuffled, epoch e (counted from 0) reads the partition's rows as
/// `SplitMix64(seed: trial's seed, stream: e)` shuffles them (by the batch: as it shuffles one batch after the other,
/// each in itself; by windows: as it shuffles the windows, of which the last may be shorter, and then one after the other in
/// that order, each in itself): an epoch's order depends on nothing before it, so that a trial goes on after an interruption as if
/// there had been none. With `steps_per_epoch`, e is the epoch with which going through the rows began.
struct RowOrder: Sendable {
    /// Row numbers of the source; nil stands for 0..<count.
    private let rows: [Int32]?
    let count: Int

    init(_ range: Unit.RowRange, in file: [Int32]) throws(TrainingError) {
        count = range.count
        guard range.count >= 0 else { throw TrainingError(.invalidUnit, "\(range.count) rows are asked for") }
        guard let start = range.start else {
            rows = nil
            return
        }
        guard start >= 0, range.count <= file.count, start <= file.count - range.count else {
            throw TrainingError(.invalidUnit, "\(range.count) rows from \(start) on are asked for, of \(file.count)")
        }
        rows = Array(file[start..<start + range.count])
    }

    /// The highest row number, for a check against the source; -1 without rows.
    var highest: Int { rows.map { Int($0.max() ?? -1) } ?? count - 1 }

    /// The lowest row number.
    var lowest: Int { rows.map { Int($0.min() ?? 0) } ?? 0 }

    /// The order as stored; nil stands for 0..<count.
    var stored: [Int32]? { rows }

    /// The order of an epoch's training as the settings want it; nil stands for 0..<count.
    func order(of epoch: Int, seed: UInt64, _ fit: Unit.FitSettings) -> [Int32]? {
        switch fit.shuffle {
        case .none: stored
        case .rows: shuffled(seed: seed, epoch: epoch)
        case .batch: shuffled(seed: seed, epoch: epoch, batchSize: fit.batchSize)
        case .windows: shuffled(seed: seed, epoch: epoch, window: fit.shuffleWindow ?? count)
        }
    }

    /// The order of an epoch's training with each batch shuffled in itself.
    func shuffled(seed: UInt64, epoch: Int, batchSize: Int) -> [Int32] {
        var order = rows ?? Array(0..<Int32(count))
        var generator = SplitMix64(seed: seed, stream: UInt64(epoch))
        for first in stride(from: 0, to: order.count, by: batchSize) {
            let places = first..<min(first + batchSize, order.count)
            var batch = Array(order[places])
            generator.shuffle(&batch)
            order.replaceSubrange(places, with: batch)
        }
        return order
    }

    /// The order of an epoch's training in windows of rows that stand together: rows of two windows are never mixed, so that
    /// reading them is reading one stretch of the file after another.
    func shuffled(seed: UInt64, epoch: Int, window: Int) -> [Int32] {
        let window = max(1, window)
        let all = rows ?? Array(0..<Int32(count))
        var generator = SplitMix64(seed: seed, stream: UInt64(epoch))
        var firsts = Array(stride(from: 0, to: all.count, by: window))
        generator.shuffle(&firsts)
        var order: [Int32] = []
        order.reserveCapacity(all.count)
        for first in firsts {
            var rows = Array(all[first..<min(first + window, all.count)])
            generator.shuffle(&rows)
            order += rows
        }
        return order
    }

    /// The order of an epoch's training, drawn from the trial's seed.
    func shuffled(seed: UInt64, epoch: Int) -> [Int32] {
        var order = rows ?? Array(0..<Int32(count))
        var generator = SplitMix64(seed: seed, stream: UInt64(epoch))
        generator.shuffle(&order)
        return order
    }
}
