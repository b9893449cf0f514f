import Randomness

/// Which fold each row is in.
enum Folding {
    /// The stream of a seed that folds are drawn from; those of epochs, which are drawn elsewhere, are small numbers.
    private static let stream: UInt64 = 1 << 40

    /// Rows put in a random order and cut into `count` pieces, the first of them one longer where it does not divide.
    ///
    /// scikit-learn's `KFold(count, shuffle=True)`, with ``SplitMix64`` in place of NumPy's generator.
    static func plain(rows: Int, count: Int, seed: UInt64, repetition: UInt64) -> [Int32] {
        var generator = SplitMix64(seed: seed, stream: stream + repetition)
        var order = Array(0..<rows)
        generator.shuffle(&order)
        var folds = [Int32](repeating: 0, count: rows)
        var start = 0
        for fold in 0..<count {
            let end = start + rows / count + (fold < rows % count ? 1 : 0)
            for row in order[start..<end] { folds[row] = Int32(fold) }
            start = end
        }
        return folds
    }

    /// Folds that each hold as even a share of every class as whole rows allow.
    ///
    /// scikit-learn's `StratifiedKFold(count, shuffle=True)`: were the rows sorted by class and dealt out in turn, each
    /// fold would get a number of rows of each class; the rows of a class are given to the folds in these numbers, at
    /// random. Fold sizes differ by at most one, and so do a class's numbers.
    static func stratified(_ classes: Groups, count: Int, seed: UInt64, repetition: UInt64) -> [Int32] {
        var generator = SplitMix64(seed: seed, stream: stream + repetition)
        let sizes = classes.counts
        var dealt: [[Int32]] = []
        var position = 0
        for size in sizes {
            var folds = (position..<(position + size)).map { Int32($0 % count) }
            generator.shuffle(&folds)
            dealt.append(folds)
            position += size
        }
        var next = [Int](repeating: 0, count: sizes.count)
        return classes.codes.map { code in
            defer { next[Int(code)] += 1 }
            return dealt[Int(code)][next[Int(code)]]
        }
    }

    /// Folds none of which shares a group with another: the groups, the largest first and equal ones in a random order,
    /// each go to the fold that has the fewest rows so far.
    ///
    /// scikit-learn's `GroupKFold(count)`, whose order of equal groups is not random.
    static func grouped(_ groups: Groups, count: Int, seed: UInt64, repetition: UInt64) -> [Int32] {
        var generator = SplitMix64(seed: seed, stream: stream + repetition)
        let sizes = groups.counts
        var order = Array(sizes.indices)
        generator.shuffle(&order)
        var rank = [Int](repeating: 0, count: order.count)
        for (place, group) in order.enumerated() { rank[group] = place }
        order.sort { (-sizes[$0], rank[$0]) < (-sizes[$1], rank[$1]) }
        var rows = [Int](repeating: 0, count: count)
        var folds = [Int32](repeating: 0, count: sizes.count)
        for group in order {
            let lightest = rows.indices.min { (rows[$0], $0) < (rows[$1], $1) } ?? 0
            folds[group] = Int32(lightest)
            rows[lightest] += sizes[group]
        }
        return groups.codes.map { folds[Int($0)] }
    }

    /// `size` of `count` rows drawn without replacement, and the others, both in ascending order.
    static func drawn(
        _ size: Int, of count: Int, seed: UInt64, stream: UInt64
    ) -> (drawn: [Int32], left: [Int32]) {
        var generator = SplitMix64(seed: seed, stream: stream)
        var order = Array(0..<Int32(count))
        generator.shuffle(&order)
        return (order[..<size].sorted(), order[size...].sorted())
    }
}
