import func Glibc.exp
import func Glibc.log
import func Glibc.pow

/// A number that follows from a trial's build arguments, as the build function or Keras computes it.
///
/// In `program.json` an argument is its name, a constant a number, and an operation a list: `["-", 1.0, "dropout"]`. It is
/// evaluated in 64 bits, as Python does, so that a trial's number is the one its own build would have had.
public indirect enum NumberExpression: Sendable, Equatable {
    /// A build argument.
    case argument(String)
    /// A constant.
    case number(Double)
    /// An operation of one operand.
    case unary(Unary, NumberExpression)
    /// An operation of two operands.
    case binary(Binary, NumberExpression, NumberExpression)

    /// The operations of one operand.
    public enum Unary: String, Sendable {
        case negative = "neg"
        case squareRoot = "sqrt"
        case exponential = "exp"
        case logarithm = "log"
    }

    /// The operations of two operands.
    public enum Binary: String, Sendable {
        case plus = "+"
        case minus = "-"
        case times = "*"
        case over = "/"
        case power = "**"
    }

    /// The number for a trial with these arguments; nil if one is missing.
    public func value(_ arguments: [String: Double]) -> Double? {
        switch self {
        case .argument(let name): return arguments[name]
        case .number(let value): return value
        case .unary(let operation, let operand):
            guard let value = operand.value(arguments) else { return nil }
            switch operation {
            case .negative: return -value
            case .squareRoot: return value.squareRoot()
            case .exponential: return exp(value)
            case .logarithm: return log(value)
            }
        case .binary(let operation, let first, let second):
            guard let first = first.value(arguments), let second = second.value(arguments) else { return nil }
            switch operation {
            case .plus: return first + second
            case .minus: return first - second
            case .times: return first * second
            case .over: return first / second
            case .power: return pow(first, second)
            }
        }
    }
}

extension NumberExpression: Codable {
    /// Reads a name, a number, or a list of an operation and its operands.
    public init(from decoder: any Decoder) throws {
        if let container = try? decoder.singleValueContainer() {
            if let number = try? container.decode(Double.self) {
                self = .number(number)
                return
            }
            if let name = try? container.decode(String.self) {
                self = .argument(name)
                return
            }
        }
        var list = try decoder.unkeyedContainer()
        let name = try list.decode(String.self)
        let first = try list.decode(NumberExpression.self)
        if let operation = Unary(rawValue: name) {
            self = .unary(operation, first)
        } else if let operation = Binary(rawValue: name) {
            self = .binary(operation, first, try list.decode(NumberExpression.self))
        } else {
            throw DecodingError.dataCorruptedError(in: list, debugDescription: "there is no operation '\(name)'")
        }
    }

    /// Writes what ``init(from:)`` reads.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .argument(let name):
            var container = encoder.singleValueContainer()
            try container.encode(name)
        case .number(let value):
            var container = encoder.singleValueContainer()
            try container.encode(value)
        case .unary(let operation, let operand):
            var list = encoder.unkeyedContainer()
            try list.encode(operation.rawValue)
            try list.encode(operand)
        case .binary(let operation, let first, let second):
            var list = encoder.unkeyedContainer()
            try list.encode(operation.rawValue)
            try list.encode(first)
            try list.encode(second)
        }
    }
}
