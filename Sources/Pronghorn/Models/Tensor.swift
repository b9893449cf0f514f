public import Experiments
import Synchronization

/// What a layer gives for what goes into it, while a functional model is put together.
public protocol SymbolicTensor: Sendable {
    /// The tensor.
    var tensor: Tensor { get }
}

/// An output of a layer that was called.
public struct Tensor: SymbolicTensor {
    let call: LayerCall
    let index: Int

    public var tensor: Tensor { self }

    /// Another output of the same call, of a layer that has several: an `LSTM` with `return_state`.
    public subscript(output: Int) -> Tensor { Tensor(call: call, index: output) }
}

/// One layer of a functional model; what is called twice shares its weights.
public struct SharedLayer: Sendable {
    let identity: LayerIdentity

    /// What the layer gives for a tensor, or for several as arguments of their own.
    public func callAsFunction(
        _ tensor: any SymbolicTensor, _ others: any SymbolicTensor..., arguments: [String: ParameterValue] = [:]
    ) -> Tensor {
        LayerCall(identity, ([tensor] + others).map { .tensor($0.tensor) }, arguments).output
    }

    /// What the layer gives for a list of tensors, such as `Concatenate` takes.
    public func callAsFunction(
        _ tensors: [any SymbolicTensor], arguments: [String: ParameterValue] = [:]
    ) -> Tensor {
        LayerCall(identity, [.list(tensors.map(\.tensor))], arguments).output
    }
}

extension KerasLayer {
    /// One layer, whose weights are shared by all its calls.
    public func shared() -> SharedLayer { SharedLayer(identity: LayerIdentity(layer)) }

    /// What a new layer gives for a tensor, or for several as arguments of their own: `MultiHeadAttention(…)(query, value)`.
    ///
    /// `arguments` are further ones of the layer's `call`, such as `use_causal_mask`.
    public func callAsFunction(
        _ tensor: any SymbolicTensor, _ others: any SymbolicTensor..., arguments: [String: ParameterValue] = [:]
    ) -> Tensor {
        LayerCall(LayerIdentity(layer), ([tensor] + others).map { .tensor($0.tensor) }, arguments).output
    }

    /// What a new layer gives for a list of tensors: `Concatenate()([a, b])`.
    public func callAsFunction(
        _ tensors: [any SymbolicTensor], arguments: [String: ParameterValue] = [:]
    ) -> Tensor {
        LayerCall(LayerIdentity(layer), [.list(tensors.map(\.tensor))], arguments).output
    }
}

/// A layer of a functional model, told from others that are made alike.
final class LayerIdentity: Sendable {
    let layer: Layer
    /// Its place in the order in which layers were first called.
    let number = LayerCall.count.wrappingAdd(1, ordering: .relaxed).newValue

    init(_ layer: Layer) {
        self.layer = layer
    }
}

/// One call of a layer.
final class LayerCall: Sendable {
    /// An argument of the call.
    enum Argument: Sendable {
        case tensor(Tensor)
        case list([Tensor])

        var tensors: [Tensor] {
            switch self {
            case .tensor(let tensor): [tensor]
            case .list(let tensors): tensors
            }
        }
    }

    static let count = Atomic(0)

    let identity: LayerIdentity
    let inputs: [Argument]
    let arguments: [String: ParameterValue]
    let number = LayerCall.count.wrappingAdd(1, ordering: .relaxed).newValue

    init(_ identity: LayerIdentity, _ inputs: [Argument], _ arguments: [String: ParameterValue]) {
        self.identity = identity
        self.inputs = inputs
        self.arguments = arguments
    }

    var output: Tensor { Tensor(call: self, index: 0) }
}
