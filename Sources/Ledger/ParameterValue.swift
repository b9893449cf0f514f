/// A hyperparameter's value: what JSON can say.
public enum ParameterValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case list([ParameterValue])
    case object(Parameters)
}

extension ParameterValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral
{
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// An integer.
    public init(integerLiteral value: Int) { self = .integer(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// A text.
    public init(stringLiteral value: String) { self = .text(value) }
    /// A list.
    public init(arrayLiteral elements: ParameterValue...) { self = .list(elements) }
}

extension ParameterValue: CustomStringConvertible {
    /// The value as a table shows it: a text bare, everything else as JSON.
    public var description: String {
        if case .text(let text) = self { return text }
        return json
    }
}

/// Hyperparameters by name, in the order of the experiment's axes.
public struct Parameters: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    /// One name with its value.
    public struct Entry: Sendable, Hashable {
        /// The name, an argument of the build function or `learning_rate`, `seed`, ….
        public var name: String
        /// The value.
        public var value: ParameterValue

        /// Makes an entry.
        public init(_ name: String, _ value: ParameterValue) {
            self.name = name
            self.value = value
        }
    }

    /// The entries in order; a name occurs once.
    public private(set) var entries: [Entry]

    /// No parameters.
    public init() { entries = [] }

    /// The entries of a literal; of a name that occurs twice the last value counts.
    public init(dictionaryLiteral elements: (String, ParameterValue)...) {
        entries = []
        for (name, value) in elements { self[name] = value }
    }

    init(unchecked entries: [Entry]) { self.entries = entries }

    /// The value under a name; setting a new name appends it.
    public subscript(name: String) -> ParameterValue? {
        get { entries.first { $0.name == name }?.value }
        set {
            let index = entries.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): entries[index].value = value
            case (let index?, nil): entries.remove(at: index)
            case (nil, let value?): entries.append(Entry(name, value))
            case (nil, nil): break
            }
        }
    }
}
