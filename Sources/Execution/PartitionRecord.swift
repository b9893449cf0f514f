import Datasets
import Files
import FoundationEssentials
import SystemPackage
import TensorFiles

/// Which rows each partition has, kept with a run's results: `partitions.json`, and `rows.npy` with the row numbers.
struct PartitionRecord {
    /// One partition.
    struct Entry: Encodable, Equatable {
        var label: String
        /// Which data the rows are of: a file's name with `{by: file}`, otherwise `all`.
        var source: String
        var training: Stretch
        /// `validation` are rows of `validationSource`: `all`, a file's name, or `validation` for data of its own.
        var validationSource: String?
        var validation: Stretch?
        /// What stands for missing values.
        var fills: [ColumnFill]?

        enum CodingKeys: String, CodingKey {
            case label, source, training, validation, fills
            case validationSource = "validation_source"
        }
    }

    /// Rows by their numbers: `first..<first + count`, or `count` numbers of `rows.npy` from `start` on.
    struct Stretch: Encodable, Equatable {
        var first: Int?
        var start: Int?
        var count: Int
        /// The SHA-256 digest of the numbers as little-endian int32, where they stand in the file.
        var sha256: String?
    }

    private struct List: Encodable {
        var version = 1
        var partitions: [Entry]
        var test: Stretch?
    }

    private(set) var partitions: [Entry] = []
    private(set) var test: Stretch?
    /// What `rows.npy` holds.
    private(set) var numbers: [Int32] = []

    init(_ partitions: [Partition], test: Rows?, of dataset: Dataset) {
        for partition in partitions {
            let training = stretch(partition.training)
            let validation = partition.validation.map { stretch($0) }
            self.partitions.append(
                Entry(
                    label: partition.label, source: dataset.sources[partition.source].label, training: training,
                    validationSource: partition.validationSource.map { dataset.sources[$0].label },
                    validation: validation, fills: partition.fills.isEmpty ? nil : partition.fills))
        }
        self.test = test.map { stretch($0) }
    }

    private mutating func stretch(_ rows: Rows) -> Stretch {
        switch rows {
        case .all(let count): return Stretch(first: 0, count: count)
        case .range(let range): return Stretch(first: range.lowerBound, count: range.count)
        case .indices(let indices):
            defer { numbers.append(contentsOf: indices) }
            let digest = indices.withUnsafeBytes { Digest.sha256($0) }
            return Stretch(start: numbers.count, count: indices.count, sha256: digest)
        }
    }

    func write(to folder: FilePath) throws {
        try Folder.create(folder)
        try numbers.span.withUnsafeBytes { bytes in
            try NPY.write(bytes, dtype: .int32, shape: [numbers.count], to: folder.appending("rows.npy"))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let list = try encoder.encode(List(partitions: partitions, test: test))
        try AtomicFile.write(Array(list), to: folder.appending("partitions.json"))
    }
}
