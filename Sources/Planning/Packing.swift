/// How trials become cohorts: a pure function of what they cost.
public enum Packing {
    /// The sizes that programs are lowered for: a cohort takes the one that suits, with spare lanes where it must.
    public static let ladder = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]

    /// Packs trials of one program that are fitted alike into cohorts, the longest first.
    ///
    /// Trials of like length and like last batch stand together, so that few lanes wait and few tails are compiled.
    /// - Parameter largest: the most lanes a cohort may have, if memory or the user sets a limit.
    public static func cohorts(of workload: Workload, on fleet: DeviceFleet, largest: Int? = nil) -> [Cohort] {
        guard !workload.trials.isEmpty, fleet.count > 0 else { return [] }
        let lanes = lanes(for: workload, on: fleet, largest: largest)
        let order = workload.trials.sorted { first, second in
            let one = sortKey(first, workload)
            let two = sortKey(second, workload)
            return one == two ? first.index < second.index : one.lexicographicallyPrecedes(two)
        }
        let steps = trainingStepsACall(workload, on: fleet, lanes: lanes)
        let evaluateSteps = stepsACall(
            workload, on: fleet, lanes: lanes, batchSize: workload.validationBatchSize,
            longest: workload.trials.map(workload.wholeValidationBatches).max() ?? 0)
        return stride(from: 0, to: order.count, by: lanes).map { start in
            let members = Array(order[start..<min(start + lanes, order.count)])
            var cohort = cohort(of: members, lanes: lanes, steps: steps, evaluateSteps: evaluateSteps, workload)
            cohort.narrowing = narrowing(lanes: lanes, workload, fleet.kind)
            return cohort
        }.sorted { $0.cost == $1.cost ? ($0.trials.first ?? 0) < ($1.trials.first ?? 0) : $0.cost > $1.cost }
    }

    /// The number of lanes that ends the work soonest by a simple model of a device: a step costs a fixed part, and a
    /// part for each lane, spare ones included when vectorized.
    static func lanes(for workload: Workload, on fleet: DeviceFleet, largest: Int?) -> Int {
        let fitting = ladder.filter { lanes in
            lanes == 1
                || (lanes <= (largest ?? .max) && lanes <= widest(workload.program.form, fleet.kind)
                    && memory(lanes: lanes, workload, on: fleet) <= fleet.memory)
        }
        let count = workload.trials.count
        func time(_ lanes: Int) -> Double {
            let cohorts = (count + lanes - 1) / lanes
            let rounds = Double((cohorts + fleet.count - 1) / fleet.count)
            let fixed = rounds * fixedCost(workload.program.form, fleet.kind)
            guard workload.program.form == .looped else { return fixed + rounds * Double(lanes) }
            // Spare lanes of a loop cost nothing: the busiest device has whole cohorts, or the last one on top of fewer.
            let whole = count / lanes
            let busiest = max(
                (whole + fleet.count - 1) / fleet.count * lanes, whole / fleet.count * lanes + count % lanes)
            return fixed + Double(busiest)
        }
        return fitting.min { time($0) < time($1) } ?? 1
    }

    /// A step's fixed cost in units of one lane's, from `docs/Architecture.md`, "Costs": a small dense step inside a
    /// scan took 4.6 µs alone and 2.6 µs a lane at 128 lanes.
    private static func fixedCost(_ form: Workload.Form, _ kind: DeviceFleet.Kind) -> Double {
        switch (form, kind) {
        case (.looped, _): 0.05
        case (.vectorized, .cpu): 2
        case (.vectorized, .gpu): 200
        }
    }

    /// The most lanes that still pay: beyond these a cohort only leaves the caches, and fails in larger pieces.
    private static func widest(_ form: Workload.Form, _ kind: DeviceFleet.Kind) -> Int {
        switch (form, kind) {
        case (.looped, _): 32
        case (.vectorized, .cpu): 128
        case (.vectorized, .gpu): 1024
        }
    }

    /// Bytes that a cohort needs on its device before any temporaries.
    ///
    /// Two states (one being saved), those that are kept, and two calls' batches. The compiler's own figures, once known, replace it.
    public static func memory(lanes: Int, _ workload: Workload, on fleet: DeviceFleet) -> Int {
        let steps = trainingStepsACall(workload, on: fleet, lanes: lanes)
        let batches = lanes * max(steps, 1) * workload.batchSize * workload.program.rowBytes
        return (2 + workload.program.keptStates) * lanes * workload.program.stateBytes + 2 * batches
    }

    private static func trainingStepsACall(_ workload: Workload, on fleet: DeviceFleet, lanes: Int) -> Int {
        stepsACall(
            workload, on: fleet, lanes: lanes, batchSize: workload.batchSize,
            longest: workload.trials.map(workload.wholeBatches).max() ?? 0)
    }

    private static func stepsACall(
        _ workload: Workload, on fleet: DeviceFleet, lanes: Int, batchSize: Int, longest: Int
    ) -> Int {
        guard longest > 0 else { return 0 }
        let stepBytes = max(1, lanes * batchSize * workload.program.rowBytes)
        let most = max(1, fleet.batchBytesACall / stepBytes)
        let calls = (longest + most - 1) / most
        return (longest + calls - 1) / calls
    }

    private static func sortKey(_ trial: Workload.Trial, _ workload: Workload) -> [Int] {
        [
            -(trial.trainingRows / workload.batchSize), trial.trainingRows % workload.batchSize,
            workload.validationTail(trial),
        ]
    }

    private static func cohort(
        of members: [Workload.Trial], lanes: Int, steps: Int, evaluateSteps: Int, _ workload: Workload
    ) -> Cohort {
        func tails(_ tail: (Workload.Trial) -> Int) -> [Int] {
            Set(members.map(tail)).subtracting([0]).sorted()
        }
        let trainingTails = tails(workload.tail)
        let evaluateTails = tails(workload.validationTail)
        let longest = members.map(workload.wholeBatches).max() ?? 0
        let width = workload.program.form == .looped ? members.count : lanes
        return Cohort(
            trials: members.map(\.index), lanes: lanes, steps: steps, evaluateSteps: evaluateSteps,
            tails: trainingTails,
            evaluateTails: evaluateTails, hasFullBatches: longest > 0,
            hasFullEvaluateBatches: members.contains { workload.wholeValidationBatches($0) > 0 },
            batchSize: workload.batchSize, validationBatchSize: workload.validationBatchSize,
            cost: Double(longest + trainingTails.count) * Double(workload.epochs) * Double(width))
    }
}
