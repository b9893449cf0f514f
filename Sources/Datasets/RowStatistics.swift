import Experiments
import Files
import TensorFiles

/// The mean and the variance of every number of a row over many rows, in double precision: 16 bytes a number of a row.
struct RowStatistics: Sendable, Equatable {
    /// How many rows were seen.
    private(set) var rows = 0
    /// The mean of each number of a row.
    private var means: [Double]
    /// The sum of the squares of each number's distances from its mean.
    private var squares: [Double]

    init(width: Int) {
        means = [Double](repeating: 0, count: width)
        squares = means
    }

    /// Takes rows of an array, by Welford's algorithm, which loses nothing where a mean is large beside its deviation.
    mutating func add(_ numbers: some Collection<Int32>, of array: MappedArray) {
        array.withBytes { bytes in
            switch array.dtype {
            case .bool, .uint8: add(numbers, bytes, UInt8.self) { Double($0) }
            case .int8: add(numbers, bytes, Int8.self) { Double($0) }
            case .int16: add(numbers, bytes, Int16.self) { Double($0) }
            case .uint16: add(numbers, bytes, UInt16.self) { Double($0) }
            case .int32: add(numbers, bytes, Int32.self) { Double($0) }
            case .uint32: add(numbers, bytes, UInt32.self) { Double($0) }
            case .int64: add(numbers, bytes, Int64.self) { Double($0) }
            case .uint64: add(numbers, bytes, UInt64.self) { Double($0) }
            case .float16: add(numbers, bytes, UInt16.self) { Double(Float16(bitPattern: $0)) }
            case .bfloat16: add(numbers, bytes, UInt16.self) { Double(Float(bitPattern: UInt32($0) << 16)) }
            case .float32: add(numbers, bytes, Float.self) { Double($0) }
            case .float64: add(numbers, bytes, Double.self) { $0 }
            }
        }
    }

    private mutating func add<Element: BitwiseCopyable>(
        _ numbers: some Collection<Int32>, _ bytes: UnsafeRawBufferPointer, _ type: Element.Type,
        _ value: (Element) -> Double
    ) {
        let width = means.count
        let size = MemoryLayout<Element>.size
        means.withUnsafeMutableBufferPointer { means in
            squares.withUnsafeMutableBufferPointer { squares in
                for number in numbers {
                    rows += 1
                    let share = 1 / Double(rows)
                    let start = Int(number) * width * size
                    for place in 0..<width {
                        let element = value(
                            bytes.loadUnaligned(fromByteOffset: start + place * size, as: Element.self))
                        let distance = element - means[place]
                        means[place] += distance * share
                        squares[place] += distance * (element - means[place])
                    }
                }
            }
        }
    }

    /// Takes the rows that other statistics are of.
    mutating func add(_ other: RowStatistics) {
        let (own, others) = (Double(rows), Double(other.rows))
        guard other.rows > 0 else { return }
        for place in means.indices {
            Self.join(
                &means[place], &squares[place], of: own, with: other.means[place], other.squares[place], of: others)
        }
        rows += other.rows
    }

    /// The mean and the population variance over rows and over all axes of a row but some.
    func reduced(_ axes: RowAxes) -> Moments {
        let count = axes.kept.reduce(1) { $0 * axes.shape[$1] }
        var (mean, square) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
        var taken = [Int](repeating: 0, count: count)
        let steps = axes.steps
        for place in means.indices {
            var (rest, target) = (place, 0)
            for axis in axes.shape.indices.reversed() {
                let (quotient, index) = rest.quotientAndRemainder(dividingBy: axes.shape[axis])
                rest = quotient
                target += index * steps[axis]
            }
            Self.join(
                &mean[target], &square[target], of: Double(taken[target]), with: means[place], squares[place],
                of: Double(rows))
            taken[target] += rows
        }
        return Moments(mean: mean, variance: zip(square, taken).map { $1 > 0 ? $0 / Double($1) : 0 })
    }

    /// Joins the mean and the squared distances of some numbers with those of others (Chan, Golub, LeVeque, 1979).
    private static func join(
        _ mean: inout Double, _ square: inout Double, of count: Double, with otherMean: Double, _ otherSquare: Double,
        of others: Double
    ) {
        let distance = otherMean - mean
        let all = count + others
        mean += distance * (others / all)
        square += otherSquare + distance * distance * (count / all * others)
    }
}

extension Dataset {
    /// The statistics of some of the rows that a partition trains on.
    ///
    /// - Parameters:
    ///   - input: the number of the array among the inputs of the model.
    ///   - positions: positions among the partition's rows.
    func statistics(
        ofInput input: Int, in partition: Partition, at positions: Range<Int>
    ) throws -> RowStatistics {
        let inputs = sources[partition.source].arrays.filter { $0.role == .x }
        let array = inputs[input]
        var statistics = RowStatistics(width: array.rowShape.reduce(1, *))
        do {
            let mapped = try MappedArray(
                MappedFile(array.file), offset: array.offset, dtype: array.dtype, shape: array.shape)
            switch partition.training {
            case .all: statistics.add(positions.lazy.map { Int32($0) }, of: mapped)
            case .range(let range):
                statistics.add(positions.lazy.map { Int32(range.lowerBound + $0) }, of: mapped)
            case .indices(let indices): statistics.add(indices[positions], of: mapped)
            }
        } catch {
            throw experiment.error(at: "data", "\(array.origin) cannot be read: \(error)")
        }
        return statistics
    }
}
