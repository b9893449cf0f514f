public import Experiments

/// A model that is not compiled yet.
public protocol KerasModel: Sendable {
    /// The model as Keras's own configuration, without `compile_config`.
    var configuration: ParameterValue { get }
}

/// A stack of layers, `keras.Sequential`.
///
/// ```swift
/// let model = Sequential { Input(10); Dense(64, activation: .relu); Dropout(0.2); Dense(1) }
///     .compiled(optimizer: .adam(learningRate: 1e-3), loss: .meanSquaredError)
/// ```
public struct Sequential: KerasModel {
    /// The layers, the first to the last.
    public var layers: [Layer]

    /// Layers one after another; the first is an ``Input``, or else the data say what goes in.
    public init(@LayerBuilder _ layers: () -> [Layer]) {
        self.layers = layers()
    }

    public var configuration: ParameterValue {
        [
            "module": "keras", "class_name": "Sequential",
            "config": ["name": "sequential", "layers": .list(layers.map(\.argument))],
        ]
    }
}
