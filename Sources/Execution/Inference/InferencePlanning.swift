import Bundles
import Datasets
import Devices
import Experiments
import Files
import FoundationEssentials
import Ledger
import Lowering
import Planning
import SystemPackage
import TensorFiles
import Units

/// Makes units of the models: those that share a program side by side, those of the `fit` engine one by one.
struct InferencePlanning {
    let work: Unit.Work
    let opened: Inference.Opened
    let batchSize: Int
    let scratch: RunFolder
    let progress: @Sendable (String) -> Void

    /// A unit that is written, and its models by their numbers, in the order of its lanes.
    struct Planned: Sendable {
        var unit: Unit
        var models: [Int]
    }

    private var models: [ChosenModel] { opened.chosen.models }

    /// Writes the units of all models.
    func units(_ lowerer: Lowerer) async throws -> [Planned] {
        try scratch.create()
        var planned: [Planned] = []
        for (reference, members) in grouped() {
            let native =
                reference.folder.isEmpty ? nil : try await lowered(reference, members, lowerer)
            if let (bundle, cohorts) = native {
                for cohort in cohorts { planned.append(try write(cohort, members, bundle, planned.count)) }
            } else {
                for member in members { planned.append(try writeForKeras(member, planned.count)) }
            }
        }
        return planned
    }

    /// The models by the program that they were trained as, in the order of the first.
    private func grouped() -> [(Unit.ProgramReference, [Int])] {
        var order: [Unit.ProgramReference] = []
        var members: [String: [Int]] = [:]
        for (number, model) in models.enumerated() {
            let program = model.unit.program
            if members[program.folder] == nil { order.append(program) }
            members[program.folder, default: []].append(number)
        }
        return order.map { ($0, members[$0.folder] ?? []) }
    }

    // MARK: Programs

    /// The program with the functions that are needed; nil where Keras itself must load the models.
    private func lowered(
        _ reference: Unit.ProgramReference, _ members: [Int], _ lowerer: Lowerer
    ) async throws -> (bundle: Bundle, cohorts: [Cohort])? {
        guard let bundle = Bundle.cached(in: FilePath(reference.folder), digest: reference.key) else {
            progress(
                "the program of \(members.count) trials is gone from the cache or damaged: Keras loads their models")
            return nil
        }
        let inputs = bundle.description.inputs
        let isWeighed = opened.source.arrays.contains { $0.role == .sampleWeight }
        if work == .evaluate, isWeighed, !inputs.contains(where: { $0.role == .sampleWeight }) {
            progress("the run was trained without weights of rows, so that Keras evaluates with them")
            return nil
        }
        try agree(
            with: inputs.filter { $0.role != .sampleWeight }.map { input in
                Expected(
                    name: input.name, role: DatasetArray.Role(input.role), shape: input.shape, dtype: input.dtype)
            })
        let cohorts = cohorts(bundle.description, members)
        let result = await added(functions(cohorts, bundle.description), to: bundle, lowerer)
        switch result {
        case .success(let bundle): return (bundle, cohorts)
        case .failure(let error):
            if error.code == .cancelled { throw error }
            progress(
                "the program of \(members.count) trials cannot \(work.rawValue) (\(error.message)): Keras loads their models"
            )
            return nil
        }
    }

    private func added(
        _ functions: [FunctionRequest], to bundle: Bundle, _ lowerer: Lowerer
    ) async -> Result<Bundle, LoweringError> {
        do throws(LoweringError) {
            return .success(try await lowerer.lower(functions, in: bundle))
        } catch {
            return .failure(error)
        }
    }

    private func form(_ description: ProgramDescription) -> Workload.Form {
        description.hasConvolution && opened.devices.first?.platform == "cpu" ? .looped : .vectorized
    }

