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
        let order = workload.trials.sorted { first, second in
            let one = sortKey(first, workload)
            let two = sortKey(second, workload)
            return one == two ? first.index < second.index : one.lexicographicallyPrecedes(two)
        }
        return stretches(of: order, workload, on: fleet, largest: largest).flatMap { (stretch) -> [Cohort] in
            let (lanes, trials) = (stretch.lanes, order[stretch.places])
            let steps = stepsACall(
                workload, on: fleet, lanes: lanes, batchSize: workload.batchSize, trials.map(workload.wholeBatches))
            let evaluateSteps = stepsACall(
                workload, on: fleet, lanes: lanes, batchSize: workload.validationBatchSize,
                trials.map(workload.wholeValidationBatches))
            func form(_ tail: (Workload.Trial) -> Int) -> Workload.Form {
                tailForm(of: stretch, in: order, workload.program, fleet.kind, tail)
            }
            let (tails, evaluateTails) = (form(workload.tail), form(workload.validationTail))
            let narrowing = narrowing(lanes: lanes, workload, fleet.kind)
            return stretch.cohorts.map { (part) -> Cohort in
                var cohort = cohort(
                    of: order[part.places], lanes: lanes, steps: steps, evaluateSteps: evaluateSteps, tails: tails,
                    workload)
                cohort.evaluateTailForm = evaluateTails
                cohort.narrowing = narrowing
                return cohort
            }
        }.sorted { $0.cost == $1.cost ? ($0.trials.first ?? 0) < ($1.trials.first ?? 0) : $0.cost > $1.cost }
    }

    /// Bytes that a cohort needs on its device before any temporaries.
    ///
    /// Two states (one being saved), those that are kept, and two calls' batches. The compiler's own figures, once known, replace it.
    public static func memory(lanes: Int, _ workload: Workload, on fleet: DeviceFleet) -> Int {
        let steps = stepsACall(
            workload, on: fleet, lanes: lanes, batchSize: workload.batchSize, workload.trials.map(workload.wholeBatches)
        )
        let batches = lanes * max(steps, 1) * workload.batchSize * workload.program.rowBytes
        return (2 + workload.program.keptStates) * lanes * workload.program.stateBytes + 2 * batches
    }

    /// Steps a call takes, so that its batches stay within bounds, and those of cohorts of few steps do not lie in memory for
    /// many.
    ///
    /// - Parameter batches: the whole batches of every trial.
    private static func stepsACall(
        _ workload: Workload, on fleet: DeviceFleet, lanes: Int, batchSize: Int, _ batches: [Int]
    ) -> Int {
        let longest = batches.max() ?? 0
        guard longest > 0 else { return 0 }
        let stepBytes = max(1, lanes * batchSize * workload.program.rowBytes)
        let most = min(max(1, fleet.batchBytesACall / stepBytes), max(leastStepsACall, batches.min() ?? longest))
        let calls = (longest + most - 1) / most
        return (longest + calls - 1) / calls
    }

    /// Steps beside which what a call costs by itself is little: 80 to 88 µs with 64 arguments (docs/Architecture.md, Costs).
    private static let leastStepsACall = 64

    private static func sortKey(_ trial: Workload.Trial, _ workload: Workload) -> [Int] {
        [
            -(trial.trainingRows / workload.batchSize), trial.trainingRows % workload.batchSize,
            workload.validationTail(trial),
        ]
    }

    private static func cohort(
        of members: ArraySlice<Workload.Trial>, lanes: Int, steps: Int, evaluateSteps: Int, tails form: Workload.Form,
        _ workload: Workload
    ) -> Cohort {
        func tails(_ tail: (Workload.Trial) -> Int) -> [Int] {
            Set(members.map(tail)).subtracting([0]).sorted()
        }
        let padding = padding(of: members, lanes: lanes, tails: form, workload)
        return Cohort(
            trials: members.map(\.index), lanes: lanes, steps: steps, evaluateSteps: evaluateSteps,
            tails: tails(workload.tail), evaluateTails: tails(workload.validationTail), tailForm: form,
            evaluateTailForm: form,
            hasFullBatches: members.contains { workload.wholeBatches($0) > 0 },
            hasFullEvaluateBatches: members.contains { workload.wholeValidationBatches($0) > 0 },
            batchSize: workload.batchSize, validationBatchSize: workload.validationBatchSize, padding: padding,
            cost: Double(padding.computed) * Double(workload.epochs))
    }
}
