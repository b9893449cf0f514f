import Bundles
import Files
import SystemPackage
import TensorFiles
import Units

/// The mapped arrays of one data source, one a program input, checked against what the program expects.
struct DataArrays: Sendable {
    /// One input's rows in a mapped file.
    struct Column: Sendable {
        let file: MappedFile
        /// The file's number on its file system.
        let inode: UInt64
        let offset: Int
        let rowBytes: Int

        /// The first byte of the first row.
        var base: UnsafeRawPointer {
            // Only a file with rows in it becomes a column, and such a file has a first byte.
            file.bytes.baseAddress.unsafelyUnwrapped + offset
        }
    }

    /// What the unit says of them.
    let source: Unit.DataSource
    let columns: [Column]
    let rows: Int

    /// Maps the arrays.
    ///
    /// - Throws: `dataChanged` when a file is not the one that the run began with, `invalidUnit` when the arrays do not
    ///   fit the program or their files.
    init(_ source: Unit.DataSource, for inputs: [ProgramDescription.Input]) throws(TrainingError) {
        guard source.arrays.count == inputs.count else {
            throw TrainingError(.invalidUnit, "\(source.arrays.count) arrays for \(inputs.count) inputs")
        }
        var columns: [Column] = []
        var rows: Int?
        for (array, input) in zip(source.arrays, inputs) {
            guard array.input == input.name, array.dtype == input.dtype, Array(array.shape.dropFirst()) == input.shape,
                let count = array.shape.first, count > 0, count == rows ?? count
            else {
                throw TrainingError(
                    .invalidUnit,
                    "array \(array.input) \(array.dtype)\(array.shape) does not fit input \(input.name) "
                        + "\(input.dtype)\(input.shape)")
            }
            columns.append(try Self.map(array, input))
            rows = count
        }
        self.source = source
        self.columns = columns
        self.rows = rows ?? 0
    }

    /// Looks at the files once more, after they have been read: one that was written to meanwhile is mapped as it is now.
    ///
    /// A file that was replaced by another under its name is still mapped as it was; the next unit notices that.
    func checkUnchanged() throws(TrainingError) {
        for column in columns {
            guard let stamp = try? FileStamp(of: column.file.path), stamp.inode == column.inode else { continue }
            guard stamp.size == Int64(column.file.size), stamp.modified == column.file.modified else {
                throw TrainingError(
                    .dataChanged, "\(column.file.path) was changed while it was trained on; start a new run for it")
            }
        }
    }

    private static func map(
        _ array: Unit.ArrayReference, _ input: ProgramDescription.Input
    ) throws(TrainingError) -> Column {
        guard let type = DType(rawValue: array.dtype) else {
            throw TrainingError(.invalidUnit, "array \(array.input) has the unknown element type \(array.dtype)")
        }
        let file: MappedFile
        let inode: UInt64
        do {
            file = try MappedFile(FilePath(array.file))
            inode = try FileStamp(of: file.path).inode
        } catch {
            // It may come back, or be made again; nothing is wrong with the trials.
            throw TrainingError(.files, "\(array.file) cannot be read", cause: error)
        }
        guard file.size == array.fileSize, file.modified == array.modified else {
            throw TrainingError(.dataChanged, "\(array.file) was changed after the run began; start a new run for it")
        }
        var bytes = type.size
        for extent in array.shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
            guard !overflow, extent >= 0 else {
                throw TrainingError(.invalidUnit, "\(array.file): a shape of \(array.shape) is too large")
            }
            bytes = product
        }
        guard array.offset >= 0, bytes <= file.size, array.offset <= file.size - bytes else {
            throw TrainingError(.invalidUnit, "\(array.file) is too short for its array of shape \(array.shape)")
        }
        return Column(
            file: file, inode: inode, offset: array.offset, rowBytes: array.shape.dropFirst().reduce(type.size, *))
    }
}
