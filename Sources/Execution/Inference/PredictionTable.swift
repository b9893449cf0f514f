import Datasets
import Files
import FoundationEssentials
import Ledger
import SystemPackage
import TensorFiles
import Units

/// What the units of a prediction left, put together: for each row of the data the outputs of its models.
struct PredictionTable {
    /// One output of the models.
    struct Output {
        var name: String
        /// The type and shape of one row, as the models give it.
        var dtype: DType
        var shape: [Int]
        /// Where each model's rows are.
        fileprivate var parts: [Part]
    }

    /// The rows of one model in the file of its unit.
    fileprivate struct Part {
        var array: MappedArray
        var first: Int

        func row(_ number: Int) throws(TensorFilesError) -> UnsafeRawBufferPointer {
            try array.bytes(ofRow: first + number)
        }
    }

    private(set) var outputs: [Output] = []
    private let chosen: ChosenModels
    /// The models that are next to each other along the axis of trials, those that share one place together: in their order.
    let columns: [[Int]]
    /// Of each column the models of each group.
    private let modelsOfGroup: [[Int: [Int]]]
    /// The groups that a row is in, and its place among their rows: those from `firstOfRow[row]` to the next row's first.
    private let firstOfRow: [Int]
    private let groupOfRow: [Int32]
    private let placeInGroup: [Int32]

    /// Whether there is an axis of trials before that of the rows.
    var hasTrialAxis: Bool { columns.count > 1 }

    /// The trials along that axis: of trials that share a place the first.
    var trials: [Int] { columns.compactMap { $0.first.map { chosen.models[$0].trial.trial } } }

    init(_ chosen: ChosenModels, _ done: [Inference.Done], in scratch: RunFolder, averages: Bool) throws {
        self.chosen = chosen
        let columns = Self.columns(of: chosen, averages: averages)
        self.columns = columns
        modelsOfGroup = columns.map { Dictionary(grouping: $0) { chosen.models[$0].group } }
        var counts = [Int](repeating: 0, count: chosen.rows + 1)
        for group in chosen.groups { for row in group.rows.numbers { counts[Int(row) + 1] += 1 } }
        for row in 0..<chosen.rows { counts[row + 1] += counts[row] }
        firstOfRow = counts
        var next = counts
        var groupOfRow = [Int32](repeating: 0, count: counts[chosen.rows])
        var placeInGroup = groupOfRow
        for (group, rows) in chosen.groups.map(\.rows).enumerated() {
            for (place, row) in rows.numbers.enumerated() {
                groupOfRow[next[Int(row)]] = Int32(group)
                placeInGroup[next[Int(row)]] = Int32(place)
                next[Int(row)] += 1
            }
        }
        self.groupOfRow = groupOfRow
        self.placeInGroup = placeInGroup
        try read(done, scratch)
    }

    /// Which models share a place along the axis of trials.
    private static func columns(of chosen: ChosenModels, averages: Bool) -> [[Int]] {
        let all = Array(chosen.models.indices)
        if averages { return [all] }
        switch chosen.use {
        case .all: return all.map { [$0] }
        case .ofGroup: return [all]
        case .heldOut:
            // Each row is for those of the trials with the same values that have not been trained on it.
            var order: [Parameters] = []
            var columns: [Parameters: [Int]] = [:]
            for number in all {
                let key = chosen.models[number].trial.parameters
                if columns[key] == nil { order.append(key) }
                columns[key, default: []].append(number)
            }
            return order.compactMap { columns[$0] }
        }
    }

    /// Of a row whose groups are known to be one at most: its group's number.
    func group(ofRow row: Int) -> Int32? { firstOfRow[row] < firstOfRow[row + 1] ? groupOfRow[firstOfRow[row]] : nil }

    /// The models of a column that are used on a row, and the row's place among the rows of each.
    private func models(of column: Int, on row: Int) -> [(model: Int, place: Int)] {
        (firstOfRow[row]..<firstOfRow[row + 1]).flatMap { entry in
            (modelsOfGroup[column][Int(groupOfRow[entry])] ?? []).map { ($0, Int(placeInGroup[entry])) }
        }
    }

    /// Rows that a column has no model for.
    func rowsWithoutModel(in column: Int) -> Int {
        (0..<chosen.rows).count { models(of: column, on: $0).isEmpty }
    }

    private mutating func read(_ done: [Inference.Done], _ scratch: RunFolder) throws {
        var found: [Int: [Part]] = [:]
        for unit in done {
            let folder = scratch.unit(unit.unit.id)
            let names = try Self.names(folder)
            if outputs.isEmpty {
                outputs = try names.enumerated().map { number, name in
                    let array = try MappedArray(folder.pushing(FilePath(Unit.outputFile(number))))
                    return Output(name: name, dtype: array.dtype, shape: Array(array.shape.dropFirst()), parts: [])
                }
            }
            guard names.count == outputs.count else { throw Self.disagree(unit, chosen) }
            for number in outputs.indices {
                let array = try MappedArray(folder.pushing(FilePath(Unit.outputFile(number))))
                guard array.dtype == outputs[number].dtype, Array(array.shape.dropFirst()) == outputs[number].shape
                else { throw Self.disagree(unit, chosen) }
                var first = 0
                for (lane, model) in zip(unit.unit.lanes, unit.models) {
                    found[model, default: []].append(Part(array: array, first: first))
                    first += lane.training.count
                }
                guard first == array.rows else {
                    throw RunError(.machine, "the unit \(folder) has predicted \(array.rows) rows, not \(first)")
                }
            }
        }
        for number in outputs.indices {
            outputs[number].parts = try chosen.models.indices.map { model in
                guard let parts = found[model], parts.indices.contains(number) else {
                    throw RunError(.machine, "there are no predictions of trial \(chosen.models[model].trial.trial)")
                }
                return parts[number]
            }
        }
    }

