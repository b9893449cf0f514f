internal import CPJRT

/// The type of a tensor's elements, under its NumPy name.
public enum ElementType: String, Sendable, Hashable, CaseIterable, Codable {
    case bool
    case int8, int16, int32, int64
    case uint8, uint16, uint32, uint64
    case float16, bfloat16, float32, float64

    /// Bytes of one element.
    public var byteCount: Int {
        switch self {
        case .bool, .int8, .uint8: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float32: 4
        case .int64, .uint64, .float64: 8
        }
    }

    /// The type's name in MLIR, as StableHLO text spells it: `i1`, `si32` is `i32`, `ui8`, `bf16`.
    public var mlirName: String {
        switch self {
        case .bool: "i1"
        case .int8: "i8"
        case .int16: "i16"
        case .int32: "i32"
        case .int64: "i64"
        case .uint8: "ui8"
        case .uint16: "ui16"
        case .uint32: "ui32"
        case .uint64: "ui64"
        case .float16: "f16"
        case .bfloat16: "bf16"
        case .float32: "f32"
        case .float64: "f64"
        }
    }

    /// The type's number in the plugin interface (`PJRT_Buffer_Type`).
    var code: Int32 {
        let value =
            switch self {
            case .bool: PJRT_Buffer_Type_PRED
            case .int8: PJRT_Buffer_Type_S8
            case .int16: PJRT_Buffer_Type_S16
            case .int32: PJRT_Buffer_Type_S32
            case .int64: PJRT_Buffer_Type_S64
            case .uint8: PJRT_Buffer_Type_U8
            case .uint16: PJRT_Buffer_Type_U16
            case .uint32: PJRT_Buffer_Type_U32
            case .uint64: PJRT_Buffer_Type_U64
            case .float16: PJRT_Buffer_Type_F16
            case .bfloat16: PJRT_Buffer_Type_BF16
            case .float32: PJRT_Buffer_Type_F32
            case .float64: PJRT_Buffer_Type_F64
            }
        return Int32(value)
    }

    /// The type with a number of the plugin interface; nil for one that has no NumPy name here (complex, 4-bit, ...).
    init?(code: Int32) {
        guard let type = ElementType.allCases.first(where: { $0.code == code }) else { return nil }
        self = type
    }
}

/// A Swift type whose values are a tensor's elements, bit for bit.
public protocol TensorElement: BitwiseCopyable, Sendable {
    /// The element type that it stands for.
    static var elementType: ElementType { get }
}

extension Bool: TensorElement {
    /// `bool`.
    public static var elementType: ElementType { .bool }
}
extension Int8: TensorElement {
    /// `int8`.
    public static var elementType: ElementType { .int8 }
}
extension Int16: TensorElement {
    /// `int16`.
    public static var elementType: ElementType { .int16 }
}
extension Int32: TensorElement {
    /// `int32`.
    public static var elementType: ElementType { .int32 }
}
extension Int64: TensorElement {
    /// `int64`.
    public static var elementType: ElementType { .int64 }
}
extension UInt8: TensorElement {
    /// `uint8`.
    public static var elementType: ElementType { .uint8 }
}
extension UInt16: TensorElement {
    /// `uint16`.
    public static var elementType: ElementType { .uint16 }
}
extension UInt32: TensorElement {
    /// `uint32`.
    public static var elementType: ElementType { .uint32 }
}
extension UInt64: TensorElement {
    /// `uint64`.
    public static var elementType: ElementType { .uint64 }
}
extension Float: TensorElement {
    /// `float32`.
    public static var elementType: ElementType { .float32 }
}
extension Double: TensorElement {
    /// `float64`.
    public static var elementType: ElementType { .float64 }
}
