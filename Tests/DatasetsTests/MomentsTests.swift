import Experiments
import Synchronization
import TensorFiles
import Testing

@testable import Datasets

@Suite struct MomentsTests {
    /// Groups of unlike sizes, rows out of order, of 3 × 4 numbers whose means and deviations lie far apart.
    private func groups() throws -> (dataset: Dataset, wanted: [WantedMoments], place: Workplace) {
        let place = try Workplace()
        var state: UInt64 = 7
        let values = (0..<(900 * 12)).map { index in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) * Float(1 + index % 12) / 1e5 + Float(index % 5) * 1000
        }
        try place.save("x.npy", .float32, [900, 3, 4], values)
        let rows: [Rows] = [
            .range(0..<5), .indices((5..<700).map { Int32(($0 * 77) % 900) }), .range(700..<716), .all(900),
            .indices([3]),
        ]
        let axes = [
            RowAxes(shape: [3, 4], kept: [1]), RowAxes(shape: [12], kept: [0]), RowAxes(shape: [3, 4], kept: []),
        ]
        let wanted = rows.enumerated().map { index, rows in
            WantedMoments(Partition(label: "\(index)", source: 0, training: rows), input: 0, axes: axes)
        }
        return (try place.open(), wanted, place)
    }

    @Test("However many pieces are worked on at once, the moments are the same bit for bit")
    func order() async throws {
        let (dataset, wanted, place) = try groups()
        defer { withExtendedLifetime(place) {} }
        // Pieces of 16 rows: up to 57 a partition.
        let first = try await dataset.moments(of: wanted, atOnce: 1, pieceNumbers: 1)
        #expect(first.map(\.count) == [3, 3, 3, 3, 3] && first[3][1].mean.count == 12)
        for atOnce in [2, 3, 16, 1000] {
            let found = try await dataset.moments(of: wanted, atOnce: atOnce, pieceNumbers: 1)
            #expect(found == first, "\(atOnce)")
        }
        // Several axes of one reading are those of a reading each.
        for index in 0..<3 {
            let alone = wanted.map { WantedMoments($0.partition, input: 0, axes: [$0.axes[index]]) }
            let found = try await dataset.moments(of: alone, atOnce: 4, pieceNumbers: 1)
            #expect(found.map { $0[0] } == first.map { $0[index] })
        }
    }

    @Test("Pieces together are the rows as a whole, each partition its own")
    func pieces() async throws {
        let (dataset, wanted, place) = try groups()
        defer { withExtendedLifetime(place) {} }
        var shares: [Double] = []
        let found = try await dataset.moments(of: wanted, atOnce: 3, pieceNumbers: 1) { shares.append($0) }
        // 1, 44, 1, 57 and 1 pieces.
        #expect(shares.count == 104 && shares == shares.sorted() && shares.last == 1)
        for (one, found) in zip(wanted, found) {
            let whole = try dataset.statistics(ofInput: 0, in: one.partition, at: 0..<one.partition.training.count)
            for (axes, found) in zip(one.axes, found) {
                let expected = whole.reduced(axes)
                for (found, expected) in zip(found.mean + found.variance, expected.mean + expected.variance) {
                    #expect(abs(found - expected) <= 1e-11 * abs(expected))
                }
            }
        }
        #expect(found[0] != found[3] && found[4][1].variance == [Double](repeating: 0, count: 12))
    }

    @Test("A partition without rows is an error that names it")
    func empty() async throws {
        let (dataset, _, place) = try groups()
        defer { withExtendedLifetime(place) {} }
        let wanted = WantedMoments(Partition(label: "none", source: 0, training: .indices([])), input: 0, axes: [])
        await #expect {
            _ = try await dataset.moments(of: [wanted], atOnce: 2)
        } throws: {
            "\($0)".contains("the partition 'none' has no rows")
        }
    }

    @Test("Being cancelled ends the reading within a piece")
    func cancellation() async throws {
        let (dataset, wanted, place) = try groups()
        defer { withExtendedLifetime(place) {} }
        let reads = Mutex(0)
        let task = Task {
            try await dataset.moments(of: wanted, atOnce: 2, pieceNumbers: 1) { _ in
                reads.withLock { $0 += 1 }
                withUnsafeCurrentTask { $0?.cancel() }
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        // At most those that were begun before the first was taken.
        #expect(reads.withLock { $0 } <= 3)
    }

    @Test("No more work is begun than may wait to be taken, and it is taken in order", arguments: [1, 2, 5])
    func window(atOnce: Int) async throws {
        let counts = Mutex((begun: 0, taken: 0, most: 0))
        var order: [Int] = []
        try await inOrder(Array(0..<40), atOnce: atOnce) { number in
            counts.withLock {
                $0.begun += 1
                $0.most = max($0.most, $0.begun - $0.taken)
            }
            // The first of each five comes last.
            if number % 5 == 0 { try await Task.sleep(for: .milliseconds(5)) }
            return number * number
        } take: { number, square in
            #expect(square == number * number)
            order.append(number)
            counts.withLock { $0.taken += 1 }
        }
        #expect(order == Array(0..<40))
        #expect(counts.withLock { $0.most } <= atOnce)
    }

    @Test("What the first piece to fail threw is thrown, and no more are begun")
    func failure() async throws {
        struct Failed: Error {}
        let begun = Mutex(0)
        await #expect(throws: Failed.self) {
            try await inOrder(Array(0..<1000), atOnce: 2) { number in
                begun.withLock { $0 += 1 }
                if number == 3 { throw Failed() }
            } take: { _, _ in
            }
        }
        #expect(begun.withLock { $0 } <= 5)
    }
}
