import Bundles
import Randomness
import Testing
import Units

@testable import Training

@Suite struct RowOrderTests {
    let file: [Int32] = [7, 3, 9, 1, 12, 5, 0, 2]

    @Test("Unshuffled, rows are read in the partition's order, as Model.fit does")
    func unshuffled() throws {
        let some = try RowOrder(.init(start: 2, count: 4), in: file)
        #expect(some.stored == [9, 1, 12, 5])
        #expect((some.lowest, some.highest, some.count) == (1, 12, 4))
        let all = try RowOrder(.init(start: nil, count: 5), in: file)
        #expect(all.stored == nil)
        #expect((all.lowest, all.highest, all.count) == (0, 4, 5))
    }

    @Test("A shuffled epoch reads each row of the partition once", arguments: [0, 1, 41])
    func shuffled(epoch: Int) throws {
        let order = try RowOrder(.init(start: 1, count: 6), in: file)
        #expect(order.shuffled(seed: 3, epoch: epoch).sorted() == [0, 1, 3, 5, 9, 12])
        let all = try RowOrder(.init(start: nil, count: 1000), in: file)
        #expect(all.shuffled(seed: 3, epoch: epoch).sorted() == (0..<1000).map(Int32.init))
    }

    @Test("An epoch's order depends on the seed and the epoch alone, so that a trial can go on after an interruption")
    func repeatable() throws {
        let order = try RowOrder(.init(start: nil, count: 200), in: [])
        let third = order.shuffled(seed: 5, epoch: 2)
        _ = order.shuffled(seed: 5, epoch: 0)
        #expect(order.shuffled(seed: 5, epoch: 2) == third)
        #expect(order.shuffled(seed: 5, epoch: 3) != third)
        #expect(order.shuffled(seed: 6, epoch: 2) != third)
        var expected = Array(Int32(0)..<200)
        var generator = SplitMix64(seed: 5, stream: 2)
        generator.shuffle(&expected)
        #expect(third == expected)
    }

    @Test("Shuffled by the batch, each batch keeps its rows, in another order")
    func batchwise() throws {
        let order = try RowOrder(.init(start: nil, count: 45), in: [])
        let shuffled = order.shuffled(seed: 3, epoch: 1, batchSize: 10)
        #expect(shuffled != Array(0..<45))
        for first in stride(from: Int32(0), to: 45, by: 10) {
            let last = min(first + 10, 45)
            #expect(shuffled[Int(first)..<Int(last)].sorted() == Array(first..<last))
        }
        #expect(shuffled != order.shuffled(seed: 3, epoch: 2, batchSize: 10))
    }

    @Test("Shuffled by windows, rows of two windows are never mixed, windows and rows come in new orders each epoch")
    func windows() throws {
        let order = try RowOrder(.init(start: nil, count: 45), in: [])
        var fit = Unit.FitSettings(
            firstEpoch: 0, lastEpoch: 1, batchSize: 4, validationBatchSize: 4, validationFrequency: .every(1),
            shuffle: .windows, shuffleWindow: 10)
        let shuffled = try #require(order.order(of: 1, seed: 3, fit))
        #expect(shuffled.sorted() == Array(0..<45))
        var windows: [Int32] = []
        var rest = shuffled[...]
        while let first = rest.first {
            let window = first / 10
            let rows = rest.prefix(window == 4 ? 5 : 10)
            #expect(rows.allSatisfy { $0 / 10 == window })
            #expect(rows.sorted() != Array(rows))
            windows.append(window)
            rest = rest.dropFirst(rows.count)
        }
        #expect(windows.sorted() == [0, 1, 2, 3, 4] && windows != [0, 1, 2, 3, 4])
        #expect(order.order(of: 1, seed: 3, fit) == shuffled)
        #expect(order.order(of: 2, seed: 3, fit) != shuffled)
        // By the documented generator, for anyone who repeats a trial in Keras.
        var generator = SplitMix64(seed: 3, stream: 1)
        var expected = [0, 10, 20, 30, 40]
        generator.shuffle(&expected)
        #expect(windows == expected.map { Int32($0 / 10) })
        fit.shuffleWindow = 1000
        #expect(order.order(of: 1, seed: 3, fit)?.sorted() == Array(0..<45))
    }

