public import Experiments
import Files
import FoundationEssentials
public import TensorFiles

/// A number that rows may hold; how it is cast for the model is Keras's rule.
public protocol RowNumber: BitwiseCopyable, Sendable {
    /// The type as NumPy and Keras call it.
    static var dtype: DType { get }
}

extension Float: RowNumber { public static let dtype = DType.float32 }
extension Double: RowNumber { public static let dtype = DType.float64 }
extension Bool: RowNumber { public static let dtype = DType.bool }
extension UInt8: RowNumber { public static let dtype = DType.uint8 }
extension Int32: RowNumber { public static let dtype = DType.int32 }
extension Int64: RowNumber { public static let dtype = DType.int64 }
extension Int: RowNumber { public static let dtype = DType.int64 }

/// An array in memory, its first axis the rows: inputs, targets, weights or keys.
public struct Rows: Sendable {
    /// The numbers, the last axis the fastest.
    let bytes: [UInt8]
    let dtype: DType
    /// The length of every axis, the rows' first.
    public let shape: [Int]

    /// One number a row; shape [rows].
    public init<Number: RowNumber>(_ values: [Number]) {
        self.init(unchecked: values, shape: [values.count])
    }

    /// Rows of equal length; shape [rows, numbers a row].
    ///
    /// - Throws: for rows of different lengths.
    public init<Number: RowNumber>(_ rows: [[Number]]) throws(PronghornError) {
        let width = rows.first?.count ?? 0
        if let odd = rows.firstIndex(where: { $0.count != width }) {
            throw PronghornError(.request, "row \(odd) has \(rows[odd].count) numbers, and row 0 has \(width)")
        }
        self.init(unchecked: rows.flatMap { $0 }, shape: [rows.count, width])
    }

    /// Numbers of any shape, the last axis the fastest.
    ///
    /// - Throws: where there are more or fewer numbers than the shape takes.
    public init<Number: RowNumber>(_ values: [Number], shape: [Int]) throws(PronghornError) {
        let count = shape.reduce((1, false)) { product, length in
            let (value, overflow) = product.0.multipliedReportingOverflow(by: length)
            return (value, product.1 || overflow || length < 0)
        }
        guard !shape.isEmpty, !count.1, count.0 == values.count else {
            throw PronghornError(.request, "\(values.count) numbers are no array of the shape \(shape)")
        }
        self.init(unchecked: values, shape: shape)
    }

    private init<Number: RowNumber>(unchecked values: [Number], shape: [Int]) {
        bytes = values.withUnsafeBytes { Array($0) }
        dtype = Number.dtype
        self.shape = shape
    }

    /// Where the array lies as a NumPy file: in the cache, named by what it holds.
    func file() throws -> String {
        var digest = RunningDigest()
        let header = try NPY.header(dtype: dtype, shape: shape)
        for part in [header, bytes] { part.withUnsafeBytes { digest.update($0) } }
        let folder = CacheFolder.path("arrays")
        let path = folder.appending("\(digest.finish()).npy")
        // Durable before it has its name: what is there is whole.
        if !FileManager.default.fileExists(atPath: path.string) {
            try Folder.create(folder)
            try bytes.withUnsafeBytes { try NPY.write($0, dtype: dtype, shape: shape, to: path, durable: true) }
        }
        return path.string
    }
}

extension DataDescription {
    /// Arrays in memory: inputs, targets, a weight a row, and others by name, which partitions may name.
    ///
    /// They are written into Pronghorn's cache once, by what they hold, and read from there by all runners; a run that is gone on with reads
    /// them there again.
    ///
    /// - Throws: where arrays have different numbers of rows, or the cache cannot be written.
    public static func arrays(
        x: Rows, y: Rows? = nil, sampleWeight: Rows? = nil, columns: [String: Rows] = [:]
    ) throws(PronghornError) -> DataDescription {
        let others =
            [("y", y), ("sampleWeight", sampleWeight)] + columns.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        for case (let name, let rows?) in others where rows.shape.first != x.shape.first {
            throw PronghornError(
                .request, "\(name) has \(rows.shape.first ?? 0) rows, and x has \(x.shape.first ?? 0)")
        }
        do {
            return try .npy(
                x: x.file(), y: y?.file(), sampleWeight: sampleWeight?.file(),
                columns: columns.mapValues { try $0.file() })
        } catch {
            throw PronghornError(error)
        }
    }
}
