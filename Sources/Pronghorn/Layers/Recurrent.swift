// Typed recurrent layers of Keras: each argument has the meaning that Keras's documentation gives it, and is left to Keras where it is nil.

/// Long short-term memory: inputs [rows, steps, features].
public struct LSTM: KerasLayer {
    public let layer: Layer

    public init(
        _ units: Int, activation: Activation? = nil, recurrentActivation: Activation? = nil, useBias: Bool? = nil,
        kernelInitializer: Initializer? = nil, recurrentInitializer: Initializer? = nil,
        biasInitializer: Initializer? = nil, kernelRegularizer: Regularizer? = nil,
        recurrentRegularizer: Regularizer? = nil, dropout: Double? = nil, recurrentDropout: Double? = nil,
        returnsSequences: Bool? = nil, returnsState: Bool? = nil, goesBackwards: Bool? = nil, unroll: Bool? = nil
    ) {
        layer = Layer(
            "LSTM",
            typed: [
                "units": units, "activation": activation, "recurrent_activation": recurrentActivation,
                "use_bias": useBias, "kernel_initializer": kernelInitializer,
                "recurrent_initializer": recurrentInitializer, "bias_initializer": biasInitializer,
                "kernel_regularizer": kernelRegularizer, "recurrent_regularizer": recurrentRegularizer,
                "dropout": dropout, "recurrent_dropout": recurrentDropout, "return_sequences": returnsSequences,
                "return_state": returnsState, "go_backwards": goesBackwards, "unroll": unroll,
            ])
    }
}

/// A gated recurrent unit: inputs [rows, steps, features].
public struct GRU: KerasLayer {
    public let layer: Layer

    public init(
        _ units: Int, activation: Activation? = nil, recurrentActivation: Activation? = nil, useBias: Bool? = nil,
        kernelInitializer: Initializer? = nil, recurrentInitializer: Initializer? = nil,
        biasInitializer: Initializer? = nil, kernelRegularizer: Regularizer? = nil,
        recurrentRegularizer: Regularizer? = nil, dropout: Double? = nil, recurrentDropout: Double? = nil,
        returnsSequences: Bool? = nil, returnsState: Bool? = nil, goesBackwards: Bool? = nil, unroll: Bool? = nil
    ) {
        layer = Layer(
            "GRU",
            typed: [
                "units": units, "activation": activation, "recurrent_activation": recurrentActivation,
                "use_bias": useBias, "kernel_initializer": kernelInitializer,
                "recurrent_initializer": recurrentInitializer, "bias_initializer": biasInitializer,
                "kernel_regularizer": kernelRegularizer, "recurrent_regularizer": recurrentRegularizer,
                "dropout": dropout, "recurrent_dropout": recurrentDropout, "return_sequences": returnsSequences,
                "return_state": returnsState, "go_backwards": goesBackwards, "unroll": unroll,
            ])
    }
}

/// A recurrent layer without gates: inputs [rows, steps, features].
public struct SimpleRNN: KerasLayer {
    public let layer: Layer

    public init(
        _ units: Int, activation: Activation? = nil, useBias: Bool? = nil, kernelInitializer: Initializer? = nil,
        recurrentInitializer: Initializer? = nil, biasInitializer: Initializer? = nil,
        kernelRegularizer: Regularizer? = nil, recurrentRegularizer: Regularizer? = nil, dropout: Double? = nil,
        recurrentDropout: Double? = nil, returnsSequences: Bool? = nil, returnsState: Bool? = nil,
        goesBackwards: Bool? = nil, unroll: Bool? = nil
    ) {
        layer = Layer(
            "SimpleRNN",
            typed: [
                "units": units, "activation": activation, "use_bias": useBias,
                "kernel_initializer": kernelInitializer, "recurrent_initializer": recurrentInitializer,
                "bias_initializer": biasInitializer, "kernel_regularizer": kernelRegularizer,
                "recurrent_regularizer": recurrentRegularizer, "dropout": dropout,
                "recurrent_dropout": recurrentDropout, "return_sequences": returnsSequences,
                "return_state": returnsState, "go_backwards": goesBackwards, "unroll": unroll,
            ])
    }
}
