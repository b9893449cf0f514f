// Typed pooling layers of Keras: each argument has the meaning that Keras's documentation gives it, and is left to Keras where it is nil.

/// The greatest of so many steps: inputs [rows, steps, channels].
public struct MaxPooling1D: KerasLayer {
    public let layer: Layer

    public init(poolSize: Extent? = nil, strides: Extent? = nil, padding: Padding? = nil) {
        layer = Layer("MaxPooling1D", typed: ["pool_size": poolSize, "strides": strides, "padding": padding])
    }
}

/// The greatest of so many pixels: inputs [rows, height, width, channels].
public struct MaxPooling2D: KerasLayer {
    public let layer: Layer

    public init(poolSize: Extent? = nil, strides: Extent? = nil, padding: Padding? = nil) {
        layer = Layer("MaxPooling2D", typed: ["pool_size": poolSize, "strides": strides, "padding": padding])
    }
}

/// The mean of so many steps: inputs [rows, steps, channels].
public struct AveragePooling1D: KerasLayer {
    public let layer: Layer

    public init(poolSize: Extent, strides: Extent? = nil, padding: Padding? = nil) {
        layer = Layer("AveragePooling1D", typed: ["pool_size": poolSize, "strides": strides, "padding": padding])
    }
}

/// The mean of so many pixels: inputs [rows, height, width, channels].
public struct AveragePooling2D: KerasLayer {
    public let layer: Layer

    public init(poolSize: Extent, strides: Extent? = nil, padding: Padding? = nil) {
        layer = Layer("AveragePooling2D", typed: ["pool_size": poolSize, "strides": strides, "padding": padding])
    }
}

/// The greatest of each channel.
public struct GlobalMaxPooling1D: KerasLayer {
    public let layer: Layer

    public init(keepsDimensions: Bool? = nil) {
        layer = Layer("GlobalMaxPooling1D", typed: ["keepdims": keepsDimensions])
    }
}

/// The greatest of each channel.
public struct GlobalMaxPooling2D: KerasLayer {
    public let layer: Layer

    public init(keepsDimensions: Bool? = nil) {
        layer = Layer("GlobalMaxPooling2D", typed: ["keepdims": keepsDimensions])
    }
}

/// The mean of each channel.
public struct GlobalAveragePooling1D: KerasLayer {
    public let layer: Layer

    public init(keepsDimensions: Bool? = nil) {
        layer = Layer("GlobalAveragePooling1D", typed: ["keepdims": keepsDimensions])
    }
}

/// The mean of each channel.
public struct GlobalAveragePooling2D: KerasLayer {
    public let layer: Layer

    public init(keepsDimensions: Bool? = nil) {
        layer = Layer("GlobalAveragePooling2D", typed: ["keepdims": keepsDimensions])
    }
}
