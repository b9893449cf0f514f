import Testing
import Units

@Suite struct FitSettingsTests {
    func settings(initialEpoch: Int = 0, steps: Int?) -> Unit.FitSettings {
        Unit.FitSettings(
            firstEpoch: initialEpoch, lastEpoch: 20, batchSize: 10, stepsPerEpoch: steps, validationBatchSize: 10,
            validationFrequency: .every(1), shuffle: .rows)
    }

    /// The epochs' rows and the epochs that they are ordered for.
    func epochs(_ settings: Unit.FitSettings, of rows: Int, _ epochs: Range<Int>) -> [Unit.EpochRows] {
        epochs.map { settings.epochRows($0, of: rows) }
    }

    @Test("Without steps_per_epoch every epoch takes all rows in an order of its own")
    func allRows() {
        #expect(
            epochs(settings(steps: nil), of: 45, 0..<2)
                == [.init(orderEpoch: 0, rows: 0..<45), .init(orderEpoch: 1, rows: 0..<45)])
    }

    @Test("With steps_per_epoch an epoch goes on where the one before ended, and one that comes to the end is short")
    func steps() {
        #expect(
            epochs(settings(steps: 2), of: 45, 0..<4)
                == [
                    .init(orderEpoch: 0, rows: 0..<20), .init(orderEpoch: 0, rows: 20..<40),
                    .init(orderEpoch: 0, rows: 40..<45), .init(orderEpoch: 3, rows: 0..<20),
                ])
        #expect(
            epochs(settings(steps: 2), of: 40, 0..<3)
                == [
                    .init(orderEpoch: 0, rows: 0..<20), .init(orderEpoch: 0, rows: 20..<40),
                    .init(orderEpoch: 2, rows: 0..<20),
                ])
    }

    @Test("More steps than there are batches are as many as there are", arguments: [5, 6, 100])
    func tooManySteps(steps: Int) {
        #expect(
            epochs(settings(steps: steps), of: 45, 0..<2)
                == [.init(orderEpoch: 0, rows: 0..<45), .init(orderEpoch: 1, rows: 0..<45)])
    }

    @Test("Steps are counted from the trial's first epoch, wherever a unit goes on")
    func initialEpoch() {
        var settings = settings(initialEpoch: 3, steps: 2)
        let whole = epochs(settings, of: 45, 3..<9)
        #expect(whole[0] == .init(orderEpoch: 3, rows: 0..<20))
        #expect(whole[3] == .init(orderEpoch: 6, rows: 0..<20))
        settings.firstEpoch = 5
        #expect(epochs(settings, of: 45, 5..<9) == Array(whole[2...]))
    }

    @Test("Validation follows the epochs that Keras would validate after")
    func validation() {
        #expect((0..<6).filter(Unit.ValidationFrequency.every(2).isDue) == [1, 3, 5])
        #expect((0..<6).filter(Unit.ValidationFrequency.epochs([1, 4, 9]).isDue) == [0, 3])
    }
}
