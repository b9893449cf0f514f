import TensorFiles

extension DType {
    /// What Keras on JAX makes of arrays of this type.
    ///
    /// Keras casts every other float to its `floatx` (`array_slicing.convert_to_sliceable`); JAX, without 64-bit types,
    /// makes int64 and uint64 half as wide. Measured with Keras 3.15 and JAX 0.10.
    var asKerasCasts: DType {
        switch self {
        case .float16, .bfloat16, .float64: .float32
        case .int64: .int32
        case .uint64: .uint32
        case .bool, .int8, .int16, .int32, .uint8, .uint16, .uint32, .float32: self
        }
    }

    var isFloat: Bool {
        switch self {
        case .float16, .bfloat16, .float32, .float64: true
        default: false
        }
    }
}

/// A whole number that its narrower type cannot hold.
struct OutOfRange: Error {
    /// The number of the element in the piece that was cast.
    var element: Int
    var value: String
}

/// Casts elements as NumPy's `astype` does, but for whole numbers that would change: those are refused.
struct Cast {
    var from: DType
    var to: DType

    /// `elements` elements, unaligned, in little-endian order, as bytes of the new type.
    func callAsFunction(_ bytes: UnsafeRawBufferPointer) throws(OutOfRange) -> [UInt8] {
        switch (from, to) {
        case (.float64, .float32): return convert(bytes) { (value: Double) in Float(value) }
        case (.float16, .float32): return convert(bytes) { (value: UInt16) in Float(Float16(bitPattern: value)) }
        case (.bfloat16, .float32): return convert(bytes) { (value: UInt16) in Float(bitPattern: UInt32(value) << 16) }
        case (.int64, .int32): return try narrow(bytes, Int64.self, Int32.self)
        case (.uint64, .uint32): return try narrow(bytes, UInt64.self, UInt32.self)
        case (.bool, .float32): return convert(bytes) { (value: UInt8) in value == 0 ? Float(0) : 1 }
        case (.int8, .float32): return convert(bytes) { (value: Int8) in Float(value) }
        case (.uint8, .float32): return convert(bytes) { (value: UInt8) in Float(value) }
        case (.int16, .float32): return convert(bytes) { (value: Int16) in Float(value) }
        case (.uint16, .float32): return convert(bytes) { (value: UInt16) in Float(value) }
        case (.int32, .float32): return convert(bytes) { (value: Int32) in Float(value) }
        case (.uint32, .float32): return convert(bytes) { (value: UInt32) in Float(value) }
        case (.int64, .float32): return convert(bytes) { (value: Int64) in Float(value) }
        case (.uint64, .float32): return convert(bytes) { (value: UInt64) in Float(value) }
        default: return Array(bytes)
        }
    }

    private func convert<From: BitwiseCopyable, To: BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ body: (From) -> To
    ) -> [UInt8] {
        let count = bytes.count / MemoryLayout<From>.size
        let size = MemoryLayout<To>.size
        return [UInt8](unsafeUninitializedCapacity: count * size) { target, initialized in
            let target = UnsafeMutableRawBufferPointer(target)
            for element in 0..<count {
                let value = bytes.loadUnaligned(fromByteOffset: element * MemoryLayout<From>.size, as: From.self)
                target.storeBytes(of: body(value), toByteOffset: element * size, as: To.self)
            }
            initialized = count * size
        }
    }

    private func narrow<Wide: FixedWidthInteger & BitwiseCopyable, Narrow: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ wide: Wide.Type, _ narrow: Narrow.Type
    ) throws(OutOfRange) -> [UInt8] {
        var wrong: OutOfRange?
        var element = 0
        let result = convert(bytes) { (value: Wide) -> Narrow in
            if wrong == nil, Narrow(exactly: value) == nil { wrong = OutOfRange(element: element, value: "\(value)") }
            element += 1
            return Narrow(truncatingIfNeeded: value)
        }
        if let wrong { throw wrong }
        return result
    }
}
