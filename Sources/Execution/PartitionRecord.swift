import Datasets
import Files
import FoundationEssentials
import SystemPackage
import TensorFiles

/// Which rows each partition has, kept with a run's results: `partitions.json`, and the file that it names with the row numbers,
/// `rows.npy`.
struct PartitionRecord {
    /// One partition.
    struct Entry: Codable, Equatable {
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
    struct Stretch: Codable, Equatable {
        var first: Int?
        var start: Int?
        var count: Int
        /// The SHA-256 digest of the numbers as little-endian int32, where they stand in the file.
        var sha256: String?
    }

    fileprivate struct List: Codable, Equatable {
        var version = 1
        var partitions: [Entry]
        var test: Stretch?
        /// The file beside the list that holds the row numbers; nil: `rows.npy`.
        var rows: String?
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

    /// Keeps the record in a folder.
    ///
    /// One that says the same stays as it is. Where a partition that it names is otherwise now (its data have changed), it
    /// stays as `partitions-1.json`, …, with the row numbers that it speaks of. Files of row numbers are never written over, so
    /// that the list and its numbers agree at any moment.
    func write(to folder: FilePath) throws {
        try Folder.create(folder)
        let file = folder.appending("partitions.json")
        var list = List(partitions: partitions, test: test)
        let earlier = try? MappedFile(file).withBytes { bytes in
            (try JSONDecoder().decode(List.self, from: Data(bytes)), Array(bytes))
        }
        let rows = earlier?.0.rows ?? "rows.npy"
        list.rows = rows
        if holdsNumbers(folder.appending(rows)) {
            if var known = earlier?.0 {
                known.rows = rows
                if known == list { return }
            }
        } else {
            list.rows = Self.free("rows", "npy", in: folder)
            try numbers.span.withUnsafeBytes { bytes in
                try NPY.write(
                    bytes, dtype: .int32, shape: [numbers.count], to: folder.appending(list.rows ?? "rows.npy"))
            }
        }
        if let (known, text) = earlier, !list.contains(known) {
            try AtomicFile.write(text, to: folder.appending(Self.free("partitions", "json", in: folder)), durable: true)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(Array(try encoder.encode(list)), to: file, durable: true)
    }

    /// Whether a file holds the record's row numbers.
    private func holdsNumbers(_ file: FilePath) -> Bool {
        guard let array = try? MappedArray(file), array.dtype == .int32, array.shape == [numbers.count] else {
            return false
        }
        return numbers.withUnsafeBytes { expected in array.withBytes { $0.elementsEqual(expected) } }
    }

    /// The first name that no file in the folder has: `rows.npy`, `rows-1.npy`, ….
    private static func free(_ name: String, _ ending: String, in folder: FilePath) -> String {
        var number = 0
        func text() -> String { number == 0 ? "\(name).\(ending)" : "\(name)-\(number).\(ending)" }
        while (try? FileStamp(of: folder.appending(text()))) != nil { number += 1 }
        return text()
    }
}

extension PartitionRecord.List {
    /// Whether all that another list says is said here too, wherever the row numbers stand.
    fileprivate func contains(_ other: Self) -> Bool {
        let own = Dictionary(partitions.map { ($0.label, $0.withoutPlaces) }) { $1 }
        return test?.withoutPlace == other.test?.withoutPlace
            && other.partitions.allSatisfy { own[$0.label] == $0.withoutPlaces }
    }
}

extension PartitionRecord.Entry {
    fileprivate var withoutPlaces: Self {
        var entry = self
        entry.training = training.withoutPlace
        entry.validation = validation?.withoutPlace
        return entry
    }
}

extension PartitionRecord.Stretch {
    fileprivate var withoutPlace: Self {
        var stretch = self
        stretch.start = nil
        return stretch
    }
}
