import Datasets
import Experiments
import Files
import Foundation
import SystemPackage
import TensorFiles

/// A folder that is gone when the test ends, with arrays in it.
final class Workplace {
    let folder: FilePath

    init() throws {
        folder = FilePath(NSTemporaryDirectory()).appending("datasets-\(UUID().uuidString)")
        try Folder.create(folder)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder.string) }

    var cache: FilePath { folder.appending("cache") }

    func save<Value: BitwiseCopyable>(_ name: String, _ dtype: DType, _ shape: [Int], _ values: [Value]) throws {
        let path = folder.appending(name)
        try Folder.create(path.removingLastComponent())
        try values.withUnsafeBytes { try NPY.write($0, dtype: dtype, shape: shape, to: path) }
    }

    func floats(_ name: String, rows: Int, columns: Int = 2) throws {
        try save(name, .float32, [rows, columns], (0..<(rows * columns)).map { Float($0) })
    }

    /// Text as NumPy's `<U` arrays hold it.
    func text(_ name: String, _ values: [String]) throws {
        let width = values.map(\.unicodeScalars.count).max() ?? 0
        var header = "{'descr': '<U\(width)', 'fortran_order': False, 'shape': (\(values.count),), }"
        header += String(repeating: " ", count: 117 - header.utf8.count) + "\n"
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8)
        for value in values {
            var scalars = value.unicodeScalars.map(\.value)
            scalars += [UInt32](repeating: 0, count: width - scalars.count)
            for scalar in scalars { withUnsafeBytes(of: scalar.littleEndian) { bytes += Array($0) } }
        }
        try AtomicFile.write(bytes, to: folder.appending(name))
    }

    func experiment(_ rest: String, data: String = "{x: x.npy}") throws -> Experiment {
        try Experiment(yaml: "model: m.py:build\ndata: \(data)\n\(rest)", file: "e.yaml")
    }

    func open(_ rest: String = "", data: String = "{x: x.npy}") throws -> Dataset {
        try Dataset.open(experiment(rest, data: data), relativeTo: folder, cache: cache)
    }

    /// The message of the error that opening and dividing the data ends with.
    func message(_ rest: String = "", data: String = "{x: x.npy}") throws -> String? {
        do {
            _ = try open(rest, data: data).partitions(devices: 2)
            return nil
        } catch let error as ExperimentError {
            return error.description
        }
    }
}

func elements<Value: BitwiseCopyable>(_ array: DatasetArray, _ type: Value.Type) throws -> [Value] {
    let mapped = try MappedArray(MappedFile(array.file), offset: array.offset, dtype: array.dtype, shape: array.shape)
    return mapped.withBytes { bytes in
        (0..<(bytes.count / MemoryLayout<Value>.size)).map {
            bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Value>.size, as: Value.self)
        }
    }
}
