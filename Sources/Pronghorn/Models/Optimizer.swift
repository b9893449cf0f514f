public import Experiments

/// An optimizer of Keras; `.with(["clipnorm": 1.0])` gives further arguments.
public struct Optimizer: KerasDescription, Equatable {
    public var object: KerasObject

    /// An optimizer by the name of its class in `keras.optimizers`: `Optimizer("Muon", ["learning_rate": 0.02])`.
    public init(_ className: String, _ arguments: [String: ParameterValue] = [:]) {
        object = KerasObject(module: "keras.optimizers", className: className, arguments: arguments)
    }

    init(_ className: String, typed arguments: Arguments) {
        object = KerasObject("keras.optimizers", className, arguments)
    }

    public static func sgd(
        learningRate: LearningRate? = nil, momentum: Double? = nil, nesterov: Bool? = nil, weightDecay: Double? = nil
    ) -> Optimizer {
        Optimizer(
            "SGD",
            typed: [
                "learning_rate": learningRate, "momentum": momentum, "nesterov": nesterov,
                "weight_decay": weightDecay,
            ])
    }

    public static func rmsprop(
        learningRate: LearningRate? = nil, rho: Double? = nil, momentum: Double? = nil, epsilon: Double? = nil,
        centered: Bool? = nil
    ) -> Optimizer {
        Optimizer(
            "RMSprop",
            typed: [
                "learning_rate": learningRate, "rho": rho, "momentum": momentum, "epsilon": epsilon,
                "centered": centered,
            ])
    }

    public static func adam(
        learningRate: LearningRate? = nil, beta1: Double? = nil, beta2: Double? = nil, epsilon: Double? = nil,
        amsgrad: Bool? = nil
    ) -> Optimizer {
        Optimizer(
            "Adam",
            typed: [
                "learning_rate": learningRate, "beta_1": beta1, "beta_2": beta2, "epsilon": epsilon,
                "amsgrad": amsgrad,
            ])
    }

    public static func adamW(
        learningRate: LearningRate? = nil, weightDecay: Double? = nil, beta1: Double? = nil, beta2: Double? = nil,
        epsilon: Double? = nil, amsgrad: Bool? = nil
    ) -> Optimizer {
        Optimizer(
            "AdamW",
            typed: [
                "learning_rate": learningRate, "weight_decay": weightDecay, "beta_1": beta1, "beta_2": beta2,
                "epsilon": epsilon, "amsgrad": amsgrad,
            ])
    }

    public static func nadam(
        learningRate: LearningRate? = nil, beta1: Double? = nil, beta2: Double? = nil, epsilon: Double? = nil
    ) -> Optimizer {
        Optimizer(
            "Nadam",
            typed: ["learning_rate": learningRate, "beta_1": beta1, "beta_2": beta2, "epsilon": epsilon])
    }

    public static func adamax(
        learningRate: LearningRate? = nil, beta1: Double? = nil, beta2: Double? = nil, epsilon: Double? = nil
    ) -> Optimizer {
        Optimizer(
            "Adamax",
            typed: ["learning_rate": learningRate, "beta_1": beta1, "beta_2": beta2, "epsilon": epsilon])
    }

    public static func adagrad(
        learningRate: LearningRate? = nil, initialAccumulator: Double? = nil, epsilon: Double? = nil
    ) -> Optimizer {
        Optimizer(
            "Adagrad",
            typed: [
                "learning_rate": learningRate, "initial_accumulator_value": initialAccumulator, "epsilon": epsilon,
            ])
    }

    public static func adadelta(
        learningRate: LearningRate? = nil, rho: Double? = nil, epsilon: Double? = nil
    ) -> Optimizer {
        Optimizer("Adadelta", typed: ["learning_rate": learningRate, "rho": rho, "epsilon": epsilon])
    }

    public static func lion(
        learningRate: LearningRate? = nil, beta1: Double? = nil, beta2: Double? = nil, weightDecay: Double? = nil
    ) -> Optimizer {
        Optimizer(
            "Lion",
            typed: [
                "learning_rate": learningRate, "beta_1": beta1, "beta_2": beta2, "weight_decay": weightDecay,
            ])
    }
}
