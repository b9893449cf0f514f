import Bundles
import Datasets
import Devices
import Experiments
import Lowering
import Planning
import TensorFiles
import Units

extension Preparation {
    /// The devices as the planner sees them.
    var fleet: DeviceFleet {
        DeviceFleet(
            count: devices.count, memory: devices.compactMap(\.memory).min() ?? .max,
            kind: devices.first?.platform == "cpu" ? .cpu : .gpu,
            data: dataset.trainingSources == 1 ? dataset.bytes : nil, dataMemory: dataMemory)
    }

    /// Packs a group's trials into cohorts for the devices; trials of one cohort are fitted alike.
    ///
    /// - Parameter largest: the most lanes, where memory has set a limit.
    func plan(_ group: ProgramGroup, largest: Int? = nil) -> PlannedProgram {
        let description = group.bundle.description
        let fleet = fleet
        // Inside a loop XLA's CPU compiler cannot rewrite the grouped convolutions that vectorizing makes.
        let form: Workload.Form = description.hasConvolution && fleet.kind == .cpu ? .looped : .vectorized
        let program = Workload.Program(
            form: form, stateBytes: description.stateBytes, rowBytes: description.rowBytes,
            keptStates: experiment.callbacks.count(where: \.keepsState) + (experiment.save.best == nil ? 0 : 1)
                + (experiment.endsOnDivergence ? 1 : 0),
            parameters: description.trainableParameters, masksRows: description.masksRows ?? false)
        var cohorts: [Cohort] = []
        var memory = 0
        func add(_ trials: [Trial], where isWanted: (Cohort) -> Bool = { _ in true }) {
            for (fit, trials) in fittedAlike(trials, description) {
                let workload = Workload(
                    trials: trials.map { trial in
                        let partition = rows(of: trial, description)
                        return Workload.Trial(
                            index: trial.index, trainingRows: partition.training.count,
                            validationRows: partition.validation?.count ?? 0)
                    }, program: program, batchSize: fit.batchSize, validationBatchSize: fit.validationBatchSize,
                    epochs: fit.lastEpoch - fit.firstEpoch, stepsPerEpoch: fit.stepsPerEpoch,
                    endsEarly: experiment.endsEarly)
                let packed = Packing.cohorts(of: workload, on: fleet, largest: largest).filter(isWanted)
                if packed.isEmpty { continue }
                let needed = Packing.memory(lanes: packed.map(\.lanes).max() ?? 1, workload, on: fleet)
                // The one that needs most stands first, since that is what a probe compiles.
                cohorts = needed > memory ? packed + cohorts : cohorts + packed
                memory = max(memory, needed)
            }
        }
        let wanted = Set(group.trials.map(\.index))
        // What was never begun is packed as it was or would have been, had there been no interruption.
        if !group.siblings.isEmpty { add(group.siblings) { cohort in wanted.isSuperset(of: cohort.trials) } }
        let packed = Set(cohorts.flatMap(\.trials))
        add(group.trials.filter { !packed.contains($0.index) })
        return PlannedProgram(
            name: description.name, arguments: group.arguments, inputs: group.parameters,
            baked: group.baked, description: description, form: form, cohorts: cohorts,
            stateBytes: program.stateBytes, memory: .estimated(memory))
    }

    /// Every function that a program's cohorts call.
    func functions(_ program: PlannedProgram) -> [FunctionRequest] {
        var functions: [FunctionRequest] = []
        let halt = experiment.terminatesOnNaN
        func add(_ request: FunctionRequest) {
            if !functions.contains(request) { functions.append(request) }
        }
        let sizes = program.cohorts.flatMap { cohort in
            [cohort]
                + (cohort.narrowing?.sizes ?? []).map { lanes in
                    var narrow = cohort
                    narrow.lanes = lanes
                    return narrow
                }
        }
        for cohort in sizes {
            // One lane is the same in either form, and is lowered as vectorized.
            func requested(_ form: Workload.Form) -> FunctionRequest.Form {
                form == .looped && cohort.lanes > 1 ? .looped : .vectorized
            }
            let form = requested(program.form)
            func tails(_ sizes: [Int], _ tails: Workload.Form, of batchSize: Int) -> [(Int, FunctionRequest.Form)] {
                guard tails == .masked else { return sizes.map { ($0, requested(tails)) } }
                return (sizes.contains(1) ? [(1, form)] : [])
                    + (sizes.contains { $0 > 1 } ? [(batchSize, program.maskedForm)] : [])
            }
            add(FunctionRequest(.initialize, lanes: cohort.lanes))
            if cohort.hasFullBatches {
                add(
                    FunctionRequest(
                        .train, lanes: cohort.lanes, steps: cohort.steps, rows: cohort.batchSize, form: form,
                        halt: halt))
            }
            for (rows, form) in tails(cohort.tails, cohort.tailForm, of: cohort.batchSize) {
                add(FunctionRequest(.train, lanes: cohort.lanes, steps: 1, rows: rows, form: form, halt: halt))
            }
            if cohort.hasFullEvaluateBatches {
                add(
                    FunctionRequest(
                        .evaluate, lanes: cohort.lanes, steps: cohort.evaluateSteps, rows: cohort.validationBatchSize,
                        form: form))
            }
            for (rows, form) in tails(cohort.evaluateTails, cohort.evaluateTailForm, of: cohort.validationBatchSize) {
                add(FunctionRequest(.evaluate, lanes: cohort.lanes, steps: 1, rows: rows, form: form))
            }
            if program.description.finalizes { add(FunctionRequest(.finalize, lanes: cohort.lanes)) }
        }
        return functions
    }
}

extension PlannedProgram {
    /// The form of a function that serves last partial batches of every size.
    var maskedForm: FunctionRequest.Form { form == .looped ? .maskedLooped : .masked }
}

extension ProgramDescription {
    /// Bytes of one lane's state.
    var stateBytes: Int { state.reduce(0) { $0 + (DType(rawValue: $1.dtype)?.byteCount(of: $1.shape) ?? 0) } }

    /// Bytes of one row over all inputs.
    var rowBytes: Int { inputs.reduce(0) { $0 + (DType(rawValue: $1.dtype)?.byteCount(of: $1.shape) ?? 0) } }
}
