import Files
import SystemPackage
import TensorFiles

/// An NPY file whose rows come in any order: written under a temporary name, and renamed once all are there.
final class OutputFile {
    private let path: FilePath
    private let draft: FilePath
    private let file: FileDescriptor
    private let headerBytes: Int
    let rowBytes: Int

    init(_ path: FilePath, dtype: DType, shape: [Int]) throws {
        self.path = path
        draft = FilePath("\(path).draft")
        rowBytes = shape.dropFirst().reduce(dtype.size, *)
        let header = try NPY.header(dtype: dtype, shape: shape)
        headerBytes = header.count
        do {
            file = try FileDescriptor.open(
                draft, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: [.ownerReadWrite])
            _ = try file.writeAll(header)
        } catch {
            throw TrainingError(.files, "\(path) cannot be written", cause: error)
        }
    }

    /// Writes rows that follow each other, from a row on.
    func write(_ rows: UnsafeRawBufferPointer, at row: Int) throws(TrainingError) {
        do {
            _ = try file.writeAll(toAbsoluteOffset: Int64(headerBytes + row * rowBytes), rows)
        } catch {
            throw TrainingError(.files, "\(path) cannot be written", cause: error)
        }
    }

    /// Gives the file its name.
    func finish() throws(TrainingError) {
        do {
            try file.close()
            try Folder.rename(draft, to: path)
        } catch {
            throw TrainingError(.files, "\(path) cannot be written", cause: error)
        }
    }
}
