import Experiments
import Files
import SystemPackage
import TensorFiles

/// Turns weights of classes into weights of rows, as `keras.src.trainers.data_adapters.data_adapter_utils.class_weight_to_sample_weights`
/// does: once for each set of weights and array of targets, in a file of the cache that all runners map.
struct ClassWeights {
    /// The weight of each class by its number; other classes weigh 1.
    var weights: [Int: Double]
    /// The key of the experiment that gives them.
    var key: String
    var preparation: ArrayPreparation

    /// The weights of the rows of a source, each of the shape `weightShape`, which holds one number.
    func rowWeights(of source: DataSource, weightShape: [Int]) throws -> DatasetArray {
        let targets = source.arrays.filter { $0.role == .y }
        guard targets.count == 1, let y = targets.first, y.name == "y" else {
            throw fail("the data has no target of its own, called y, whose classes they could be of")
        }
        guard y.rowShape.dropLast().allSatisfy({ $0 == 1 }), (y.rowShape.last ?? 1) >= 1 else {
            throw fail(
                "a row of \(y.origin) is \(shown(y.rowShape)): neither a class number nor one number a class")
        }
        guard weightShape.allSatisfy({ $0 == 1 }) else {
            throw fail("rows to validate on have weights of the shape \(shown(weightShape)), not one a row")
        }
        let file = try place(for: y, weightShape)
        if !CachedArray.isWhole(file) {
            do {
                try Folder.create(file.removingLastComponent())
                try write(y, [y.rows] + weightShape, to: file)
            } catch {
                throw DatasetsError(code: .cache, message: "cannot write \(file): \(error)", cause: error)
            }
        }
        return try preparation.prepare(
            Location(path: file, text: "the class weights of \(y.origin)", key: key), name: "sample_weight",
            role: .sampleWeight)
    }

    private func fail(_ message: String) -> ExperimentError {
        preparation.experiment.error(at: key, message)
    }

    private func place(for y: DatasetArray, _ weightShape: [Int]) throws -> FilePath {
        let stamp: FileStamp
        do { stamp = try FileStamp(of: y.file) } catch { throw fail(error.message) }
        let text = weights.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        return preparation.cacheFile(
            "class-weights", "npy", Location(path: y.file, text: y.origin, key: key), stamp,
            ["\(y.offset)", y.dtype.rawValue, "\(y.shape)", "\(weightShape)", text])
    }

    private func write(_ y: DatasetArray, _ shape: [Int], to file: FilePath) throws {
        let mapped = try MappedArray(MappedFile(y.file), offset: y.offset, dtype: y.dtype, shape: y.shape)
        let numbers = weights.mapValues { Float($0) }
        let width = y.rowShape.last ?? 1
        let piece = 1 << 16
        try CachedArray.write(dtype: .float32, shape: shape, to: file) { writer in
            try mapped.withBytes { bytes in
                for first in stride(from: 0, to: y.rows, by: piece) {
                    let rows = first..<min(first + piece, y.rows)
                    let weights = classes(bytes, rows, width, y.dtype).map { numbers[$0] ?? 1 }
                    try weights.withUnsafeBytes { try writer.write($0) }
                }
            }
        }
    }

    private func classes(_ bytes: UnsafeRawBufferPointer, _ rows: Range<Int>, _ width: Int, _ dtype: DType) -> [Int] {
        switch dtype {
        case .bool, .uint8: classes(bytes, rows, width) { (value: UInt8) in Double(value) }
        case .int8: classes(bytes, rows, width) { (value: Int8) in Double(value) }
        case .int16: classes(bytes, rows, width) { (value: Int16) in Double(value) }
        case .uint16: classes(bytes, rows, width) { (value: UInt16) in Double(value) }
        case .int32: classes(bytes, rows, width) { (value: Int32) in Double(value) }
        case .uint32: classes(bytes, rows, width) { (value: UInt32) in Double(value) }
        case .float32: classes(bytes, rows, width) { (value: Float) in Double(value) }
        // An array of a dataset is of a type that Keras casts to.
        case .int64, .uint64, .float16, .bfloat16, .float64: []
        }
    }

    /// The class of each row: its one number, rounded, or the place of the first of its greatest numbers.
    private func classes<Value: BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ rows: Range<Int>, _ width: Int, _ number: (Value) -> Double
    ) -> [Int] {
        rows.map { row in
            func value(_ place: Int) -> Double {
                number(
                    bytes.loadUnaligned(
                        fromByteOffset: (row * width + place) * MemoryLayout<Value>.size, as: Value.self))
            }
            guard width > 1 else { return Int(exactly: value(0).rounded(.toNearestOrEven)) ?? .min }
            var greatest = 0
            for place in 1..<width where value(place) > value(greatest) { greatest = place }
            return greatest
        }
    }
}
