import Experiments
import Files
import SystemPackage
import TensorFiles

extension Dataset {
    /// The row numbers that an NPY file lists, each of them one of `seen` where that is given.
    func rowNumbers(_ location: Location, among seen: Set<Int32>?) throws -> [Int32] {
        let array: MappedArray
        do {
            array = try MappedArray(location.path)
        } catch {
            throw experiment.error(at: location.key, error.message)
        }
        guard array.shape.count == 1, array.rows > 0, let numbers = wholeNumbers(array) else {
            throw experiment.error(
                at: location.key,
                "\(location.text) is \(shown(array.shape)) of \(array.dtype.rawValue), not a list of row numbers")
        }
        var rows: [Int32] = []
        rows.reserveCapacity(numbers.count)
        for number in numbers {
            guard (0..<self.rows).contains(number) else {
                throw experiment.error(
                    at: location.key,
                    "\(location.text) lists row \(number), but the rows are numbered 0 to \(self.rows - 1)")
            }
            let row = Int32(number)
            if let seen, !seen.contains(row) {
                throw experiment.error(
                    at: location.key, "\(location.text) lists row \(row), which is one of the test set's")
            }
            rows.append(row)
        }
        return rows
    }

    private func wholeNumbers(_ array: MappedArray) -> [Int]? {
        let bytes = array.canonicalBytes()
        func numbers<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type) -> [Int] {
            bytes.withUnsafeBytes { bytes in
                (0..<array.rows).map { row in
                    let value = bytes.loadUnaligned(
                        fromByteOffset: row * MemoryLayout<Value>.size, as: Value.self)
                    return Int(exactly: value) ?? -1
                }
            }
        }
        return switch array.dtype {
        case .int8: numbers(Int8.self)
        case .int16: numbers(Int16.self)
        case .int32: numbers(Int32.self)
        case .int64: numbers(Int64.self)
        case .uint8: numbers(UInt8.self)
        case .uint16: numbers(UInt16.self)
        case .uint32: numbers(UInt32.self)
        case .uint64: numbers(UInt64.self)
        case .bool, .float16, .bfloat16, .float32, .float64: nil
        }
    }
}
