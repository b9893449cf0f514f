/// The type of an array's elements, by NumPy's name (`bfloat16`: that of `ml_dtypes`).
public enum DType: String, Codable, Sendable, CaseIterable {
    case bool
    case int8
    case int16
    case int32
    case int64
    case uint8
    case uint16
    case uint32
    case uint64
    case float16
    case bfloat16
    case float32
    case float64

    /// Bytes an element.
    public var size: Int {
        switch self {
        case .bool, .int8, .uint8: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float32: 4
        case .int64, .uint64, .float64: 8
        }
    }

    /// Bytes of an array of a shape, or nil when a dimension is negative or the product does not fit in an `Int`.
    ///
    /// The product is taken as if no dimension were zero, so that the size of a row fits whenever this does.
    public func byteCount(of shape: [Int]) -> Int? {
        var product = size
        var empty = false
        for dimension in shape {
            guard dimension >= 0 else { return nil }
            if dimension == 0 { empty = true }
            let (next, overflow) = product.multipliedReportingOverflow(by: max(dimension, 1))
            guard !overflow else { return nil }
            product = next
        }
        return empty ? 0 : product
    }
}

/// Which byte of an element comes first.
public enum ByteOrder: String, Codable, Sendable {
    case little
    case big
}
