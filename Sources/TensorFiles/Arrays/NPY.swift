public import Files
public import SystemPackage

/// Writes NPY files, which `numpy.load` reads.
public enum NPY {
    /// The header of an array in C order, little-endian; the elements begin at a multiple of 64 bytes.
    ///
    /// bfloat16 is written as `ml_dtypes` writes it: `numpy.load(path).view(ml_dtypes.bfloat16)` reads it.
    public static func header(dtype: DType, shape: [Int]) throws(TensorFilesError) -> [UInt8] {
        guard shape.count <= NPYHeader.maximumRank, dtype.byteCount(of: shape) != nil else {
            throw TensorFilesError(code: .invalid, message: "\(shape) is not the shape of any array")
        }
        let order = dtype.size == 1 ? "|" : "<"
        let dimensions = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
        var text = "{'descr': '\(order)\(dtype.npyKind)', 'fortran_order': False, 'shape': (\(dimensions)), }"
        let unpadded = 10 + text.utf8.count + 1
        text += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"
        var bytes = NPYHeader.magic + [1, 0]
        bytes.append(little: UInt16(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
        return bytes
    }

    /// Writes an array atomically from its elements, in C order, little-endian.
    public static func write(
        _ bytes: UnsafeRawBufferPointer, dtype: DType, shape: [Int], to path: FilePath, durable: Bool = false
    ) throws(TensorFilesError) {
        try write(dtype: dtype, shape: shape, to: path, durable: durable) { (writer) throws(FilesError) in
            try writer.write(bytes)
        }
    }

    /// Writes an array atomically from elements that `body` writes piece by piece, in C order, little-endian.
    ///
    /// Fails, and leaves the path as it was, when they are not as many bytes as the shape takes.
    public static func write(
        dtype: DType, shape: [Int], to path: FilePath, durable: Bool = false,
        _ body: (inout FileWriter) throws -> Void
    ) throws(TensorFilesError) {
        let header = try header(dtype: dtype, shape: shape)
        let expected = dtype.byteCount(of: shape)
        do {
            try AtomicFile.write(to: path, durable: durable) { writer in
                try writer.write(header)
                try body(&writer)
                guard writer.count - header.count == expected else {
                    throw TensorFilesError(
                        .invalid, path,
                        "an array \(shape) of \(dtype.rawValue) takes \(expected ?? 0) bytes, "
                            + "not \(writer.count - header.count)")
                }
            }
        } catch {
            throw TensorFilesError.wrapping(error, path)
        }
    }
}
