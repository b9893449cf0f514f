import Experiments

/// Means and population variances of the numbers of rows, in C order over the axes of a row that were kept.
public struct Moments: Sendable, Equatable {
    public let mean: [Double]
    public let variance: [Double]
}

/// Which axes of a row have moments of their own.
public struct RowAxes: Sendable, Hashable {
    /// The shape of a row, which may be another than the array's as long as the numbers are as many.
    public var shape: [Int]
    /// The axes, in their order, whose every index has a mean and a variance; all others are taken together.
    public var kept: [Int]

    public init(shape: [Int], kept: [Int]) {
        self.shape = shape
        self.kept = kept
    }

    /// By how many places of the moments two neighbours along each axis are apart; 0 along axes that are taken together.
    var steps: [Int] {
        var steps = [Int](repeating: 0, count: shape.count)
        var step = 1
        for axis in kept.reversed() {
            steps[axis] = step
            step *= shape[axis]
        }
        return steps
    }
}

/// The moments that are wanted of the rows that a partition trains on.
public struct WantedMoments: Sendable {
    public var partition: Partition
    /// The number of the array among the inputs of the model.
    public var input: Int
    /// One reading of the rows gives the moments of all of them.
    public var axes: [RowAxes]

    public init(_ partition: Partition, input: Int, axes: [RowAxes]) {
        self.partition = partition
        self.input = input
        self.axes = axes
    }
}

extension Dataset {
    /// Reads rows that partitions train on and takes their moments, of several partitions or pieces of one beside each other.
    ///
    /// What comes of it depends on the rows alone: rows are cut into pieces by their number and width, and pieces are joined
    /// in their order.
    ///
    /// - Parameters:
    ///   - atOnce: how many pieces are worked on at once, at most; fewer where rows are so wide that it would take more than
    ///     256 MiB.
    ///   - progress: called after each piece with the share of all numbers that are read.
    /// - Returns: for each that is wanted the moments of its axes.
    /// - Throws: `ExperimentError` where an array cannot be read, `CancellationError` within a piece of being cancelled.
    public func moments(
        of wanted: [WantedMoments], atOnce: Int, progress: (Double) -> Void = { _ in }
    ) async throws -> [[Moments]] {
        try await moments(of: wanted, atOnce: atOnce, pieceNumbers: 1 << 22, progress: progress)
    }

    /// - Parameter pieceNumbers: how many numbers a piece has at most, if these are ``leastRows`` rows.
    func moments(
        of wanted: [WantedMoments], atOnce: Int, pieceNumbers: Int, progress: (Double) -> Void = { _ in }
    ) async throws -> [[Moments]] {
        var pieces: [Piece] = []
        var numbers = 0
        var widest = 1
        for (index, one) in wanted.enumerated() {
            let count = one.partition.training.count
            guard count > 0 else {
                throw experiment.error(
                    at: "partition", "the partition '\(one.partition.label)' has no rows to train on")
            }
            let width = self.width(of: one)
            let size = max(Self.leastRows, pieceNumbers / width)
            for start in stride(from: 0, to: count, by: size) {
                pieces.append(Piece(index: index, positions: start..<min(start + size, count), of: count))
            }
            numbers += count * width
            widest = max(widest, width)
        }
        var found: [[Moments]] = []
        var joined: RowStatistics?
        var read = 0
        try await inOrder(pieces, atOnce: min(atOnce, (256 << 20) / (16 * widest))) { piece in
            try Task.checkCancellation()
            let one = wanted[piece.index]
            let statistics = try self.statistics(ofInput: one.input, in: one.partition, at: piece.positions)
            return piece.isWhole ? .whole(one.axes.map(statistics.reduced)) : Reading.part(statistics)
        } take: { piece, reading in
            switch reading {
            case .whole(let moments): found.append(moments)
            case .part(let statistics):
                if joined == nil { joined = statistics } else { joined?.add(statistics) }
                if piece.isLast, let all = joined {
                    found.append(wanted[piece.index].axes.map(all.reduced))
                    joined = nil
                }
            }
            read += piece.positions.count * width(of: wanted[piece.index])
            progress(Double(read) / Double(numbers))
        }
        return found
    }

    /// Joining pieces costs as much as reading a row.
    private static let leastRows = 16

    /// How many numbers a row has.
    private func width(of wanted: WantedMoments) -> Int {
        let inputs = sources[wanted.partition.source].arrays.filter { $0.role == .x }
        return max(1, inputs[wanted.input].rowShape.reduce(1, *))
    }

    /// Rows of a partition that are read in one go.
    private struct Piece: Sendable {
        /// The partition's place among what is wanted.
        var index: Int
        var positions: Range<Int>
        var isLast: Bool
        /// Whether the partition has no other rows.
        var isWhole: Bool

        init(index: Int, positions: Range<Int>, of count: Int) {
            self.index = index
            self.positions = positions
            isLast = positions.upperBound == count
            isWhole = positions.count == count
        }
    }

    /// What comes of a piece.
    private enum Reading: Sendable {
        /// It was the whole partition, and its sums are not needed any more.
        case whole([Moments])
        case part(RowStatistics)
    }
}
