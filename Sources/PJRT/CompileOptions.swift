/// How a program is compiled: for one device, with options of the compiler where needed.
public struct CompileOptions: Sendable, Hashable {
    /// A value of a compiler option.
    public enum Value: Sendable, Hashable {
        case string(String)
        case bool(Bool)
        case int(Int64)
        case double(Double)
    }

    /// The id of the device to compile for; nil is the client's first.
    public var device: Int?
    /// Options of the compiler by name, such as `xla_gpu_cuda_data_dir`.
    ///
    /// The plugin refuses a name that it does not know.
    public var overrides: [String: Value]

    /// Makes compile options.
    public init(device: Int? = nil, overrides: [String: Value] = [:]) {
        self.device = device
        self.overrides = overrides
    }

    /// The bytes of a `CompileOptionsProto`, the same for the same options.
    ///
    /// The plugin ends the process over options without counts of replicas and partitions, so that these are
    /// always there.
    var serialized: [UInt8] {
        var build = ProtobufMessage()
        build.append(1, integer: -1)
        build.append(4, integer: 1)
        build.append(5, integer: 1)
        if let device {
            var computation = ProtobufMessage()
            computation.append(1, integer: Int64(device))
            var assignment = ProtobufMessage()
            assignment.append(1, integer: 1)
            assignment.append(2, integer: 1)
            assignment.append(3, bytes: computation.bytes)
            build.append(9, bytes: assignment.bytes)
        }
        var options = ProtobufMessage()
        options.append(3, bytes: build.bytes)
        for (name, value) in overrides.sorted(by: { $0.key < $1.key }) {
            var inner = ProtobufMessage()
            switch value {
            case .string(let text): inner.append(1, bytes: Array(text.utf8))
            case .bool(let truth): inner.append(2, integer: truth ? 1 : 0)
            case .int(let number): inner.append(3, integer: number)
            case .double(let number): inner.append(4, double: number)
            }
            var entry = ProtobufMessage()
            entry.append(1, bytes: Array(name.utf8))
            entry.append(2, bytes: inner.bytes)
            options.append(7, bytes: entry.bytes)
        }
        return options.bytes
    }
}

/// The few wire types of a protocol buffer that compile options need.
private struct ProtobufMessage {
    private(set) var bytes: [UInt8] = []

    private mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func append(_ field: UInt64, integer: Int64) {
        append(varint: field << 3)
        append(varint: UInt64(bitPattern: integer))
    }

    mutating func append(_ field: UInt64, double: Double) {
        append(varint: field << 3 | 1)
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: double.bitPattern >> shift))
        }
    }

    mutating func append(_ field: UInt64, bytes payload: [UInt8]) {
        append(varint: field << 3 | 2)
        append(varint: UInt64(payload.count))
        bytes.append(contentsOf: payload)
    }
}
