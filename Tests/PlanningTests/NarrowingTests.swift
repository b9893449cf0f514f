import Testing

@testable import Planning

@Suite struct NarrowingTests {
    func narrowing(
        lanes: Int = 128, rows: Int = 3200, epochs: Int = 500, form: Workload.Form = .vectorized,
        parameters: Int = 705, kind: DeviceFleet.Kind = .cpu, endsEarly: Bool = true
    ) -> Narrowing? {
        let workload = Workload(
            trials: (0..<lanes).map { .init(index: $0, trainingRows: rows, validationRows: 0) },
            program: .init(form: form, stateBytes: 10_000, rowBytes: 44, parameters: parameters), batchSize: 32,
            validationBatchSize: 32, epochs: epochs, endsEarly: endsEarly)
        return Packing.narrowing(lanes: lanes, workload, kind)
    }

    @Test("A long cohort whose lanes may end early goes down by steps of four, never to a single lane")
    func ladder() {
        #expect(narrowing()?.sizes == [32, 8, 2])
        #expect(narrowing(lanes: 64)?.sizes == [16, 4])
        #expect(narrowing(lanes: 4) == nil)
    }

    @Test("Nothing is lowered ahead that could never pay")
    func neverPays() throws {
        // Whatever a cohort could save is less than compiling costs.
        #expect(narrowing(epochs: 3) == nil)
        // 96, 120 and 126 lanes saved of 10,000 steps: only the last two save enough.
        let least = try #require(narrowing()).leastLaneSteps
        let epochs = least / (100 * 120) + 1
        #expect(narrowing(epochs: epochs)?.sizes == [8, 2])
    }

    @Test("Lanes that cost nothing once they ended, or of a cost unknown, stay where they are")
    func stay() {
        #expect(narrowing(form: .looped) == nil)
        #expect(narrowing(kind: .gpu) == nil)
        #expect(narrowing(endsEarly: false) == nil)
    }

    @Test("The more a lane's step costs, the fewer saved steps pay for compiling")
    func largerModels() throws {
        let small = try #require(narrowing())
        let large = try #require(narrowing(parameters: 1_000_000))
        #expect(large.leastLaneSteps * 100 < small.leastLaneSteps)
        // What costs no more than a step's fixed part is taken to cost that.
        #expect(narrowing(parameters: 0) == narrowing(parameters: 500))
    }

    @Test("Cohorts are planned with it")
    func planned() {
        var workload = alike(128, rows: 32_000)
        workload.epochs = 1000
        let fleet = DeviceFleet(count: 1, memory: 1 << 34, kind: .cpu)
        #expect(Packing.cohorts(of: workload, on: fleet).allSatisfy { $0.narrowing == nil })
        workload.endsEarly = true
        #expect(Packing.cohorts(of: workload, on: fleet).allSatisfy { $0.narrowing?.sizes == [32, 8, 2] })
    }
}
