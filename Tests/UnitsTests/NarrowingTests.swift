import Testing
import Units

@Suite struct UnitNarrowingTests {
    let narrowing = Unit.Narrowing(sizes: [32, 8, 2], leastLaneSteps: 1000)

    @Test("Active lanes go to the smallest size that holds them, if it is smaller than theirs")
    func size() {
        #expect(narrowing.size(holding: 128, below: 128) == nil)
        #expect(narrowing.size(holding: 33, below: 128) == nil)
        #expect(narrowing.size(holding: 32, below: 128) == 32)
        #expect(narrowing.size(holding: 8, below: 128) == 8)
        #expect(narrowing.size(holding: 1, below: 128) == 2)
        #expect(narrowing.size(holding: 20, below: 32) == nil)
        #expect(narrowing.size(holding: 2, below: 2) == nil)
    }

    @Test("They go when the steps that are left save enough, and not one step later")
    func pays() {
        #expect(narrowing.pays(active: 20, lanes: 128, steps: 11))
        #expect(!narrowing.pays(active: 20, lanes: 128, steps: 10))
        #expect(!narrowing.pays(active: 0, lanes: 128, steps: 1000))
    }

    /// A unit of four lanes of 100 rows, one that has 250 among them, which trains epochs 2 to 11 in batches of 10.
    func unit() -> Unit {
        var unit = UnitTests.unit
        unit.packing.lanes = 4
        unit.lanes = (0..<4).map { number in
            .init(
                trial: number, name: "\(number)", seed: 0, parameters: [:], start: .initialize, source: 0,
                training: .init(start: nil, count: number == 3 ? 250 : 100))
        }
        unit.fit = .init(
            firstEpoch: 2, lastEpoch: 12, batchSize: 10, validationBatchSize: 10, validationFrequency: .every(1),
            shuffle: .none)
        unit.narrowing = .init(sizes: [1], leastLaneSteps: 150)
        return unit
    }

    @Test("A unit ends where its one active lane has steps enough before it; by counts alone")
    func before() {
        let unit = unit()
        let short = [true, false, false, false]
        // Three lanes saved for ten steps an epoch: five epochs are needed, and are left before epoch 7.
        #expect(unit.narrows(before: 7, active: short))
        #expect(!unit.narrows(before: 8, active: short))
        // The longest of the active lanes counts.
        #expect(unit.narrows(before: 10, active: [false, false, false, true]))
        #expect(!unit.narrows(before: 11, active: [false, false, false, true]))
    }

    @Test("Lanes that never trained, or none that ended, are no reason to end")
    func noReason() {
        var unit = unit()
        unit.lanes.removeLast(3)
        #expect(!unit.narrows(before: 2, active: [true]))
        #expect(!unit.narrows(before: 2, active: [false]))
        unit.narrowing = nil
        #expect(!unit.narrows(before: 2, active: [true, false]))
    }

    @Test("Fewer steps an epoch by request leave fewer to save")
    func stepsPerEpoch() {
        var unit = unit()
        unit.fit.stepsPerEpoch = 2
        #expect(!unit.narrows(before: 2, active: [true, false, false, false]))
    }
}