    /// Packs models of one program; the trials of a cohort are the models' numbers.
    private func cohorts(_ description: ProgramDescription, _ members: [Int]) -> [Cohort] {
        let outputs = description.outputs.reduce(0) { $0 + (DType(rawValue: $1.dtype)?.byteCount(of: $1.shape) ?? 0) }
        let workload = Workload(
            trials: members.map {
                Workload.Trial(index: $0, trainingRows: rows(of: models[$0]).count, validationRows: 0)
            },
            program: Workload.Program(
                form: form(description), stateBytes: description.stateBytes, rowBytes: description.rowBytes + outputs),
            batchSize: batchSize, validationBatchSize: batchSize, epochs: 1)
        let isCPU = opened.devices.first?.platform == "cpu"
        let fleet = DeviceFleet(
            count: opened.devices.count, memory: opened.devices.compactMap(\.memory).min() ?? .max,
            kind: isCPU ? .cpu : .gpu)
        return Packing.cohorts(of: workload, on: fleet).map { cohort in
            var cohort = cohort
            cohort.steps = Self.steps(upTo: cohort.steps)
            return cohort
        }
    }

    /// Steps a call: a power of two of about a quarter of the steps there are, so that data of another length needs no other
    /// function, and few steps are empty.
    static func steps(upTo most: Int) -> Int {
        var steps = 1
        while steps * 8 <= most { steps *= 2 }
        return steps
    }

