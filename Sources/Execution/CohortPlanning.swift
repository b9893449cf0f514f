import Bundles
import Datasets
import Devices
import Experiments
import Lowering
import Planning
import TensorFiles

extension Preparation {
    /// Packs a group's trials into cohorts for the devices.
    ///
    /// - Parameter largest: the most lanes, where memory has set a limit.
    func plan(_ group: ProgramGroup, largest: Int? = nil) -> PlannedProgram {
        let description = group.bundle.description
        let isCPU = devices.first?.platform == "cpu"
        // Inside a loop XLA's CPU compiler cannot rewrite the grouped convolutions that vectorizing makes.
        let form: Workload.Form = description.hasConvolution && isCPU ? .looped : .vectorized
        let program = Workload.Program(form: form, stateBytes: description.stateBytes, rowBytes: description.rowBytes)
        let workload = Workload(
            trials: group.trials.map { trial in
                let partition = partitions[trial.partition]
                return Workload.Trial(
                    index: trial.index, trainingRows: partition.training.count,
                    validationRows: partition.validation?.count ?? 0)
            }, program: program, batchSize: experiment.fit.batchSize,
            validationBatchSize: validationBatchSize, epochs: experiment.fit.epochs)
        let fleet = DeviceFleet(
            count: devices.count, memory: devices.compactMap(\.memory).min() ?? .max, kind: isCPU ? .cpu : .gpu)
        let cohorts = Packing.cohorts(of: workload, on: fleet, largest: largest)
        let widest = cohorts.map(\.lanes).max() ?? 1
        return PlannedProgram(
            name: description.name, arguments: group.arguments, description: description, form: form, cohorts: cohorts,
            stateBytes: program.stateBytes, memory: .estimated(Packing.memory(lanes: widest, workload)))
    }

    var validationBatchSize: Int { experiment.fit.validationBatchSize ?? experiment.fit.batchSize }

    /// Every function that a program's cohorts call.
    func functions(_ program: PlannedProgram) -> [FunctionRequest] {
        var functions: [FunctionRequest] = []
        func add(_ request: FunctionRequest) {
            if !functions.contains(request) { functions.append(request) }
        }
        for cohort in program.cohorts {
            // One lane is the same in either form, and is lowered as vectorized.
            let form: FunctionRequest.Form =
                program.form == .looped && cohort.lanes > 1 ? .looped : .vectorized
            add(FunctionRequest(.initialize, lanes: cohort.lanes))
            if cohort.hasFullBatches {
                add(
                    FunctionRequest(
                        .train, lanes: cohort.lanes, steps: cohort.steps, rows: experiment.fit.batchSize, form: form))
            }
            for tail in cohort.tails {
                add(FunctionRequest(.train, lanes: cohort.lanes, steps: 1, rows: tail, form: form))
            }
            if cohort.hasFullEvaluateBatches {
                add(
                    FunctionRequest(
                        .evaluate, lanes: cohort.lanes, steps: cohort.evaluateSteps, rows: validationBatchSize,
                        form: form))
            }
            for tail in cohort.evaluateTails {
                add(FunctionRequest(.evaluate, lanes: cohort.lanes, steps: 1, rows: tail, form: form))
            }
            if program.description.finalizes { add(FunctionRequest(.finalize, lanes: cohort.lanes)) }
        }
        return functions
    }
}

extension ProgramDescription {
    /// Bytes of one lane's state.
    var stateBytes: Int { state.reduce(0) { $0 + (DType(rawValue: $1.dtype)?.byteCount(of: $1.shape) ?? 0) } }

    /// Bytes of one row over all inputs.
    var rowBytes: Int { inputs.reduce(0) { $0 + (DType(rawValue: $1.dtype)?.byteCount(of: $1.shape) ?? 0) } }
}