    private static func names(_ folder: FilePath) throws -> [String] {
        let file = try MappedFile(folder.pushing(FilePath(Unit.outputNamesFile)))
        return try file.withBytes { try JSONDecoder().decode([String].self, from: Data($0)) }
    }

    private static func disagree(_ unit: Inference.Done, _ chosen: ChosenModels) -> RunError {
        let trial = unit.models.first.map { chosen.models[$0].trial.trial } ?? 0
        return RunError(
            .request,
            "the outputs of trial \(trial) have another number, shape or type than those of trial "
                + "\(chosen.models[0].trial.trial): choose trials of one architecture by --trials")
    }

    // MARK: Writing

    /// Writes one output's array.
    func write(_ number: Int, to file: FilePath) throws {
        let output = outputs[number]
        let averages = columns.indices.contains { column in
            (0..<chosen.rows).contains { models(of: column, on: $0).count > 1 }
        }
        let dtype: DType = averages ? (output.dtype == .float64 ? .float64 : .float32) : output.dtype
        let nothing = Number.nan(dtype, count: output.shape.reduce(1, *))
        guard nothing != nil || columns.indices.allSatisfy({ rowsWithoutModel(in: $0) == 0 }) else {
            throw RunError(
                .request, "output '\(output.name)' is of \(dtype.rawValue), which has no value for rows without a model"
            )
        }
        let shape = (hasTrialAxis ? [columns.count] : []) + [chosen.rows] + output.shape
        try NPY.write(dtype: dtype, shape: shape, to: file, durable: true) { writer in
            for column in columns.indices {
                for row in 0..<chosen.rows {
                    let models = models(of: column, on: row)
                    if models.isEmpty {
                        try writer.write(nothing ?? [])
                    } else if averages {
                        let rows = try models.map {
                            try Number.values(output.parts[$0.model].row($0.place), output.dtype)
                        }
                        let mean = rows[0].indices.map { element in
                            rows.reduce(0) { $0 + $1[element] } / Double(rows.count)
                        }
                        try writer.write(Number.bytes(mean, dtype))
                    } else {
                        try writer.write(output.parts[models[0].model].row(models[0].place))
                    }
                }
            }
        }
    }
}

/// Numbers of a row between their bytes and doubles.
private enum Number {
    /// The numbers of a row.
    static func values(_ bytes: UnsafeRawBufferPointer, _ dtype: DType) -> [Double] {
        func each<Value: BitwiseCopyable>(_ type: Value.Type, _ convert: (Value) -> Double) -> [Double] {
            let size = MemoryLayout<Value>.size
            return (0..<bytes.count / size).map {
                convert(bytes.loadUnaligned(fromByteOffset: $0 * size, as: Value.self))
            }
        }
        return switch dtype {
        case .bool, .uint8: each(UInt8.self) { Double($0) }
        case .int8: each(Int8.self) { Double($0) }
        case .int16: each(Int16.self) { Double($0) }
        case .int32: each(Int32.self) { Double($0) }
        case .int64: each(Int64.self) { Double($0) }
        case .uint16: each(UInt16.self) { Double($0) }
        case .uint32: each(UInt32.self) { Double($0) }
        case .uint64: each(UInt64.self) { Double($0) }
        case .float16: each(UInt16.self) { Double(Float16(bitPattern: $0)) }
        case .bfloat16: each(UInt16.self) { Double(Float(bitPattern: UInt32($0) << 16)) }
        case .float32: each(Float.self) { Double($0) }
        case .float64: each(Double.self) { $0 }
        }
    }

    /// Means as float64, or rounded to float32.
    static func bytes(_ values: [Double], _ dtype: DType) -> [UInt8] {
        dtype == .float64
            ? values.withUnsafeBytes { Array($0) } : values.map { Float($0) }.withUnsafeBytes { Array($0) }
    }

    /// A row that says that there is no value; nil for a type that cannot.
    static func nan(_ dtype: DType, count: Int) -> [UInt8]? {
        switch dtype {
        case .float16: Array(repeating: [0x00, 0x7E], count: count).flatMap(\.self)
        case .bfloat16: Array(repeating: [0xC0, 0x7F], count: count).flatMap(\.self)
        case .float32: Array(repeating: Float.nan, count: count).withUnsafeBytes { Array($0) }
        case .float64: Array(repeating: Double.nan, count: count).withUnsafeBytes { Array($0) }
        default: nil
        }
    }
}
