import Experiments

/// What goes into a model: the shape of one row.
public struct Input: KerasLayer, SymbolicTensor {
    public let tensor: Tensor

    /// An input of a stack of layers, or a functional model's only one: `Input(28, 28, 1)`.
    ///
    /// `type` is Keras's name of the numbers' type; nil: `float32`.
    public init(_ shape: Int..., type: String? = nil) { self.init(shape, name: nil, type) }

    /// An input by the name that the data has for it.
    public init(_ name: String, _ shape: Int..., type: String? = nil) { self.init(shape, name: name, type) }

    /// An input whose axes may have any length, which is nil: `Input(shape: [nil, 3])`.
    public init(shape: [Int?], name: String? = nil, type: String? = nil) { self.init(shape, name: name, type) }

    private init(_ shape: [Int?], name: String?, _ type: String?) {
        let batch = [ParameterValue.null] + shape.map { $0.map(ParameterValue.int) ?? .null }
        let layer = Layer(
            "InputLayer", typed: ["batch_shape": ParameterValue.list(batch), "dtype": type, "name": name])
        tensor = LayerCall(LayerIdentity(layer), [], [:]).output
    }

    public var layer: Layer { tensor.call.identity.layer }
}
