/// A value that a trial hands to the user's build function, or an argument of a layer.
public enum ParameterValue: Sendable, Hashable {
    /// Python's `None`.
    case null
    /// Python's `True` or `False`.
    case bool(Bool)
    /// A whole number.
    case int(Int)
    /// A number that was written with a point or an exponent.
    case double(Double)
    /// Text.
    case string(String)
    /// A list of values.
    case list([ParameterValue])
    /// A dictionary; only among the arguments of an inline layer.
    case mapping([String: ParameterValue])
}

extension ParameterValue {
    /// The value as a whole number, if it is one.
    public var int: Int? {
        if case .int(let value) = self { value } else { nil }
    }

    /// The value as a number, if it is one.
    public var double: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// The value as JSON on one line, keys sorted; a number with a point keeps it (`1.0`), since Python tells it from `1`.
    public var json: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .int(let value): String(value)
        // JSON has no infinity: Python reads this spelling, and so does nothing else.
        case .double(let value): value.isFinite ? "\(value)" : (value < 0 ? "-Infinity" : "Infinity")
        case .string(let value): quoted(value)
        case .list(let values): "[" + values.map(\.json).joined(separator: ", ") + "]"
        case .mapping(let values):
            "{"
                + values.sorted { $0.key < $1.key }.map { "\(quoted($0.key)): \($0.value.json)" }
                .joined(separator: ", ") + "}"
        }
    }
}

extension ParameterValue: CustomStringConvertible {
    /// As a person would write it: text without quotes, everything else as JSON.
    public var description: String {
        if case .string(let value) = self { value } else { json }
    }
}

private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\t": result += "\\t"
        case "\r": result += "\\r"
        case _ where scalar.value < 0x20:
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

extension ParameterValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    /// A whole number.
    public init(integerLiteral value: Int) { self = .int(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .double(value) }
    /// Text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// True or false.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A list of values.
    public init(arrayLiteral elements: ParameterValue...) { self = .list(elements) }
    /// A dictionary of values; of a key that is given twice, the last value stays.
    public init(dictionaryLiteral elements: (String, ParameterValue)...) {
        self = .mapping(Dictionary(elements) { $1 })
    }
    /// Python's `None`.
    public init(nilLiteral: ()) { self = .null }
}

extension ParameterValue: Codable {
    /// Marks a number whose JSON would be read back as a whole number, or not at all: `{"$double": "1.0"}`.
    private static let doubleKey = "$double"

    /// Reads the value's natural JSON.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .int(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let values = try? container.decode([ParameterValue].self) {
            self = .list(values)
        } else {
            let values = try container.decode([String: ParameterValue].self)
            if values.count == 1, case .string(let text)? = values[Self.doubleKey], let value = Double(text) {
                self = .double(value)
            } else {
                self = .mapping(values)
            }
        }
    }

    /// Writes the value's natural JSON.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .double(let value) where !value.isFinite || value == value.rounded():
            try container.encode([Self.doubleKey: "\(value)"])
        case .double(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .list(let values): try container.encode(values)
        case .mapping(let values): try container.encode(values)
        }
    }
}
