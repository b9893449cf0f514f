public import Experiments

/// A layer of Keras, typed or by name.
public protocol KerasLayer: Sendable {
    /// The layer.
    var layer: Layer { get }
}

/// Any layer of Keras, by the name of its class: `Layer("GroupNormalization", ["groups": 4])`.
public struct Layer: KerasLayer, KerasDescription {
    public var object: KerasObject

    /// A layer by the name of its class and the names of its arguments.
    ///
    /// `registeredName` is `package>name` for a class of the user's, registered by the file of `Experiment.customObjects`.
    public init(
        _ className: String, _ arguments: [String: ParameterValue] = [:], module: String = "keras.layers",
        registeredName: String? = nil
    ) {
        object = KerasObject(
            module: module, className: className, arguments: arguments, registeredName: registeredName)
    }

    init(_ className: String, typed arguments: Arguments) {
        object = KerasObject("keras.layers", className, arguments)
    }

    public var layer: Layer { self }
}

extension KerasLayer {
    /// The layer with further arguments, by the names that Keras has for them: `Dense(8).with(["trainable": false])`.
    public func with(_ arguments: [String: ParameterValue]) -> Layer {
        var changed = layer
        changed.object.arguments.merge(arguments) { $1 }
        return changed
    }

    /// The layer with a name of its own, by which targets, losses and metrics of several outputs go.
    public func named(_ name: String) -> Layer { with(["name": .string(name)]) }
}

extension Layer {
    public func with(_ arguments: [String: ParameterValue]) -> Layer {
        var changed = self
        changed.object.arguments.merge(arguments) { $1 }
        return changed
    }

    public func named(_ name: String) -> Layer { with(["name": .string(name)]) }
}

/// Puts layers one after another: a layer an expression, with `if` and `for` between them.
@resultBuilder
public enum LayerBuilder {
    public static func buildExpression(_ layer: some KerasLayer) -> [Layer] { [layer.layer] }
    public static func buildExpression(_ layers: [Layer]) -> [Layer] { layers }
    public static func buildBlock(_ layers: [Layer]...) -> [Layer] { layers.flatMap(\.self) }
    public static func buildOptional(_ layers: [Layer]?) -> [Layer] { layers ?? [] }
    public static func buildEither(first layers: [Layer]) -> [Layer] { layers }
    public static func buildEither(second layers: [Layer]) -> [Layer] { layers }
    public static func buildArray(_ layers: [[Layer]]) -> [Layer] { layers.flatMap(\.self) }
}
