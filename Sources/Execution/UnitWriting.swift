import Bundles
import Datasets
import Experiments
import Files
import FoundationEssentials
import Lowering
import Planning
import SystemPackage
import TensorFiles
import Units

extension Preparation {
    /// Writes the folder of a unit: what a runner is given.
    ///
    /// - Parameter adapted: what the layers hold that are adapted to the trials' rows; nil: there are none, or nothing is
    ///   trained.
    func write(
        _ cohort: Cohort, of program: PlannedProgram, _ group: ProgramGroup, _ adapted: AdaptedStates?, id: String,
        work: Unit.Work, in run: RunFolder
    ) throws -> Unit {
        var arrays = UnitArrays()
        let lanes = cohort.trials.map { index in
            let trial = trials[index]
            var numbers: [String: Double] = [:]
            for name in group.parameters { numbers[name] = trial.parameters[name]?.double }
            var lane = lane(
                of: trial, self.rows(of: trial, group.bundle.description), parameters: numbers,
                rates: scheduledRates(of: trial, group), &arrays)
            if let start = startFile(of: trial).flatMap({ group.starts[$0] })?.string {
                lane.start = .checkpoint(file: start, lane: 0)
                lane.configurationFile = group.startsAreModels ? start : nil
            }
            if adapted != nil { lane.adapted = arrays.adapted.number(of: trainingRows(of: trial)) }
            return lane
        }
        let folder = run.unit(id)
        // A cohort's trials are fitted alike.
        guard let fit = cohort.trials.first.map({ fitSettings(of: trials[$0], group.bundle.description) }) else {
            throw RunError(.machine, "the unit \(folder) would have no trials")
        }
        func tails(_ form: Workload.Form) -> String? {
            form == .masked ? program.maskedForm.rawValue : form == program.form ? nil : form.rawValue
        }
        var unit = Unit(
            id: id, work: work,
            program: Unit.ProgramReference(folder: group.bundle.folder.string, key: group.bundle.digest),
            packing: Unit.Packing(
                lanes: cohort.lanes, steps: cohort.steps, evaluateSteps: cohort.evaluateSteps,
                form: cohort.lanes > 1 ? program.form.rawValue : Workload.Form.vectorized.rawValue,
                tailForm: tails(cohort.tailForm), evaluateTailForm: tails(cohort.evaluateTailForm)),
            lanes: lanes, sources: references(arrays, areResident: fleet.holdsData), fit: fit,
            callbacks: unitCallbacks(group.bundle.description),
            save: saveSettings,
            narrowing: cohort.narrowing.map { Unit.Narrowing(sizes: $0.sizes, leastLaneSteps: $0.leastLaneSteps) },
            stopsOnDivergence: experiment.fit.onDivergence == .stop)
        if adapted != nil { unit.adaptedFile = StateTensor.adaptedFile }
        let leaves = try adapted?.leaves(for: arrays.adapted.order, of: group.bundle.description.state) ?? []
        return try write(unit, arrays, adapted: leaves, to: folder)
    }

    /// Writes the folder of a unit of one trial that `Model.fit` trains.
    func write(_ trial: Trial, of group: FitGroup, id: String, in run: RunFolder) throws -> Unit {
        var arrays = UnitArrays()
        let lane = lane(of: trial, rows(of: trial, nil), parameters: [:], rates: nil, &arrays)
        let offered = ["seed", "learning_rate"].compactMap { name in
            trial.parameters[name].map { (name, JSONValue($0)) }
        }
        var weights = trial.start?.file
        if case .files = experiment.model { weights = nil }
        let engine = Unit.FitEngine(
            backend: group.backend, model: model(trial.arguments, of: [trial]).json.text, weights: weights,
            adapt: experiment.adapt.map { JSONValue($0).text },
            offered: JSONValue.object(Dictionary(offered) { $1 }).text,
            roles: dataset.inputs.map { input in
                switch input.role {
                case .x: .x
                case .y: .y
                case .sampleWeight: .sampleWeight
                }
            })
        let unit = Unit(
            id: id, work: .train, engine: .fit(engine), program: Unit.ProgramReference(folder: "", key: ""),
            packing: Unit.Packing(lanes: 1, steps: 1, evaluateSteps: 1, form: Workload.Form.vectorized.rawValue),
            lanes: [lane], sources: references(arrays), fit: fitSettings(of: trial, nil), callbacks: unitCallbacks(),
            save: saveSettings, stopsOnDivergence: experiment.fit.onDivergence == .stop)
        return try write(unit, arrays, to: run.unit(id))
    }

