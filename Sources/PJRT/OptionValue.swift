internal import CPJRT

/// A value of a client's option or a plugin's attribute.
public enum OptionValue: Sendable, Hashable {
    case string(String)
    case int64(Int64)
    case int64List([Int64])
    case float(Float)
    case bool(Bool)

    /// Reads an attribute; nil for a type that this interface version does not know.
    init?(_ value: PJRT_NamedValue) {
        switch Int(value.type) {
        case Int(PJRT_NamedValue_String): self = .string(PJRT.string(value.string_value, value.value_size))
        case Int(PJRT_NamedValue_Int64): self = .int64(value.int64_value)
        case Int(PJRT_NamedValue_Int64List):
            self = .int64List(Array(UnsafeBufferPointer(start: value.int64_array_value, count: value.value_size)))
        case Int(PJRT_NamedValue_Float): self = .float(value.float_value)
        case Int(PJRT_NamedValue_Bool): self = .bool(value.bool_value)
        default: return nil
        }
    }
}

/// Options laid out in memory as a plugin reads them.
struct NamedValues: ~Copyable {
    private(set) var values: [PJRT_NamedValue] = []
    private var owned: [UnsafeMutableRawPointer] = []

    init(_ options: [String: OptionValue]) {
        for (name, value) in options.sorted(by: { $0.key < $1.key }) {
            var named = PJRT_NamedValue.make()
            let bytes = Array(name.utf8)
            named.name = UnsafePointer(keep(bytes).assumingMemoryBound(to: CChar.self))
            named.name_size = bytes.count
            named.value_size = 1
            switch value {
            case .string(let text):
                let bytes = Array(text.utf8)
                named.type = Int32(PJRT_NamedValue_String)
                named.string_value = UnsafePointer(keep(bytes).assumingMemoryBound(to: CChar.self))
                named.value_size = bytes.count
            case .int64(let number):
                named.type = Int32(PJRT_NamedValue_Int64)
                named.int64_value = number
            case .int64List(let numbers):
                named.type = Int32(PJRT_NamedValue_Int64List)
                named.int64_array_value = UnsafePointer(keep(numbers).assumingMemoryBound(to: Int64.self))
                named.value_size = numbers.count
            case .float(let number):
                named.type = Int32(PJRT_NamedValue_Float)
                named.float_value = number
            case .bool(let truth):
                named.type = Int32(PJRT_NamedValue_Bool)
                named.bool_value = truth
            }
            values.append(named)
        }
    }

    /// Copies elements to memory that stays in place until this value is gone.
    private mutating func keep<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafeMutableRawPointer {
        let size = max(elements.count * MemoryLayout<Element>.stride, 1)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size + 1, alignment: 16)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size + 1)
        elements.withUnsafeBytes { source in
            if let base = source.baseAddress { memory.copyMemory(from: base, byteCount: source.count) }
        }
        owned.append(memory)
        return memory
    }

    deinit {
        for memory in owned { memory.deallocate() }
    }
}
