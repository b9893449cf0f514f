import Experiments
import TensorFiles
import Testing

@testable import Datasets

/// The statistics of all rows of an opened `x.npy`.
private func statistics(_ dataset: Dataset, _ rows: Rows? = nil, at positions: Range<Int>? = nil) throws
    -> RowStatistics
{
    let rows = rows ?? .all(dataset.rows)
    return try dataset.statistics(
        ofInput: 0, in: Partition(label: "a", source: 0, training: rows), at: positions ?? 0..<rows.count)
}

@Suite struct RowStatisticsTests {
    @Test("Each column has its mean and its population variance, of the rows asked for alone")
    func columns() throws {
        let place = try Workplace()
        try place.save("x.npy", .float32, [4, 2], [1, 10, 3, 10, 5, 40, 100, 100] as [Float])
        let dataset = try place.open()
        let own = try statistics(dataset, .range(0..<3)).reduced(RowAxes(shape: [2], kept: [0]))
        #expect(own.mean == [3, 20] && own.variance == [8.0 / 3, 200])
        // A row that was drawn twice counts twice.
        let drawn = try statistics(dataset, .indices([3, 0, 3])).reduced(RowAxes(shape: [2], kept: [0]))
        #expect(drawn.mean == [67, 70])
    }

    @Test("Axes that are not kept are taken together, of bytes as of other numbers")
    func axes() throws {
        let place = try Workplace()
        try place.save("x.npy", .uint8, [2, 2, 3], (0..<12).map { UInt8($0 * $0) })
        let dataset = try place.open()
        let all = try statistics(dataset)
        let numbers = (0..<12).map { Double($0 * $0) }
        func expected(_ places: [Int]) -> (Double, Double) {
            let mean = places.reduce(0) { $0 + numbers[$1] } / Double(places.count)
            return (mean, places.reduce(0) { $0 + (numbers[$1] - mean) * (numbers[$1] - mean) } / Double(places.count))
        }
        for (axes, groups) in [
            ([], [Array(0..<12)]), ([0], [[0, 1, 2, 6, 7, 8], [3, 4, 5, 9, 10, 11]]),
            ([1], [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]]),
            ([0, 1], (0..<6).map { [$0, $0 + 6] }),
        ] as [([Int], [[Int]])] {
            let found = all.reduced(RowAxes(shape: [2, 3], kept: axes))
            #expect(found.mean.count == groups.count)
            for (index, group) in groups.enumerated() {
                let (middle, spread) = expected(group)
                #expect(abs(found.mean[index] - middle) < 1e-9 && abs(found.variance[index] - spread) < 1e-9)
            }
        }
    }

    @Test("A small deviation around a large mean is not lost, in one piece or in several")
    func largeMeans() throws {
        let place = try Workplace()
        // float32 around 2^20 holds eighths; the first row lies far from all others.
        let values: [Float] = [-9e9] + (0..<999).map { Float(1 << 20) + Float($0 % 5) / 8 }
        try place.save("x.npy", .float32, [1000, 1], values)
        let dataset = try place.open()
        let own = try statistics(dataset, .range(1..<1000)).reduced(RowAxes(shape: [1], kept: [0]))
        let rest = values.dropFirst().map(Double.init)
        let middle = rest.reduce(0, +) / 999
        let spread = rest.reduce(0) { $0 + ($1 - middle) * ($1 - middle) } / 999
        #expect(abs(own.mean[0] - middle) < 1e-9 && abs(own.variance[0] / spread - 1) < 1e-9)
        var pieces = try statistics(dataset, at: 0..<1)
        for start in stride(from: 1, to: 1000, by: 250) {
            pieces.add(try statistics(dataset, at: start..<min(start + 250, 1000)))
        }
        let whole = try statistics(dataset).reduced(RowAxes(shape: [1], kept: []))
        let joined = pieces.reduced(RowAxes(shape: [1], kept: []))
        #expect(pieces.rows == 1000)
        #expect(
            abs(joined.mean[0] / whole.mean[0] - 1) < 1e-12 && abs(joined.variance[0] / whole.variance[0] - 1) < 1e-12)
    }
}