    /// A trial in its place in a unit.
    private func lane(
        of trial: Trial, _ partition: Partition, parameters: [String: Double], rates: [Double]?,
        _ arrays: inout UnitArrays
    ) -> Unit.Lane {
        var lane = Unit.Lane(
            trial: trial.index, name: trial.name, seed: trial.seed, parameters: parameters, start: .initialize,
            source: arrays.sources.number(of: partition.source, weights: trial.fit.rowWeights),
            training: arrays.rows.range(of: partition.training, .training, in: partition, trial),
            // Weights of classes are for training alone.
            validationSource: partition.validationSource.map {
                arrays.sources.number(of: $0, weights: trial.fit.sampleWeight.map { .column($0) })
            },
            validation: partition.validation.map { arrays.rows.range(of: $0, .validation, in: partition, trial) },
            rates: rates)
        lane.timeLimit = trial.fit.timeLimit
        return lane
    }

    private func references(_ arrays: UnitArrays, areResident: Bool = false) -> [Unit.DataSource] {
        arrays.sources.order.map {
            var source = reference(dataset.source($0.source, weights: $0.weights))
            if areResident { source.isResident = true }
            return source
        }
    }

    /// Writes a unit's folder; whoever hands the unit to a runner brings it to the disk before, with others.
    private func write(
        _ unit: Unit, _ arrays: UnitArrays, adapted: [AdaptedStates.Leaf] = [], to folder: FilePath
    ) throws(RunError) -> Unit {
        var unit = unit
        do {
            try Folder.create(folder)
            let numbers = arrays.rows.numbers
            let file = folder.appending(unit.rowsFile)
            try numbers.span.withUnsafeBytes { bytes in
                try NPY.write(bytes, dtype: .int32, shape: [numbers.count], to: file)
            }
            unit.rowsDigest = try Digest.sha256(file: file)
            if let name = unit.adaptedFile { try Safetensors.write(adapted, to: folder.appending(name)) }
            try AtomicFile.write(Array(try unit.json()), to: folder.appending(Unit.fileName))
        } catch {
            throw RunError(.machine, "the unit \(folder) cannot be written", cause: error)
        }
        return unit
    }

    private var saveSettings: Unit.SaveSettings {
        let policy = experiment.save
        let checkpoint = experiment.checkpoint
        let seconds = checkpoint?.everyEpochs == nil ? checkpointSeconds : nil
        return Unit.SaveSettings(
            // Which trials are the best is known at the end, so all keep their models until then.
            final: policy.all || policy.top != nil, initial: policy.initial,
            best: policy.best.map { monitor in
                let (metric, less) = experiment.resolved(monitor)
                return Unit.Best(monitor: metric, lessIsBetter: less)
            }, checkpointSeconds: checkpoint?.everySeconds ?? seconds, checkpointEpochs: checkpoint?.everyEpochs,
            checkpointAtEnd: checkpoint?.atEnd ?? true)
    }

    private func reference(_ source: DataSource) -> Unit.DataSource {
        Unit.DataSource(
            arrays: source.arrays.map { array in
                Unit.ArrayReference(
                    input: array.name, file: array.file.string, offset: array.offset, dtype: array.dtype.rawValue,
                    shape: array.shape, fileSize: array.fileSize, modified: array.modified)
            })
    }
}

