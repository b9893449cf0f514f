import Testing

@testable import Planning

/// Workloads that look drawn at random and are the same every time.
struct Draws: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 31)
    }

    mutating func workload() -> (Workload, DeviceFleet) {
        let batchSize = [1, 7, 16, 32, 100].randomElement(using: &self) ?? 1
        let alike = Bool.random(using: &self)
        let rows = Int.random(in: 1...3000, using: &self)
        let validates = Bool.random(using: &self)
        let trials = (0..<Int.random(in: 1...400, using: &self)).map { index in
            Workload.Trial(
                index: index * 3 + 1, trainingRows: alike ? rows : Int.random(in: 1...3000, using: &self),
                validationRows: validates ? (alike ? rows / 4 : Int.random(in: 1...500, using: &self)) : 0)
        }
        let program = Workload.Program(
            form: Bool.random(using: &self) ? .looped : .vectorized,
            stateBytes: Int.random(in: 8...50_000_000, using: &self),
            rowBytes: Int.random(in: 4...200_000, using: &self), masksRows: Bool.random(using: &self))
        let fleet = DeviceFleet(
            count: Int.random(in: 1...8, using: &self), memory: Int.random(in: 1 << 20...80 << 30, using: &self),
            kind: Bool.random(using: &self) ? .cpu : .gpu)
        return (
            Workload(
                trials: trials.shuffled(using: &self), program: program, batchSize: batchSize,
                validationBatchSize: Bool.random(using: &self) ? batchSize : 64,
                epochs: Int.random(in: 1...50, using: &self)), fleet
        )
    }
}

/// Trials that differ in nothing.
func alike(
    _ count: Int, rows: Int = 1000, validationRows: Int = 0, form: Workload.Form = .vectorized,
    stateBytes: Int = 10_000,
    rowBytes: Int = 44, batchSize: Int = 32
) -> Workload {
    Workload(
        trials: (0..<count).map { .init(index: $0, trainingRows: rows, validationRows: validationRows) },
        program: .init(form: form, stateBytes: stateBytes, rowBytes: rowBytes), batchSize: batchSize,
        validationBatchSize: batchSize, epochs: 10)
}

