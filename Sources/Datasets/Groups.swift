import Experiments
import Files
import SystemPackage
import TensorFiles

/// The rows of a column by their value.
struct Groups: Sendable, Equatable {
    /// Each value once, as text: numbers by size, text by its characters.
    var labels: [String]
    /// For each row the number of its value in `labels`.
    var codes: [Int32]

    /// How many rows have each value.
    var counts: [Int] {
        codes.reduce(into: [Int](repeating: 0, count: labels.count)) { $0[Int($1)] += 1 }
    }

    /// The groups of values in the order in which `areIncreasing` puts them.
    init<Value: Hashable>(
        _ values: some Collection<Value>, by areIncreasing: (Value, Value) -> Bool, label: (Value) -> String
    ) {
        var numbers: [Value: Int32] = [:]
        var distinct: [Value] = []
        codes = []
        codes.reserveCapacity(values.count)
        for value in values {
            if let number = numbers[value] {
                codes.append(number)
            } else {
                let number = Int32(distinct.count)
                numbers[value] = number
                distinct.append(value)
                codes.append(number)
            }
        }
        let order = distinct.indices.sorted { areIncreasing(distinct[$0], distinct[$1]) }
        var rank = [Int32](repeating: 0, count: order.count)
        for (new, old) in order.enumerated() { rank[old] = Int32(new) }
        labels = order.map { label(distinct[$0]) }
        for row in codes.indices { codes[row] = rank[Int(codes[row])] }
    }
}

extension Groups {
    /// The groups of some of the rows, without values that none of them has.
    func among(_ rows: Rows) -> Groups {
        let chosen = rows.numbers.map { codes[Int($0)] }
        var isThere = [Bool](repeating: false, count: labels.count)
        for code in chosen { isThere[Int(code)] = true }
        var numbers = [Int32](repeating: 0, count: labels.count)
        var groups = self
        groups.labels = []
        for (code, label) in labels.enumerated() where isThere[code] {
            numbers[code] = Int32(groups.labels.count)
            groups.labels.append(label)
        }
        groups.codes = chosen.map { numbers[Int($0)] }
        return groups
    }
}

extension Dataset {
    /// The groups of a column; `key` is where the experiment names it.
    ///
    /// An array of several numbers a row (classes as one-hot rows) has a group for each distinct row.
    func groups(of column: String, at key: String) throws -> Groups {
        guard let location = columns[column] else {
            throw experiment.error(at: key, "the data has no column '\(column)'", found: column)
        }
        let groups: Groups
        do {
            groups = try read(location)
        } catch let error as TensorFilesError {
            throw experiment.error(at: location.key, error.message)
        } catch let error as FilesError {
            throw experiment.error(at: location.key, error.message)
        } catch is MissingKey {
            throw experiment.error(at: location.key, "\(location.text) holds NaN, which is no value to divide rows by")
        }
        guard groups.codes.count == rows else {
            throw experiment.error(
                at: location.key, "\(location.text) has \(groups.codes.count) rows, but \(inputs[0].origin) has \(rows)"
            )
        }
        return groups
    }

    private func read(_ location: Location) throws -> Groups {
        let array: MappedArray
        do {
            if let member = location.member {
                array = try NPZ(location.path).array(member)
            } else {
                array = try MappedArray(location.path)
            }
        } catch {
            // Text is no tensor, so that TensorFiles refuses it.
            guard error.code == .unsupported, let texts = try readText(location) else { throw error }
            return Groups(texts, by: <) { $0 }
        }
        let bytes = array.canonicalBytes()
        guard array.rowBytes == array.dtype.size else {
            let width = array.rowBytes
            let rows = (0..<array.rows).map { Array(bytes[($0 * width)..<(($0 + 1) * width)]) }
            return Groups(rows, by: { $0.lexicographicallyPrecedes($1) }, label: { "\($0)" })
        }
        return try bytes.withUnsafeBytes { bytes in
            func values<Value: BitwiseCopyable>(_ type: Value.Type) -> [Value] {
                let size = MemoryLayout<Value>.size
                return (0..<array.rows).map { bytes.loadUnaligned(fromByteOffset: $0 * size, as: Value.self) }
            }
            func whole<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type) -> Groups {
                Groups(values(type), by: <) { "\($0)" }
            }
            func real<Value: BinaryFloatingPoint & CustomStringConvertible>(_ values: [Value]) throws -> Groups {
                if values.contains(where: \.isNaN) { throw MissingKey() }
                return Groups(values, by: <) { $0.description }
            }
            return switch array.dtype {
            case .bool: Groups(values(UInt8.self).map { $0 != 0 }, by: { !$0 && $1 }) { $0 ? "True" : "False" }
            case .int8: whole(Int8.self)
            case .int16: whole(Int16.self)
            case .int32: whole(Int32.self)
            case .int64: whole(Int64.self)
            case .uint8: whole(UInt8.self)
            case .uint16: whole(UInt16.self)
            case .uint32: whole(UInt32.self)
            case .uint64: whole(UInt64.self)
            case .float16: try real(values(UInt16.self).map { Float(Float16(bitPattern: $0)) })
            case .bfloat16: try real(values(UInt16.self).map { Float(bitPattern: UInt32($0) << 16) })
            case .float32: try real(values(Float.self))
            case .float64: try real(values(Double.self))
            }
        }
    }

    private func readText(_ location: Location) throws -> [String]? {
        guard let member = location.member else { return try TextArray.read(location.path) }
        let folder = cache.appending("columns")
        let file = folder.appending("\(Digest.sha256("\(location.path)\u{0}\(member)")).npy")
        try Folder.create(folder)
        try NPZ(location.path).extract(member, to: file)
        return try TextArray.read(file)
    }
}

private struct MissingKey: Error {}