    @Test(
        "Rows that the unit's file does not hold are refused",
        arguments: [(-1, 2), (7, 2), (0, 9), (9, 0), (Int.max, 1), (1, Int.max), (0, -1)])
    func outside(start: Int, count: Int) {
        #expect(throws: TrainingError.self) { try RowOrder(.init(start: start, count: count), in: file) }
        #expect(throws: TrainingError.self) { try RowOrder(.init(start: nil, count: -1), in: file) }
    }
}

@Suite struct UnitDataTests {
    @Test("Every lane gets its own rows, and validation rows of its own")
    func lanes() throws {
        let bench = try Bench()
        try bench.writeRows([4, 2, 19, 0, 7])
        let data = try bench.data(
            bench.unit(
                [.init(start: 0, count: 3), .init(start: nil, count: 20)], validation: .init(start: 3, count: 2)))
        #expect(data.training[0].stored == [4, 2, 19])
        #expect(data.training[1].stored == nil)
        #expect(data.validation[1]?.stored == [0, 7])
        #expect(data.sources[0].rows == 20)
    }

    @Test("A row beyond the array is refused before memory is read", arguments: [[0, 20], [-1, 3], [Int32.max, 0]])
    func badRows(rows: [Int32]) throws {
        let bench = try Bench()
        try bench.writeRows(rows)
        #expect(bench.refusal(try bench.unit([.init(start: 0, count: 2)])) == .invalidUnit)
        #expect(bench.refusal(try bench.unit([.init(start: nil, count: 21)])) == .invalidUnit)
        #expect(bench.refusal(try bench.unit([.init(start: nil, count: 20)])) == nil)
        #expect(
            bench.refusal(try bench.unit([.init(start: nil, count: 20)], validation: .init(start: 0, count: 2)))
                == .invalidUnit)
    }

    @Test("A data file that was changed, shortened or removed after the run began is noticed")
    func changedFile() throws {
        for change in ["touch -d '2001-01-01'", "truncate -s -4", "rm"] {
            let bench = try Bench()
            try bench.writeRows([0])
            let unit = try bench.unit([.init(start: 0, count: 1)])
            #expect(bench.refusal(unit) == nil)
            try #require(shell("\(change) '\(bench.root)/y.npy'"))
            #expect(bench.refusal(unit) == (change == "rm" ? .files : .dataChanged), "\(change)")
        }
    }

    @Test("Arrays that are not what the program takes are refused")
    func wrongArrays() throws {
        let bench = try Bench()
        try bench.writeRows([0])
        let range = Unit.RowRange(start: 0, count: 1)
        func refused(_ change: (inout Unit.DataSource) -> Void) throws -> TrainingError.Code? {
            var source = try bench.source()
            change(&source)
            return bench.refusal(try bench.unit([range], sources: [source]))
        }
        #expect(try refused { _ in } == nil)
        #expect(try refused { $0.arrays.removeLast() } == .invalidUnit)
        #expect(try refused { $0.arrays.swapAt(0, 1) } == .invalidUnit)
        #expect(try refused { $0.arrays[0].dtype = "int32" } == .invalidUnit)
        #expect(try refused { $0.arrays[0].shape = [20, 4] } == .invalidUnit)
        #expect(try refused { $0.arrays[1].shape = [19] } == .invalidUnit)
        #expect(try refused { $0.arrays[0].shape = [Int.max, 3] } == .invalidUnit)
        #expect(try refused { $0.arrays[0].shape = [0, 3] } == .invalidUnit)
        #expect(try refused { $0.arrays[0].offset = -4 } == .invalidUnit)
        #expect(try refused { $0.arrays[0].offset += 4 } == .invalidUnit)
        #expect(try refused { $0.arrays[0].offset = .max } == .invalidUnit)
        var unit = try bench.unit([range])
        unit.lanes[0].source = 1
        #expect(bench.refusal(unit) == .invalidUnit)
        unit.lanes[0].source = 0
        unit.rowsFile = "y.npz"
        #expect(bench.refusal(unit) == .invalidUnit)
        unit.rowsFile = "x.npy"
        #expect(bench.refusal(unit) == .invalidUnit)
    }
}