@Suite struct PackingPropertyTests {
    @Test("Whatever is asked for, each trial is trained once and all that its rows need is there", arguments: 0..<60)
    func everyTrialOnce(seed: Int) throws {
        var draws = Draws(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 11)
        let (workload, fleet) = draws.workload()
        let cohorts = Packing.cohorts(of: workload, on: fleet)
        #expect(cohorts.flatMap(\.trials).sorted() == workload.trials.map(\.index).sorted())
        let rows = Dictionary(uniqueKeysWithValues: workload.trials.map { ($0.index, $0) })
        for cohort in cohorts {
            #expect(Packing.ladder.contains(cohort.lanes))
            #expect(!cohort.trials.isEmpty && cohort.trials.count <= cohort.lanes)
            let members = try cohort.trials.map { try #require(rows[$0]) }
            let tails = members.map { $0.trainingRows % workload.batchSize }
            #expect(cohort.tails == Set(tails).subtracting([0]).sorted())
            let evaluateTails = members.map { $0.validationRows % workload.validationBatchSize }
            #expect(cohort.evaluateTails == Set(evaluateTails).subtracting([0]).sorted())
            #expect(cohort.hasFullBatches == members.contains { $0.trainingRows >= workload.batchSize })
            #expect(
                cohort.hasFullEvaluateBatches
                    == members.contains { $0.validationRows >= workload.validationBatchSize })
            if cohort.hasFullBatches { #expect(cohort.steps >= 1) }
            if cohort.hasFullEvaluateBatches { #expect(cohort.evaluateSteps >= 1) }
        }
    }

    @Test("The longest cohort is trained first, so that no device is left with it at the end", arguments: 0..<60)
    func longestFirst(seed: Int) {
        var draws = Draws(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 12)
        let (workload, fleet) = draws.workload()
        let costs = Packing.cohorts(of: workload, on: fleet).map(\.cost)
        #expect(costs == costs.sorted(by: >))
        #expect(costs.allSatisfy { $0 > 0 })
    }

    @Test("A cohort of several lanes fits its device by the estimate", arguments: 0..<60)
    func fitsMemory(seed: Int) {
        var draws = Draws(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 13)
        let (workload, fleet) = draws.workload()
        for cohort in Packing.cohorts(of: workload, on: fleet) where cohort.lanes > 1 {
            #expect(Packing.memory(lanes: cohort.lanes, workload, on: fleet) <= fleet.memory)
        }
    }

    @Test("A limit on lanes is kept", arguments: 0..<20, [1, 3, 8])
    func largest(seed: Int, largest: Int) {
        var draws = Draws(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 14)
        let (workload, fleet) = draws.workload()
        #expect(Packing.cohorts(of: workload, on: fleet, largest: largest).allSatisfy { $0.lanes <= largest })
    }

    @Test("The same experiment is always packed the same way, in whatever order its trials come", arguments: 0..<20)
    func repeatable(seed: Int) {
        var draws = Draws(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 15)
        let (workload, fleet) = draws.workload()
        var other = workload
        other.trials.shuffle(using: &draws)
        #expect(Packing.cohorts(of: workload, on: fleet) == Packing.cohorts(of: other, on: fleet))
    }

    @Test("At most one cohort has spare lanes, so that little is computed for nothing")
    func spareLanes() {
        for count in 1...300 {
            let cohorts = Packing.cohorts(
                of: alike(count), on: DeviceFleet(count: 2, memory: .max, kind: .cpu))
            let spare = cohorts.reduce(0) { $0 + $1.lanes - $1.trials.count }
            let lanes = cohorts.first?.lanes ?? 0
            #expect(spare < lanes, "\(count) trials have \(spare) spare lanes in cohorts of \(lanes)")
            #expect(cohorts.filter { $0.trials.count < $0.lanes }.count <= 1)
        }
    }
}

@Suite struct PackingTests {
    let cpu = DeviceFleet(count: 2, memory: 8 << 30, kind: .cpu)

    @Test("All devices have work when there are trials enough")
    func allDevices() {
        for count in [2, 3, 8, 60, 1000] {
            for devices in [1, 2, 4, 8] where devices <= count {
                let fleet = DeviceFleet(count: devices, memory: 8 << 30, kind: .cpu)
                #expect(Packing.cohorts(of: alike(count), on: fleet).count >= devices, "\(count) on \(devices)")
            }
        }
    }

    @Test("Models with convolutions, which are looped over, stand in narrower cohorts than dense ones on a CPU")
    func loopedIsNarrower() {
        let looped = Packing.cohorts(of: alike(1000, form: .looped), on: cpu).map(\.lanes).max() ?? 0
        let vectorized = Packing.cohorts(of: alike(1000), on: cpu).map(\.lanes).max() ?? 0
        #expect(looped < vectorized)
        #expect(vectorized <= 128)
        #expect(looped <= 16)
    }

    @Test("A GPU gets wider cohorts than a core, and still not wider than its memory")
    func gpu() {
        let gpu = DeviceFleet(count: 1, memory: 80 << 30, kind: .gpu)
        let wide = Packing.cohorts(of: alike(4000), on: gpu).map(\.lanes).max() ?? 0
        #expect(wide > 128)
        let heavy = alike(4000, stateBytes: 1 << 30)
        let narrow = Packing.cohorts(of: heavy, on: gpu).map(\.lanes).max() ?? 0
        #expect(narrow < wide)
        #expect(Packing.memory(lanes: narrow, heavy, on: gpu) <= gpu.memory)
    }

    @Test("A model that is too large for its device's memory is still planned, alone")
    func tooLarge() {
        let cohorts = Packing.cohorts(of: alike(3, stateBytes: 1 << 40), on: cpu)
        #expect(cohorts.map(\.lanes) == [1, 1, 1])
    }

    @Test("Trials of like length stand together, so that few lanes wait for the longest")
    func likeLengths() {
        var workload = alike(64)
        for index in workload.trials.indices {
            workload.trials[index].trainingRows = index.isMultiple(of: 2) ? 320 : 3200
        }
        let cohorts = Packing.cohorts(of: workload, on: cpu, largest: 16)
        for cohort in cohorts {
            #expect(Set(cohort.trials.map { $0.isMultiple(of: 2) }).count == 1)
        }
        #expect(cohorts.first?.trials.allSatisfy { !$0.isMultiple(of: 2) } ?? false)
    }

    @Test("Large rows come in several calls, so that batches never crowd the weights out")
    func stepsACall() {
        let workload = alike(8, rows: 32 * 1000, rowBytes: 600_000)
        let fleet = DeviceFleet(count: 1, memory: 1 << 40, kind: .cpu)
        for cohort in Packing.cohorts(of: workload, on: fleet) {
            #expect(cohort.steps >= 1)
            #expect(cohort.steps == 1 || cohort.steps * cohort.lanes * 32 * 600_000 <= fleet.batchBytesACall)
        }
    }

    @Test("Data that are small beside a GPU's memory lie on it, and a call then takes more steps")
    func dataOnTheDevice() throws {
        func gpu(_ data: Int?) -> DeviceFleet { DeviceFleet(count: 1, memory: 80 << 30, kind: .gpu, data: data) }
        #expect(gpu(1 << 30).holdsData && gpu(1 << 30).memory == 78 << 30)
        #expect(!gpu(11 << 30).holdsData && gpu(11 << 30).memory == 80 << 30)
        #expect(!gpu(nil).holdsData)
        #expect(!DeviceFleet(count: 1, memory: 80 << 30, kind: .cpu, data: 1 << 30).holdsData)
        let workload = alike(8, rows: 32 * 100, rowBytes: 6000)
        let resident = try #require(Packing.cohorts(of: workload, on: gpu(1 << 30)).first)
        let gathered = try #require(Packing.cohorts(of: workload, on: gpu(nil)).first)
        #expect(resident.steps == 100 && gathered.steps < 50)
    }

    @Test("A limit on what data may take bounds a call's rows, the lanes that share them, and what lies on a GPU")
    func dataMemory() throws {
        let workload = alike(64, rows: 32 * 100, rowBytes: 60_000)
        for limit in [16 << 20, 64 << 20, 1 << 30] {
            let fleet = DeviceFleet(count: 1, memory: 8 << 30, kind: .cpu, dataMemory: limit)
            for cohort in Packing.cohorts(of: workload, on: fleet) {
                #expect(2 * cohort.lanes * cohort.steps * 32 * 60_000 <= limit, "\(cohort.lanes), \(cohort.steps)")
            }
        }
        func gpu(_ limit: Int?) -> DeviceFleet {
            DeviceFleet(count: 1, memory: 80 << 30, kind: .gpu, data: 12 << 30, dataMemory: limit)
        }
        #expect(!gpu(nil).holdsData && gpu(16 << 30).holdsData && !gpu(2 << 30).holdsData)
    }

    @Test("Calls are of one size, with less than a step a call to spare")
    func evenCalls() {
        for rows in stride(from: 32, through: 32 * 200, by: 32) {
            let workload = alike(4, rows: rows, rowBytes: 40_000)
            for cohort in Packing.cohorts(of: workload, on: cpu) {
                let whole = rows / 32
                let calls = (whole + cohort.steps - 1) / cohort.steps
                #expect(calls * cohort.steps - whole < calls)
            }
        }
    }

    @Test("Fewer rows than a batch are one partial batch, and no whole one is compiled")
    func lessThanABatch() throws {
        let cohort = try #require(Packing.cohorts(of: alike(2, rows: 5, validationRows: 3), on: cpu).first)
        #expect(!cohort.hasFullBatches)
        #expect(cohort.tails == [5])
        #expect(cohort.evaluateTails == [3])
        #expect(!cohort.hasFullEvaluateBatches)
    }

    @Test(
        "With steps_per_epoch a cohort asks for what its epochs come to: the last batch only if there are epochs enough"
    )
    func stepsPerEpoch() throws {
        var workload = alike(2, rows: 32 * 5 + 9)
        workload.stepsPerEpoch = 2
        workload.epochs = 2
        let two = try #require(Packing.cohorts(of: workload, on: cpu).first)
        #expect(two.tails == [])
        #expect(two.hasFullBatches && two.steps == 2)
        workload.epochs = 3
        #expect(Packing.cohorts(of: workload, on: cpu).first?.tails == [9])
        workload.stepsPerEpoch = 99
        workload.epochs = 1
        let all = try #require(Packing.cohorts(of: workload, on: cpu).first)
        #expect(all.tails == [9] && all.steps == 5)
    }

    @Test("No trials or no devices make no cohorts")
    func nothing() {
        #expect(Packing.cohorts(of: alike(0), on: cpu).isEmpty)
        #expect(Packing.cohorts(of: alike(3), on: DeviceFleet(count: 0, memory: .max, kind: .cpu)).isEmpty)
    }
}
