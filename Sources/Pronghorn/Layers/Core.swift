// Typed core layers of Keras: each argument has the meaning that Keras's documentation gives it, and is left to Keras where it is nil.

/// Each output a weighted sum of all inputs: inputs [rows, …, n], outputs [rows, …, units].
public struct Dense: KerasLayer {
    public let layer: Layer

    public init(
        _ units: Int, activation: Activation? = nil, useBias: Bool? = nil, kernelInitializer: Initializer? = nil,
        biasInitializer: Initializer? = nil, kernelRegularizer: Regularizer? = nil,
        biasRegularizer: Regularizer? = nil, activityRegularizer: Regularizer? = nil,
        kernelConstraint: Constraint? = nil, biasConstraint: Constraint? = nil
    ) {
        layer = Layer(
            "Dense",
            typed: [
                "units": units, "activation": activation, "use_bias": useBias,
                "kernel_initializer": kernelInitializer, "bias_initializer": biasInitializer,
                "kernel_regularizer": kernelRegularizer, "bias_regularizer": biasRegularizer,
                "activity_regularizer": activityRegularizer, "kernel_constraint": kernelConstraint,
                "bias_constraint": biasConstraint,
            ])
    }
}

/// In training, sets a share of its inputs to 0.
public struct Dropout: KerasLayer {
    public let layer: Layer

    public init(_ rate: Double, seed: Int? = nil) {
        layer = Layer("Dropout", typed: ["rate": rate, "seed": seed])
    }
}

/// In training, sets a share of the channels to 0: inputs [rows, steps, channels].
public struct SpatialDropout1D: KerasLayer {
    public let layer: Layer

    public init(_ rate: Double, seed: Int? = nil) {
        layer = Layer("SpatialDropout1D", typed: ["rate": rate, "seed": seed])
    }
}

/// In training, sets a share of the channels to 0: inputs [rows, height, width, channels].
public struct SpatialDropout2D: KerasLayer {
    public let layer: Layer

    public init(_ rate: Double, seed: Int? = nil) {
        layer = Layer("SpatialDropout2D", typed: ["rate": rate, "seed": seed])
    }
}

/// In training, adds noise of a standard deviation.
public struct GaussianNoise: KerasLayer {
    public let layer: Layer

    public init(_ standardDeviation: Double, seed: Int? = nil) {
        layer = Layer("GaussianNoise", typed: ["stddev": standardDeviation, "seed": seed])
    }
}

/// In training, multiplies by noise around 1.
public struct GaussianDropout: KerasLayer {
    public let layer: Layer

    public init(_ rate: Double, seed: Int? = nil) {
        layer = Layer("GaussianDropout", typed: ["rate": rate, "seed": seed])
    }
}

/// Everything of a row in one axis.
public struct Flatten: KerasLayer {
    public let layer: Layer

    public init() { layer = Layer("Flatten", typed: [:]) }
}

/// A row in another shape; one number may be -1.
public struct Reshape: KerasLayer {
    public let layer: Layer

    public init(_ targetShape: [Int]) {
        layer = Layer("Reshape", typed: ["target_shape": targetShape])
    }
}

/// The axes of a row in another order, counted from 1.
public struct Permute: KerasLayer {
    public let layer: Layer

    public init(_ order: [Int]) {
        layer = Layer("Permute", typed: ["dims": order])
    }
}

/// A row so many times: inputs [rows, n], outputs [rows, times, n].
public struct RepeatVector: KerasLayer {
    public let layer: Layer

    public init(_ times: Int) {
        layer = Layer("RepeatVector", typed: ["n": times])
    }
}

/// A vector for each whole number: inputs [rows, …], outputs [rows, …, outputDimension].
public struct Embedding: KerasLayer {
    public let layer: Layer

    public init(
        inputDimension: Int, outputDimension: Int, initializer: Initializer? = nil,
        regularizer: Regularizer? = nil, constraint: Constraint? = nil, maskZero: Bool? = nil
    ) {
        layer = Layer(
            "Embedding",
            typed: [
                "input_dim": inputDimension, "output_dim": outputDimension, "embeddings_initializer": initializer,
                "embeddings_regularizer": regularizer, "embeddings_constraint": constraint, "mask_zero": maskZero,
            ])
    }
}

/// Numbers times a scale, and an offset.
public struct Rescaling: KerasLayer {
    public let layer: Layer

    public init(_ scale: Double, offset: Double? = nil) {
        layer = Layer("Rescaling", typed: ["scale": scale, "offset": offset])
    }
}

/// A rectified linear unit that lets through a share of what is below 0.
public struct LeakyReLU: KerasLayer {
    public let layer: Layer

    public init(negativeSlope: Double? = nil) {
        layer = Layer("LeakyReLU", typed: ["negative_slope": negativeSlope])
    }
}

/// A rectified linear unit with a trained slope below 0.
public struct PReLU: KerasLayer {
    public let layer: Layer

    public init(
        alphaInitializer: Initializer? = nil, alphaRegularizer: Regularizer? = nil,
        alphaConstraint: Constraint? = nil, sharedAxes: [Int]? = nil
    ) {
        layer = Layer(
            "PReLU",
            typed: [
                "alpha_initializer": alphaInitializer, "alpha_regularizer": alphaRegularizer,
                "alpha_constraint": alphaConstraint, "shared_axes": sharedAxes,
            ])
    }
}
