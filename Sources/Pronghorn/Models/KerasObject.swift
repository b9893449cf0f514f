public import Experiments

/// A value that can be an argument of a Keras object.
public protocol KerasArgument: Sendable {
    /// The value as it stands in Keras's configuration.
    var argument: ParameterValue { get }
}

/// An object of Keras, by its class and the arguments that it is made with: what Keras's configurations consist of.
///
/// Whether the installed Keras has the class and takes the arguments is told when the model is described, by Keras itself.
public struct KerasObject: KerasArgument, Equatable {
    /// Where Keras has the class: `keras.layers`.
    public var module: String
    /// The class: `Dense`.
    public var className: String
    /// The arguments by the names that Keras has for them; what is not given is Keras's own default.
    public var arguments: [String: ParameterValue]
    /// `package>name` of a class of the user's that the file of `Experiment.customObjects` registers.
    public var registeredName: String?

    /// An object by its class.
    public init(
        module: String, className: String, arguments: [String: ParameterValue], registeredName: String? = nil
    ) {
        self.module = module
        self.className = className
        self.arguments = arguments
        self.registeredName = registeredName
    }

    /// As `keras.saving.serialize_keras_object` writes it.
    public var argument: ParameterValue {
        [
            "module": .string(module), "class_name": .string(className), "config": .mapping(arguments),
            "registered_name": registeredName.map(ParameterValue.string) ?? nil,
        ]
    }
}

/// A typed description of a Keras object: a layer, an optimizer, a loss.
public protocol KerasDescription: KerasArgument {
    /// The object.
    var object: KerasObject { get set }
}

extension KerasDescription {
    public var argument: ParameterValue { object.argument }

    /// The same with further arguments, by the names that Keras has for them: `.adam().with(["clipnorm": 1.0])`.
    public func with(_ arguments: [String: ParameterValue]) -> Self {
        var changed = self
        changed.object.arguments.merge(arguments) { $1 }
        return changed
    }

    /// The same with a name of its own.
    public func named(_ name: String) -> Self { with(["name": .string(name)]) }
}

/// Arguments by Keras's names; those that are nil are left to Keras.
typealias Arguments = KeyValuePairs<String, (any KerasArgument)?>

extension KerasObject {
    init(_ module: String, _ className: String, _ arguments: Arguments) {
        self.init(
            module: module, className: className,
            arguments: Dictionary(
                uniqueKeysWithValues: arguments.compactMap { name, value in value.map { (name, $0.argument) } }))
    }
}

extension Int: KerasArgument {
    public var argument: ParameterValue { .int(self) }
}

extension Double: KerasArgument {
    public var argument: ParameterValue { .double(self) }
}

extension Bool: KerasArgument {
    public var argument: ParameterValue { .bool(self) }
}

extension String: KerasArgument {
    public var argument: ParameterValue { .string(self) }
}

extension ParameterValue: KerasArgument {
    public var argument: ParameterValue { self }
}

extension Array: KerasArgument where Element: KerasArgument {
    public var argument: ParameterValue { .list(map(\.argument)) }
}
