// Typed convolutions of Keras: each argument has the meaning that Keras's documentation gives it, and is left to Keras where it is nil.

/// Over steps: inputs [rows, steps, channels].
public struct Conv1D: KerasLayer {
    public let layer: Layer

    public init(
        _ filters: Int, kernelSize: Extent, strides: Extent? = nil, padding: Padding? = nil,
        dilationRate: Extent? = nil, groups: Int? = nil, activation: Activation? = nil, useBias: Bool? = nil,
        kernelInitializer: Initializer? = nil, biasInitializer: Initializer? = nil,
        kernelRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil,
        activityRegularizer: Regularizer? = nil, kernelConstraint: Constraint? = nil,
        biasConstraint: Constraint? = nil
    ) {
        layer = Layer(
            "Conv1D",
            typed: [
                "filters": filters, "kernel_size": kernelSize, "strides": strides, "padding": padding,
                "dilation_rate": dilationRate, "groups": groups, "activation": activation, "use_bias": useBias,
                "kernel_initializer": kernelInitializer, "bias_initializer": biasInitializer,
                "kernel_regularizer": kernelRegularizer, "bias_regularizer": biasRegularizer,
                "activity_regularizer": activityRegularizer, "kernel_constraint": kernelConstraint,
                "bias_constraint": biasConstraint,
            ])
    }
}

/// Over images: inputs [rows, height, width, channels].
public struct Conv2D: KerasLayer {
    public let layer: Layer

    public init(
        _ filters: Int, kernelSize: Extent, strides: Extent? = nil, padding: Padding? = nil,
        dilationRate: Extent? = nil, groups: Int? = nil, activation: Activation? = nil, useBias: Bool? = nil,
        kernelInitializer: Initializer? = nil, biasInitializer: Initializer? = nil,
        kernelRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil,
        activityRegularizer: Regularizer? = nil, kernelConstraint: Constraint? = nil,
        biasConstraint: Constraint? = nil
    ) {
        layer = Layer(
            "Conv2D",
            typed: [
                "filters": filters, "kernel_size": kernelSize, "strides": strides, "padding": padding,
                "dilation_rate": dilationRate, "groups": groups, "activation": activation, "use_bias": useBias,
                "kernel_initializer": kernelInitializer, "bias_initializer": biasInitializer,
                "kernel_regularizer": kernelRegularizer, "bias_regularizer": biasRegularizer,
                "activity_regularizer": activityRegularizer, "kernel_constraint": kernelConstraint,
                "bias_constraint": biasConstraint,
            ])
    }
}

/// The transpose of a convolution, which makes images larger.
public struct Conv2DTranspose: KerasLayer {
    public let layer: Layer

    public init(
        _ filters: Int, kernelSize: Extent, strides: Extent? = nil, padding: Padding? = nil,
        outputPadding: Extent? = nil, dilationRate: Extent? = nil, activation: Activation? = nil,
        useBias: Bool? = nil, kernelInitializer: Initializer? = nil, biasInitializer: Initializer? = nil,
        kernelRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil,
        activityRegularizer: Regularizer? = nil, kernelConstraint: Constraint? = nil,
        biasConstraint: Constraint? = nil
    ) {
        layer = Layer(
            "Conv2DTranspose",
            typed: [
                "filters": filters, "kernel_size": kernelSize, "strides": strides, "padding": padding,
                "output_padding": outputPadding, "dilation_rate": dilationRate, "activation": activation,
                "use_bias": useBias, "kernel_initializer": kernelInitializer, "bias_initializer": biasInitializer,
                "kernel_regularizer": kernelRegularizer, "bias_regularizer": biasRegularizer,
                "activity_regularizer": activityRegularizer, "kernel_constraint": kernelConstraint,
                "bias_constraint": biasConstraint,
            ])
    }
}

/// A convolution a channel, and one over the channels.
public struct SeparableConv2D: KerasLayer {
    public let layer: Layer

    public init(
        _ filters: Int, kernelSize: Extent, strides: Extent? = nil, padding: Padding? = nil,
        dilationRate: Extent? = nil, depthMultiplier: Int? = nil, activation: Activation? = nil,
        useBias: Bool? = nil, depthwiseInitializer: Initializer? = nil, pointwiseInitializer: Initializer? = nil,
        biasInitializer: Initializer? = nil
    ) {
        layer = Layer(
            "SeparableConv2D",
            typed: [
                "filters": filters, "kernel_size": kernelSize, "strides": strides, "padding": padding,
                "dilation_rate": dilationRate, "depth_multiplier": depthMultiplier, "activation": activation,
                "use_bias": useBias, "depthwise_initializer": depthwiseInitializer,
                "pointwise_initializer": pointwiseInitializer, "bias_initializer": biasInitializer,
            ])
    }
}

/// A convolution a channel.
public struct DepthwiseConv2D: KerasLayer {
    public let layer: Layer

    public init(
        kernelSize: Extent, strides: Extent? = nil, padding: Padding? = nil, depthMultiplier: Int? = nil,
        dilationRate: Extent? = nil, activation: Activation? = nil, useBias: Bool? = nil,
        depthwiseInitializer: Initializer? = nil, biasInitializer: Initializer? = nil
    ) {
        layer = Layer(
            "DepthwiseConv2D",
            typed: [
                "kernel_size": kernelSize, "strides": strides, "padding": padding,
                "depth_multiplier": depthMultiplier, "dilation_rate": dilationRate, "activation": activation,
                "use_bias": useBias, "depthwise_initializer": depthwiseInitializer,
                "bias_initializer": biasInitializer,
            ])
    }
}

/// Each pixel several times.
public struct UpSampling2D: KerasLayer {
    public let layer: Layer

    public init(size: Extent? = nil, interpolation: String? = nil) {
        layer = Layer("UpSampling2D", typed: ["size": size, "interpolation": interpolation])
    }
}

/// Zeros around images.
public struct ZeroPadding2D: KerasLayer {
    public let layer: Layer

    public init(padding: Extent? = nil) {
        layer = Layer("ZeroPadding2D", typed: ["padding": padding])
    }
}
