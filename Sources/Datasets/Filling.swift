public import Experiments
import Files
import SystemPackage
import TensorFiles

/// What stands for the missing values of a column in one partition.
public struct ColumnFill: Sendable, Equatable, Codable {
    /// The array that the column is in.
    public var array: String
    /// The column of the table.
    public var column: String
    /// The rule that the value follows.
    public var rule: ArraySource.Fill.Rule
    /// The value.
    public var value: Float
}

extension Dataset {
    /// Puts means and medians in the place of missing numbers, each partition's of the rows that it trains on alone.
    ///
    /// Arrays with missing numbers are copied into the cache. Partitions share a copy as long as no row is in two of
    /// them, or the values are the same: groups have one copy together, of K folds each has its own.
    ///
    /// - Throws: `ExperimentError` where a partition has no number of a column at all.
    public mutating func fill(_ partitions: inout [Partition]) throws {
        guard sources.contains(where: { $0.arrays.contains { !$0.fills.isEmpty } }) else { return }
        var copies: [Copy] = []
        var places: [(training: Int, validation: Int?)] = []
        for index in partitions.indices {
            let partition = partitions[index]
            partitions[index].fills = try values(of: partition)
            let values = partitions[index].fills.map(\.value)
            let own = partition.validationSource == partition.source
            let training = place(
                partition.training.numbers + (own ? partition.validation?.numbers ?? [] : []), of: partition.source,
                values, &copies)
            var validation = own ? training : nil
            if !own, let source = partition.validationSource, let rows = partition.validation {
                validation = place(rows.numbers, of: source, values, &copies)
            }
            places.append((training, validation))
        }
        let first = sources.count
        for copy in copies { sources.append(try filled(copy)) }
        for (index, place) in places.enumerated() {
            partitions[index].source = first + place.training
            if let validation = place.validation { partitions[index].validationSource = first + validation }
        }
    }

    /// A copy of a source while it is decided which partitions share it.
    private struct Copy {
        var source: Int
        /// For each row the number of its values in `values`; -1 for rows of no partition.
        var owners: [Int32]
        var values: [[Float]]
    }

    private func place(_ rows: [Int32], of source: Int, _ values: [Float], _ copies: inout [Copy]) -> Int {
        let found = copies.indices.first { index in
            let copy = copies[index]
            guard copy.source == source else { return false }
            return copy.values.allSatisfy { $0 == values } || rows.allSatisfy { copy.owners[Int($0)] < 0 }
        }
        let index = found ?? copies.count
        if found == nil {
            copies.append(
                Copy(source: source, owners: [Int32](repeating: -1, count: sources[source].rows), values: []))
        }
        let owner: Int
        if let same = copies[index].values.firstIndex(of: values) {
            owner = same
        } else {
            owner = copies[index].values.count
            copies[index].values.append(values)
        }
        for row in rows { copies[index].owners[Int(row)] = Int32(owner) }
        return index
    }

    // MARK: Values

    private func values(of partition: Partition) throws -> [ColumnFill] {
        let rows = partition.training.numbers
        var fills: [ColumnFill] = []
        for array in sources[partition.source].arrays where !array.fills.isEmpty {
            let mapped = try MappedArray(
                MappedFile(array.file), offset: array.offset, dtype: array.dtype, shape: array.shape)
            for fill in array.fills {
                var numbers: [Float] = []
                mapped.withBytes { bytes in
                    for row in rows {
                        let number = bytes.loadUnaligned(
                            fromByteOffset: Int(row) * mapped.rowBytes + fill.place * 4, as: Float.self)
                        if !number.isNaN { numbers.append(number) }
                    }
                }
                guard !numbers.isEmpty else {
                    throw experiment.error(
                        at: "data.missing",
                        "the partition '\(partition.label)' has no value of '\(fill.column)' in the \(rows.count) rows that it trains on, so that there is no \(fill.rule.rawValue)"
                    )
                }
                fills.append(
                    ColumnFill(
                        array: array.name, column: fill.column, rule: fill.rule, value: fill.rule.value(of: &numbers)))
            }
        }
        return fills
    }

    // MARK: Copies

    private func filled(_ copy: Copy) throws -> DataSource {
        var source = sources[copy.source]
        source.base = copy.source
        var first = 0
        for index in source.arrays.indices where !source.arrays[index].fills.isEmpty {
            let array = source.arrays[index]
            let range = first..<(first + array.fills.count)
            first = range.upperBound
            source.arrays[index] = try filled(array, copy, copy.values.map { Array($0[range]) })
        }
        return source
    }

    private func filled(_ array: DatasetArray, _ copy: Copy, _ values: [[Float]]) throws -> DatasetArray {
        var filled = array
        do {
            let stamp = try FileStamp(of: array.file)
            var key = [
                "\(array.file)", "\(stamp.size)", "\(stamp.modified)", "\(array.fills.map(\.place))", "\(values)",
            ]
            key.append(copy.owners.withUnsafeBytes { Digest.sha256($0) })
            filled.file = cache.appending("filled").appending("\(Digest.sha256(key.joined(separator: "\n"))).npy")
            if !CachedArray.isWhole(filled.file) {
                try Folder.create(filled.file.removingLastComponent())
                try write(array, copy.owners, values, to: filled.file)
            }
            let made = try ArrayFile(filled.file)
            let madeStamp = try FileStamp(of: filled.file)
            filled.offset = made.offset
            filled.fileSize = Int(madeStamp.size)
            filled.modified = madeStamp.modified
        } catch {
            throw DatasetsError(
                code: .cache, message: "cannot write a copy of \(array.origin) to the cache: \(error)", cause: error)
        }
        filled.fills = []
        filled.isPrepared = true
        return filled
    }

    private func write(_ array: DatasetArray, _ owners: [Int32], _ values: [[Float]], to file: FilePath) throws {
        let mapped = try MappedArray(
            MappedFile(array.file), offset: array.offset, dtype: array.dtype, shape: array.shape)
        let width = mapped.rowBytes / 4
        let piece = max(1, (1 << 18) / max(width, 1))
        try CachedArray.write(dtype: array.dtype, shape: array.shape, to: file) { writer in
            for start in stride(from: 0, to: array.rows, by: piece) {
                let rows = start..<min(start + piece, array.rows)
                var numbers = mapped.withBytes { bytes in
                    (rows.lowerBound * width..<rows.upperBound * width).map { element in
                        bytes.loadUnaligned(fromByteOffset: element * 4, as: Float.self)
                    }
                }
                for row in rows where owners[row] >= 0 {
                    for (number, fill) in array.fills.enumerated() {
                        let element = (row - start) * width + fill.place
                        if numbers[element].isNaN { numbers[element] = values[Int(owners[row])][number] }
                    }
                }
                try numbers.withUnsafeBytes { try writer.write($0) }
            }
        }
    }
}

extension ArraySource.Fill.Rule {
    /// The mean (in double precision) or the median (of an even number, the mean of the two in the middle).
    fileprivate func value(of numbers: inout [Float]) -> Float {
        switch self {
        case .mean: return Float(numbers.reduce(0) { $0 + Double($1) } / Double(numbers.count))
        case .median:
            numbers.sort()
            let middle = numbers.count / 2
            if numbers.count % 2 == 1 { return numbers[middle] }
            return Float((Double(numbers[middle - 1]) + Double(numbers[middle])) / 2)
        }
    }
}
