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
    private let averages: Bool
    /// The models of each group.
    private let modelsOfGroup: [[Int]]
    /// The group of each row of the data, and its place among the rows of its group.
    let groupOfRow: [Int32]
    private let placeInGroup: [Int32]

    /// Whether each model has predictions of its own, along an axis before that of the rows.
    var hasTrialAxis: Bool { !averages && chosen.groups.first?.label == nil && chosen.models.count > 1 }

    init(_ chosen: ChosenModels, _ done: [Inference.Done], in scratch: RunFolder, averages: Bool) throws {
        self.chosen = chosen
        self.averages = averages
        var modelsOfGroup: [[Int]] = chosen.groups.map { _ in [] }
        for (number, model) in chosen.models.enumerated() { modelsOfGroup[model.group].append(number) }
        self.modelsOfGroup = modelsOfGroup
        var groupOfRow = [Int32](repeating: 0, count: chosen.rows)
        var placeInGroup = [Int32](repeating: 0, count: chosen.rows)
        for (group, rows) in chosen.groups.map(\.rows).enumerated() {
            for (place, row) in rows.numbers.enumerated() {
                groupOfRow[Int(row)] = Int32(group)
                placeInGroup[Int(row)] = Int32(place)
            }
        }
        self.groupOfRow = groupOfRow
        self.placeInGroup = placeInGroup
        try read(done, scratch)
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
        if hasTrialAxis {
            let shape = [chosen.models.count, chosen.rows] + output.shape
            return try NPY.write(dtype: output.dtype, shape: shape, to: file, durable: true) { writer in
                for part in output.parts {
                    for row in 0..<chosen.rows { try writer.write(part.row(row)) }
                }
            }
        }
        let averages = averages && modelsOfGroup.contains { $0.count > 1 }
        let dtype: DType = averages ? (output.dtype == .float64 ? .float64 : .float32) : output.dtype
        let nothing = Number.nan(dtype, count: output.shape.reduce(1, *))
        guard nothing != nil || !modelsOfGroup.contains([]) else {
            throw RunError(
                .request, "output '\(output.name)' is of \(dtype.rawValue), which has no value for rows without a model"
            )
        }
        try NPY.write(dtype: dtype, shape: [chosen.rows] + output.shape, to: file, durable: true) { writer in
            for row in 0..<chosen.rows {
                let models = modelsOfGroup[Int(groupOfRow[row])]
                let place = Int(placeInGroup[row])
                if models.isEmpty {
                    try writer.write(nothing ?? [])
                } else if averages {
                    let rows = try models.map { try Number.values(output.parts[$0].row(place), output.dtype) }
                    let mean = rows[0].indices.map { element in
                        rows.reduce(0) { $0 + $1[element] } / Double(rows.count)
                    }
                    try writer.write(Number.bytes(mean, dtype))
                } else {
                    try writer.write(output.parts[models[0]].row(place))
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