    private func functions(_ cohorts: [Cohort], _ description: ProgramDescription) -> [FunctionRequest] {
        let name: FunctionRequest.Name = work == .predict ? .predict : .evaluate
        var functions: [FunctionRequest] = []
        for cohort in cohorts {
            let form: FunctionRequest.Form =
                form(description) == .looped && cohort.lanes > 1 ? .looped : .vectorized
            if description.drawsBeyondFiles { functions.append(FunctionRequest(.initialize, lanes: cohort.lanes)) }
            if cohort.hasFullBatches {
                functions.append(
                    FunctionRequest(name, lanes: cohort.lanes, steps: cohort.steps, rows: batchSize, form: form))
            }
            functions += cohort.tails.map {
                FunctionRequest(name, lanes: cohort.lanes, steps: 1, rows: $0, form: form)
            }
        }
        return functions.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private func write(_ cohort: Cohort, _ members: [Int], _ bundle: Bundle, _ number: Int) throws -> Planned {
        let description = bundle.description
        let arrays = try description.inputs.filter { work == .evaluate || $0.role == .x }.map { input in
            try array(input.name, DatasetArray.Role(input.role)) ?? ones(input)
        }
        return try write(
            cohort.trials, .native, Unit.ProgramReference(folder: bundle.folder.string, key: bundle.digest),
            Unit.Packing(
                lanes: cohort.lanes, steps: cohort.steps, evaluateSteps: cohort.steps,
                form: cohort.lanes > 1 ? form(description).rawValue : Workload.Form.vectorized.rawValue),
            arrays, number)
    }

    /// Weights of 1, for a program that takes weights and data that has none.
    private func ones(_ input: ProgramDescription.Input) throws -> Unit.ArrayReference {
        let file = scratch.path.appending("ones.npy")
        let shape = [opened.chosen.rows] + input.shape
        if (try? FileStamp(of: file)) == nil {
            let ones = [Float](repeating: 1, count: shape.reduce(1, *))
            try ones.withUnsafeBytes { try NPY.write($0, dtype: .float32, shape: shape, to: file) }
        }
        let (array, stamp) = (try ArrayFile(file), try FileStamp(of: file))
        return Unit.ArrayReference(
            input: input.name, file: file.string, offset: array.offset, dtype: DType.float32.rawValue, shape: shape,
            fileSize: Int(stamp.size), modified: stamp.modified)
    }

    // MARK: Keras

    private func writeForKeras(_ number: Int, _ unit: Int) throws -> Planned {
        let model = models[number]
        var engine: Unit.FitEngine
        if case .fit(let own) = model.unit.engine {
            engine = own
        } else {
            engine = Unit.FitEngine(backend: .jax, model: modelText, offered: "{}", roles: [])
        }
        // As the trial was trained, by the names that it knows its arrays by.
        let trained = model.unit.sources.first?.arrays ?? []
        var expected = trained.enumerated().map { index, array in
            let known =
                engine.roles.indices.contains(index) ? DatasetArray.Role(engine.roles[index]) : role(of: array.input)
            return Expected(name: array.input, role: known, shape: Array(array.shape.dropFirst()), dtype: array.dtype)
        }
        expected.removeAll { $0.role == .sampleWeight || (work == .predict && $0.role != .x) }
        try agree(with: expected)
        if work == .evaluate, array("sample_weight", .sampleWeight) != nil {
            expected.append(Expected(name: "sample_weight", role: .sampleWeight, shape: [], dtype: "float32"))
        }
        engine.roles = expected.map { Unit.FitEngine.Role($0.role) }
        engine.weights = nil
        return try write(
            [number], .fit(engine), Unit.ProgramReference(folder: "", key: ""),
            Unit.Packing(lanes: 1, steps: 1, evaluateSteps: 1, form: Workload.Form.vectorized.rawValue),
            expected.compactMap { array($0.name, $0.role) }, unit)
    }

    /// The lowering process's MODEL of the run's models: Keras needs the user's file for the classes that it registers.
    private var modelText: String {
        let folder = FilePath(opened.description.folder)
        return switch opened.description.experiment.model {
        case .function(let function):
            ProgramRequest.Model.function(
                file: folder.pushing(FilePath(function.file)).lexicallyNormalized(), name: function.function,
                arguments: [:]
            ).json.text
        case .keras, .files, .layers, .configuration, .configurations: JSONValue.object(["kind": "keras"]).text
        }
    }

    /// What an array was to the model, where only the experiment tells.
    private func role(of input: String) -> DatasetArray.Role {
        let data = opened.description.experiment.data
        if input == "sample_weight" { return .sampleWeight }
        if input == "y" || data.y.contains(where: { $0.name == input }) { return .y }
        return opened.source.arrays.first { $0.name == input }?.role ?? .x
    }

    // MARK: Units

    private func rows(of model: ChosenModel) -> Rows { opened.chosen.groups[model.group].rows }

    private func write(
        _ numbers: [Int], _ engine: Unit.Engine, _ program: Unit.ProgramReference, _ packing: Unit.Packing,
        _ arrays: [Unit.ArrayReference], _ number: Int
    ) throws -> Planned {
        var indices: [Int32] = []
        var ranges: [Int: Unit.RowRange] = [:]
        var sources: [Unit.DataSource] = []
        let lanes = try numbers.map { number in
            let model = models[number]
            let source = Unit.DataSource(arrays: try trained(model, arrays))
            if !sources.contains(source) { sources.append(source) }
            var lane = model.lane
            lane.start = .model(file: model.model.string)
            lane.configurationFile = nil
            lane.source = sources.firstIndex(of: source) ?? 0
            lane.validationSource = nil
            lane.validation = nil
            lane.rates = nil
            let rows = rows(of: model)
            if case .all(let count) = rows {
                lane.training = Unit.RowRange(start: nil, count: count)
            } else {
                lane.training = ranges[model.group] ?? Unit.RowRange(start: indices.count, count: rows.count)
                if ranges[model.group] == nil { indices += rows.numbers }
                ranges[model.group] = lane.training
            }
            return lane
        }
        let unit = Unit(
            id: String(number), work: work, engine: engine, program: program, packing: packing, lanes: lanes,
            sources: sources,
            fit: Unit.FitSettings(
                firstEpoch: 0, lastEpoch: 0, batchSize: batchSize, validationBatchSize: batchSize,
                validationFrequency: .every(1), shuffle: .none), save: Unit.SaveSettings(final: false))
        let folder = scratch.unit(unit.id)
        try Folder.create(folder)
        try indices.span.withUnsafeBytes { bytes in
            try NPY.write(bytes, dtype: .int32, shape: [indices.count], to: folder.appending(unit.rowsFile))
        }
        try AtomicFile.write(Array(try unit.json()), to: folder.appending(Unit.fileName))
        return Planned(unit: unit, models: numbers)
    }

    // MARK: Data

    /// The arrays for a model: for rows that it was held out from those that it was trained on, where they have other numbers
    /// in the place of missing ones.
    ///
    /// - Throws: `RunError` where held-out rows are not any more what they were.
    private func trained(_ model: ChosenModel, _ arrays: [Unit.ArrayReference]) throws -> [Unit.ArrayReference] {
        guard opened.chosen.use == .heldOut, model.unit.sources.indices.contains(model.lane.source) else {
            return arrays
        }
        let cache = CacheFolder.path()
        return try arrays.map { array in
            let known = model.unit.sources[model.lane.source].arrays.first { $0.input == array.input }
            guard let known else { return array }
            let stamp = try? FileStamp(of: FilePath(known.file))
            let isOurs = FilePath(known.file).starts(with: cache)
            let isFilled = opened.source.arrays.contains { $0.name == array.input && !$0.fills.isEmpty }
            if isOurs, !isFilled { return array }
            guard let stamp, stamp.size == Int64(known.fileSize), isOurs || stamp.modified == known.modified else {
                throw RunError(
                    .request,
                    "--out-of-fold: \(known.file), on which trial \(model.trial.trial) was trained, "
                        + (stamp == nil ? "is gone" : "has changed since"))
            }
            var found = known
            found.modified = stamp.modified
            return found
        }
    }

    /// An array that the models take.
    private struct Expected {
        var name: String
        var role: DatasetArray.Role
        var shape: [Int]
        var dtype: String
    }

    private func array(_ name: String, _ role: DatasetArray.Role) -> Unit.ArrayReference? {
        opened.source.arrays.first { $0.name == name && $0.role == role }.map { array in
            Unit.ArrayReference(
                input: array.name, file: array.file.string, offset: array.offset, dtype: array.dtype.rawValue,
                shape: array.shape, fileSize: array.fileSize, modified: array.modified)
        }
    }

    /// Refuses data that is not what the models were trained on.
    private func agree(with expected: [Expected]) throws(RunError) {
        let wanted = expected.filter { work == .evaluate || $0.role == .x }
        for input in wanted {
            guard let array = opened.source.arrays.first(where: { $0.name == input.name && $0.role == input.role })
            else {
                let there = opened.source.arrays.map(\.name).joined(separator: ", ")
                let names = wanted.map(\.name).joined(separator: ", ")
                throw RunError(
                    .request,
                    "--data: the models take '\(input.name)', which the data does not have; it has \(there), "
                        + "and what is needed is \(names)")
            }
            guard array.rowShape == input.shape, array.dtype.rawValue == input.dtype else {
                throw RunError(
                    .request,
                    "--data: a row of \(array.origin) is \(Self.shown(array.rowShape, array.dtype.rawValue)), but the "
                        + "models take '\(input.name)' of \(Self.shown(input.shape, input.dtype))")
            }
        }
        let xs = opened.source.arrays.filter { $0.role == .x }
        if let extra = xs.first(where: { array in !wanted.contains { $0.name == array.name && $0.role == .x } }) {
            throw RunError(
                .request,
                "--data: the models take no input '\(extra.name)'; they take "
                    + wanted.filter { $0.role == .x }.map(\.name).joined(separator: ", "))
        }
    }

    private static func shown(_ shape: [Int], _ dtype: String) -> String {
        "(\(shape.map(String.init).joined(separator: ", "))\(shape.count == 1 ? "," : "")) \(dtype)"
    }
}

extension DatasetArray.Role {
    fileprivate init(_ role: ProgramDescription.Input.Role) {
        switch role {
        case .x: self = .x
        case .y: self = .y
        case .sampleWeight: self = .sampleWeight
        }
    }

    fileprivate init(_ role: Unit.FitEngine.Role) {
        switch role {
        case .x: self = .x
        case .y: self = .y
        case .sampleWeight: self = .sampleWeight
        }
    }
}

extension Unit.FitEngine.Role {
    fileprivate init(_ role: DatasetArray.Role) {
        switch role {
        case .x: self = .x
        case .y: self = .y
        case .sampleWeight: self = .sampleWeight
        }
    }
}