@Suite struct BatchAssemblyTests {
    /// What the inputs of a call should hold, by the definition: [lanes, rows] of `x` (3 each) and `y`.
    static func expected(_ lanes: [(order: [Int32]?, first: Int, count: Int)], width: Int, laneRows: Int) -> (
        [Float], [Int32]
    ) {
        var x: [Float] = []
        var y: [Int32] = []
        for lane in 0..<width {
            for place in 0..<laneRows {
                guard lane < lanes.count, place < lanes[lane].count else {
                    x += [0, 0, 0]
                    y.append(0)
                    continue
                }
                let index = lanes[lane].first + place
                let row = lanes[lane].order.map { Int($0[index]) } ?? index
                x += [Float(row * 3), Float(row * 3 + 1), Float(row * 3 + 2)]
                y.append(Int32(-row))
            }
        }
        return (x, y)
    }

    @Test(
        "Each lane's rows stand in its place of a batch, and zeros where a lane has none",
        arguments: [
            (width: 1, laneRows: 8, lanes: [(nil, 0, 8)]),
            (width: 2, laneRows: 4, lanes: [([3, 19, 0, 7, 7], 1, 4), (nil, 16, 4)]),
            (width: 4, laneRows: 4, lanes: [([5, 6, 7], 0, 3), ([1], 0, 1), (nil, 0, 0)]),
            (width: 8, laneRows: 3, lanes: [([0, 1, 2], 3, 0), ([9, 8, 7], 0, 3)]),
            (width: 1, laneRows: 20, lanes: [(nil, 5, 15)]),
        ] as [(width: Int, laneRows: Int, lanes: [([Int32]?, Int, Int)])])
    func gathers(width: Int, laneRows: Int, lanes: [([Int32]?, Int, Int)]) throws {
        let bench = try Bench()
        let data = try DataArrays(bench.source(), for: bench.description.inputs)
        let batches = BatchAssembly.gather(
            lanes.map { LaneBatch(order: $0.0, first: $0.1, count: $0.2, data: data) }, width: width,
            laneRows: laneRows, rowBytes: [12, 4])
        let (x, y) = Self.expected(
            lanes.map { (order: $0.0, first: $0.1, count: $0.2) }, width: width, laneRows: laneRows)
        #expect(batches.count == 2)
        #expect(Array(batches[0].bytes.bindMemory(to: Float.self)) == x)
        #expect(Array(batches[1].bytes.bindMemory(to: Int32.self)) == y)
    }

    @Test("Memory of an earlier call never shows through: unused places hold zeros each time")
    func noLeftovers() throws {
        let bench = try Bench()
        let data = try DataArrays(bench.source(), for: bench.description.inputs)
        for _ in 0..<50 {
            let full = BatchAssembly.gather(
                [LaneBatch(order: nil, first: 1, count: 19, data: data)], width: 1, laneRows: 19, rowBytes: [12, 4])
            #expect(full[0].bytes.bindMemory(to: Float.self).allSatisfy { $0 != 0 })
            let empty = BatchAssembly.gather(
                [LaneBatch(order: nil, first: 0, count: 0, data: data)], width: 1, laneRows: 19, rowBytes: [12, 4])
            #expect(empty[0].bytes.allSatisfy { $0 == 0 })
        }
    }

    @Test("A plugin on the CPU can read batches in place")
    func aligned() {
        for count in [1, 7, 64, 4096] {
            #expect(UInt(bitPattern: HostBatches(byteCount: count).bytes.baseAddress) % 64 == 0)
        }
    }
}