/// What a unit's lanes point into, while it grows.
private struct UnitArrays {
    var rows = RowNumbers()
    var sources = SourceNumbers()
    /// The partitions whose statistics stand in the unit's file of them.
    var adapted = AdaptedNumbers()
}

/// The rows file of a unit while it grows: a partition that several lanes share is in it once.
private struct RowNumbers {
    enum Use {
        case training, validation
    }

    /// What rows of one partition depend on.
    private struct Key: Hashable {
        /// They tell where the rows begin that are set aside to validate on.
        var training: TrainingRows
        var use: Use
        var count: Int
    }

    var numbers: [Int32] = []
    private var known: [Key: Unit.RowRange] = [:]

    mutating func range(of rows: Rows, _ use: Use, in partition: Partition, _ trial: Trial) -> Unit.RowRange {
        let training = TrainingRows(partition: trial.partition, count: partition.training.count)
        let key = Key(training: training, use: use, count: rows.count)
        if let range = known[key] { return range }
        let range: Unit.RowRange
        switch rows {
        case .all(let count): range = Unit.RowRange(start: nil, count: count)
        case .range(let stretch):
            range = Unit.RowRange(start: numbers.count, count: stretch.count)
            numbers.append(contentsOf: stretch.lazy.map { Int32($0) })
        case .indices(let indices):
            range = Unit.RowRange(start: numbers.count, count: indices.count)
            numbers.append(contentsOf: indices)
        }
        known[key] = range
        return range
    }
}

/// The rows that a unit's layers are adapted to, numbered as they come.
private struct AdaptedNumbers {
    var order: [TrainingRows] = []
    private var numbers: [TrainingRows: Int] = [:]

    mutating func number(of rows: TrainingRows) -> Int {
        if let number = numbers[rows] { return number }
        numbers[rows] = order.count
        order.append(rows)
        return order.count - 1
    }
}

/// The data sources that a unit's lanes are of, numbered as they come.
private struct SourceNumbers {
    struct Key: Hashable {
        var source: Int
        var weights: FitOptions.RowWeights?
    }

    var order: [Key] = []
    private var numbers: [Key: Int] = [:]

    mutating func number(of source: Int, weights: FitOptions.RowWeights?) -> Int {
        let key = Key(source: source, weights: weights)
        if let number = numbers[key] { return number }
        numbers[key] = order.count
        order.append(key)
        return order.count - 1
    }
}

extension AdaptedStates {
    /// A leaf of an adapted layer as it stands in a unit's file.
    typealias Leaf = (name: String, dtype: DType, shape: [Int], bytes: [UInt8])

    /// The leaves of the layers, [N, …] each, for trials of N different sets of rows.
    ///
    /// - Parameter state: the leaves of the program.
    func leaves(for order: [TrainingRows], of state: [ProgramDescription.Leaf]) throws(RunError) -> [Leaf] {
        var leaves: [Leaf] = []
        for (index, layer) in layers.enumerated() {
            for (number, kind) in [(layer.mean, \Moments.mean), (layer.variance, \Moments.variance)] {
                guard state.indices.contains(number) else {
                    throw RunError(.machine, "the program has no leaf \(number), which '\(layer.layer)' is adapted in")
                }
                let leaf = state[number]
                let refusal = RunError(.machine, "\(leaf.path) holds \(leaf.dtype), no means or variances")
                guard let dtype = DType(rawValue: leaf.dtype) else { throw refusal }
                var bytes: [UInt8] = []
                for rows in order {
                    guard let moments = moments[rows], moments.indices.contains(index) else {
                        throw RunError(.machine, "the rows that '\(layer.layer)' is adapted to were not read")
                    }
                    guard let own = leaf.bytes(of: moments[index][keyPath: kind]) else { throw refusal }
                    bytes += own
                }
                leaves.append((StateTensor.name(leaf: number), dtype, [order.count] + leaf.shape, bytes))
            }
        }
        return leaves
    }
}
