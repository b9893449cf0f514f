import Files
import SystemPackage
import TensorFiles

/// An array that is made once and kept in the cache, in a file whose name stands for all that it is made of.
///
/// Such a file is brought to the disk before it gets its name, so that after a loss of power it holds what was written or is not there. One that
/// is of another size than its header says is made anew all the same. There is no digest of the contents: every start of a run would
/// have to read gigabytes to check it.
enum CachedArray {
    /// Whether the file is there, of the size that its header says.
    static func isWhole(_ file: FilePath) -> Bool {
        guard let array = try? ArrayFile(file), let stamp = try? FileStamp(of: file) else { return false }
        return stamp.size == Int64(array.offset + array.byteCount)
    }

    /// Writes the file, as ``NPY`` does, and brings it to the disk before it gets its name.
    static func write(
        dtype: DType, shape: [Int], to file: FilePath, _ body: (inout FileWriter) throws -> Void
    ) throws(TensorFilesError) {
        try NPY.write(dtype: dtype, shape: shape, to: file, durable: true, body)
    }
}
