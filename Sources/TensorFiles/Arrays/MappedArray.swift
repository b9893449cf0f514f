public import Files
public import SystemPackage

/// An array whose elements stand in a mapped file (or, inflated, in memory); copies share the bytes.
public struct MappedArray: Sendable {
    private enum Storage: Sendable {
        case file(MappedFile)
        case memory(OwnedBytes)
    }

    private let storage: Storage

    /// The type of the elements.
    public let dtype: DType
    /// The sizes of the dimensions, rows first; none for a single number.
    public let shape: [Int]
    /// Which byte of an element comes first; `little` for elements of one byte.
    public let byteOrder: ByteOrder
    /// Whether the first index varies fastest.
    public let fortranOrder: Bool
    /// All elements; valid while a copy of this array lives, aligned to nothing.
    ///
    /// Sendable because the bytes are read-only and `storage` keeps them in place.
    public nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
    /// The number of rows: the first dimension, or 1 for a single number.
    public let rows: Int
    /// Bytes a row.
    public let rowBytes: Int

    /// Maps the array of an NPY file.
    public init(_ path: FilePath) throws(TensorFilesError) {
        let file = try MappedFile.open(path)
        try self.init(file, ArrayFile(file, from: 0, count: nil, source: path.string))
    }

    /// Takes a canonical array at a place in a mapped file, once that is known to be inside the file.
    public init(_ file: MappedFile, offset: Int, dtype: DType, shape: [Int]) throws(TensorFilesError) {
        try self.init(
            .file(file), file.bytes, name: file.path.string, offset, dtype, shape, .little, fortranOrder: false)
    }

    init(_ file: MappedFile, _ array: ArrayFile) throws(TensorFilesError) {
        try self.init(
            .file(file), file.bytes, name: file.path.string, array.offset, array.dtype, array.shape,
            array.byteOrder, fortranOrder: array.fortranOrder)
    }

    /// Takes the NPY file that `contents` are.
    init(npy contents: [UInt8], source: String) throws(TensorFilesError) {
        let memory = OwnedBytes(contents)
        let header = try NPYHeader(memory.bytes, source: source)
        try self.init(
            .memory(memory), memory.bytes, name: source, header.length, header.dtype, header.shape, header.byteOrder,
            fortranOrder: header.fortranOrder)
    }

    private init(
        _ storage: Storage, _ all: UnsafeRawBufferPointer, name: String, _ offset: Int, _ dtype: DType,
        _ shape: [Int], _ byteOrder: ByteOrder, fortranOrder: Bool
    ) throws(TensorFilesError) {
        guard let count = dtype.byteCount(of: shape) else {
            throw TensorFilesError(code: .malformed, message: "\(name): \(shape) is not the shape of any array")
        }
        guard let bytes = all.part(offset, count) else {
            throw TensorFilesError(
                code: .truncated,
                message: "\(name): an array \(shape) of \(dtype.rawValue) at byte \(offset) does not fit into the "
                    + "\(all.count) bytes there are")
        }
        self.storage = storage
        self.bytes = bytes
        self.dtype = dtype
        self.shape = shape
        self.byteOrder = byteOrder
        self.fortranOrder = fortranOrder
        rows = shape.first ?? 1
        rowBytes = shape.dropFirst().reduce(dtype.size, *)
    }

    /// Whether the bytes are as programs take them: little-endian, the last index varying fastest.
    public var isCanonical: Bool { byteOrder == .little && (!fortranOrder || shape.count < 2) }

    /// The bytes of one row; fails for a row that is not there, or in Fortran order, where a row is not in one piece.
    public func bytes(ofRow row: Int) throws(TensorFilesError) -> UnsafeRawBufferPointer {
        guard row >= 0, row < rows else {
            throw TensorFilesError(code: .invalid, message: "there is no row \(row): the array has \(rows) rows")
        }
        guard !fortranOrder || shape.count < 2, let part = bytes.part(row * rowBytes, rowBytes) else {
            throw TensorFilesError(
                code: .unsupported, message: "an array in Fortran order has no rows in one piece; copy it first")
        }
        return part
    }

    /// Reads the elements while keeping them in place.
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(storage) {} }
        return try body(bytes)
    }
}
