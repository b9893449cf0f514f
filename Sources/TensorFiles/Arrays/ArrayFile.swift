import Files
public import SystemPackage

/// Where an array stands in a file, and what it is; the elements are not read.
public struct ArrayFile: Sendable, Equatable {
    /// The file: an NPY file, or an NPZ archive that holds the array as it is.
    public var path: FilePath
    /// The type of the elements.
    public var dtype: DType
    /// Which byte of an element comes first; `little` for elements of one byte.
    public var byteOrder: ByteOrder
    /// Whether the first index varies fastest.
    public var fortranOrder: Bool
    /// The sizes of the dimensions, rows first; none for a single number.
    public var shape: [Int]
    /// Bytes before the first element, from the start of the file.
    public var offset: Int
    /// Bytes of all elements.
    public var byteCount: Int

    /// Reads the header of an NPY file and checks that the file holds all that it declares.
    public init(_ path: FilePath) throws(TensorFilesError) {
        try self.init(MappedFile.open(path), from: 0, count: nil, source: path.string)
    }

    init(_ file: MappedFile, from start: Int, count: Int?, source: String) throws(TensorFilesError) {
        let header = try file.withBytes { (bytes) throws(TensorFilesError) in
            guard let part = bytes.part(start, count ?? bytes.count) else {
                throw TensorFilesError(code: .truncated, message: "\(source): the file ends before the array")
            }
            return try NPYHeader(part, source: source)
        }
        path = file.path
        dtype = header.dtype
        byteOrder = header.byteOrder
        fortranOrder = header.fortranOrder
        shape = header.shape
        offset = start + header.length
        byteCount = header.byteCount
    }

    /// Whether the bytes are as programs take them: little-endian, the last index varying fastest.
    public var isCanonical: Bool { byteOrder == .little && (!fortranOrder || shape.count < 2) }
}
