import Testing
import Units

@Suite struct UnitPaddingTests {
    /// Three trials of 100, 42 and 43 rows in four lanes, two epochs in batches of 10.
    func unit(form: String = "vectorized", tailForm: String? = nil, stepsPerEpoch: Int? = nil) -> Unit {
        var unit = UnitTests.unit
        unit.packing = .init(lanes: 4, steps: 10, evaluateSteps: 1, form: form, tailForm: tailForm)
        unit.lanes = [100, 42, 43].enumerated().map { number, rows in
            .init(
                trial: number, name: "\(number)", seed: 0, parameters: [:], start: .initialize, source: 0,
                training: .init(start: nil, count: rows))
        }
        unit.fit = .init(
            firstEpoch: 0, lastEpoch: 2, batchSize: 10, stepsPerEpoch: stepsPerEpoch, validationBatchSize: 10,
            validationFrequency: .every(1), shuffle: .none)
        return unit
    }

    @Test(
        "Lanes compute for nothing while they wait for longer trials, for last batches of other sizes, and when spare")
    func counted() {
        // An epoch: 10 + 4 + 1 + 4 + 1 steps are taken, of 10 steps and two sizes of last batch of four lanes.
        #expect(unit().padding == .init(computed: 96, idle: 96 - 40))
        // The last batches in a loop cost what they are.
        #expect(unit(tailForm: "looped").padding == .init(computed: 84, idle: 84 - 40))
        #expect(unit(form: "looped", tailForm: "looped").padding == .init(computed: 40, idle: 0))
        // Masked, those of two and of three rows are one call.
        #expect(unit(tailForm: "masked").padding == .init(computed: 88, idle: 88 - 40))
        #expect(unit(form: "looped", tailForm: "masked_looped").padding == .init(computed: 40, idle: 0))
    }

    @Test("With steps_per_epoch each epoch counts what it comes to")
    func stepsPerEpoch() {
        // 3 + 3 + 3 steps, then 3 + 1 + 1 and two last batches.
        #expect(unit(stepsPerEpoch: 3).padding == .init(computed: 12 + 12 + 8, idle: 32 - 16))
    }

    @Test("Masked last batches are so in one lane as well, and a single row is taken in the form of whole batches")
    func masked() {
        for lanes in [1, 2] {
            let packing = Unit.Packing(
                lanes: lanes, steps: 1, evaluateSteps: 1, form: "vectorized", tailForm: "masked",
                evaluateTailForm: "looped")
            #expect(packing.maskedForm(evaluates: false) == "masked")
            #expect(packing.maskedForm(evaluates: true) == nil)
            #expect(packing.form(evaluates: false, isTail: true) == "vectorized")
        }
    }

    @Test("One lane has last batches in the one form there is")
    func oneLane() {
        let packing = Unit.Packing(lanes: 1, steps: 1, evaluateSteps: 1, form: "vectorized", tailForm: "looped")
        #expect(packing.form(evaluates: false, isTail: true) == "vectorized")
        let wide = Unit.Packing(lanes: 2, steps: 1, evaluateSteps: 1, form: "vectorized", tailForm: "looped")
        #expect(wide.form(evaluates: false, isTail: true) == "looped")
        #expect(wide.form(evaluates: true, isTail: true) == "vectorized")
        #expect(wide.form(evaluates: false, isTail: false) == "vectorized")
    }
}
