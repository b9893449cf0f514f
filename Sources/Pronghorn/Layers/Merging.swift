// Typed layers of several inputs of Keras: each argument has the meaning that Keras's documentation gives it, and is left to Keras where it is nil.

/// Tensors side by side, called on a list.
public struct Concatenate: KerasLayer {
    public let layer: Layer

    public init(axis: Int? = nil) {
        layer = Layer("Concatenate", typed: ["axis": axis])
    }
}

/// The sum of tensors, called on a list.
public struct Add: KerasLayer {
    public let layer: Layer

    public init() { layer = Layer("Add", typed: [:]) }
}

/// The difference of two tensors, called on a list.
public struct Subtract: KerasLayer {
    public let layer: Layer

    public init() { layer = Layer("Subtract", typed: [:]) }
}

/// The product of tensors, called on a list.
public struct Multiply: KerasLayer {
    public let layer: Layer

    public init() { layer = Layer("Multiply", typed: [:]) }
}

/// The mean of tensors, called on a list.
public struct Average: KerasLayer {
    public let layer: Layer

    public init() { layer = Layer("Average", typed: [:]) }
}

/// The greatest of tensors, called on a list.
public struct Maximum: KerasLayer {
    public let layer: Layer

    public init() { layer = Layer("Maximum", typed: [:]) }
}

/// The least of tensors, called on a list.
public struct Minimum: KerasLayer {
    public let layer: Layer

    public init() { layer = Layer("Minimum", typed: [:]) }
}

/// The product of two tensors along axes, called on a list.
public struct Dot: KerasLayer {
    public let layer: Layer

    public init(axes: [Int], normalize: Bool? = nil) {
        layer = Layer("Dot", typed: ["axes": axes, "normalize": normalize])
    }
}

/// Attention, called on a query and a value, or on query, value and key.
public struct MultiHeadAttention: KerasLayer {
    public let layer: Layer

    public init(
        heads: Int, keyDimension: Int, valueDimension: Int? = nil, dropout: Double? = nil, useBias: Bool? = nil,
        kernelInitializer: Initializer? = nil, biasInitializer: Initializer? = nil
    ) {
        layer = Layer(
            "MultiHeadAttention",
            typed: [
                "num_heads": heads, "key_dim": keyDimension, "value_dim": valueDimension, "dropout": dropout,
                "use_bias": useBias, "kernel_initializer": kernelInitializer, "bias_initializer": biasInitializer,
            ])
    }
}
