public import Experiments

/// An activation function, by Keras's name of it.
public struct Activation: KerasArgument, Equatable, ExpressibleByStringLiteral {
    public let argument: ParameterValue

    /// An activation by its name in `keras.activations`.
    public init(_ name: String) { argument = .string(name) }
    public init(stringLiteral name: String) { self.init(name) }

    public static let celu = Activation("celu")
    public static let elu = Activation("elu")
    public static let exponential = Activation("exponential")
    public static let gelu = Activation("gelu")
    public static let hardSigmoid = Activation("hard_sigmoid")
    public static let leakyReLU = Activation("leaky_relu")
    public static let linear = Activation("linear")
    public static let logSoftmax = Activation("log_softmax")
    public static let mish = Activation("mish")
    public static let relu = Activation("relu")
    public static let relu6 = Activation("relu6")
    public static let selu = Activation("selu")
    public static let sigmoid = Activation("sigmoid")
    public static let silu = Activation("silu")
    public static let softmax = Activation("softmax")
    public static let softplus = Activation("softplus")
    public static let softsign = Activation("softsign")
    public static let tanh = Activation("tanh")
}

/// How first weights are drawn.
public struct Initializer: KerasDescription, Equatable {
    public var object: KerasObject

    /// An initializer by the name of its class in `keras.initializers`.
    public init(_ className: String, _ arguments: [String: ParameterValue] = [:]) {
        object = KerasObject(module: "keras.initializers", className: className, arguments: arguments)
    }

    init(_ className: String, typed arguments: Arguments) {
        object = KerasObject("keras.initializers", className, arguments)
    }

    public static let zeros = Initializer("Zeros")
    public static let ones = Initializer("Ones")
    public static let glorotUniform = Initializer("GlorotUniform")
    public static let glorotNormal = Initializer("GlorotNormal")
    public static let heUniform = Initializer("HeUniform")
    public static let heNormal = Initializer("HeNormal")
    public static let lecunUniform = Initializer("LecunUniform")
    public static let lecunNormal = Initializer("LecunNormal")
    public static func constant(_ value: Double) -> Initializer {
        Initializer("Constant", typed: ["value": value])
    }
    public static func orthogonal(gain: Double? = nil) -> Initializer {
        Initializer("Orthogonal", typed: ["gain": gain])
    }
    public static func randomNormal(mean: Double? = nil, standardDeviation: Double? = nil) -> Initializer {
        Initializer("RandomNormal", typed: ["mean": mean, "stddev": standardDeviation])
    }
    public static func randomUniform(from least: Double? = nil, to greatest: Double? = nil) -> Initializer {
        Initializer("RandomUniform", typed: ["minval": least, "maxval": greatest])
    }
}

/// A penalty on weights.
public struct Regularizer: KerasDescription, Equatable {
    public var object: KerasObject

    /// A regularizer by the name of its class in `keras.regularizers`.
    public init(_ className: String, _ arguments: [String: ParameterValue] = [:]) {
        object = KerasObject(module: "keras.regularizers", className: className, arguments: arguments)
    }

    init(_ className: String, typed arguments: Arguments) {
        object = KerasObject("keras.regularizers", className, arguments)
    }

    public static func l1(_ factor: Double? = nil) -> Regularizer { Regularizer("L1", typed: ["l1": factor]) }
    public static func l2(_ factor: Double? = nil) -> Regularizer { Regularizer("L2", typed: ["l2": factor]) }
    public static func l1l2(l1: Double? = nil, l2: Double? = nil) -> Regularizer {
        Regularizer("L1L2", typed: ["l1": l1, "l2": l2])
    }
}

/// What weights are held to after each step.
public struct Constraint: KerasDescription, Equatable {
    public var object: KerasObject

    /// A constraint by the name of its class in `keras.constraints`.
    public init(_ className: String, _ arguments: [String: ParameterValue] = [:]) {
        object = KerasObject(module: "keras.constraints", className: className, arguments: arguments)
    }

    init(_ className: String, typed arguments: Arguments) {
        object = KerasObject("keras.constraints", className, arguments)
    }

    public static let nonNegative = Constraint("NonNeg")
    public static func maxNorm(_ value: Double? = nil, axis: Int? = nil) -> Constraint {
        Constraint("MaxNorm", typed: ["max_value": value, "axis": axis])
    }
    public static func unitNorm(axis: Int? = nil) -> Constraint { Constraint("UnitNorm", typed: ["axis": axis]) }
}

/// A size or a step in one or two directions: `3`, `[3, 5]`.
public struct Extent: KerasArgument, Equatable, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
    public let argument: ParameterValue

    /// The same in all directions.
    public init(_ size: Int) { argument = .int(size) }
    /// A size a direction: height and width.
    public init(_ sizes: [Int]) { argument = sizes.argument }
    public init(integerLiteral size: Int) { self.init(size) }
    public init(arrayLiteral sizes: Int...) { self.init(sizes) }
}

/// What a convolution or a pooling does at the borders.
public enum Padding: String, KerasArgument {
    case valid, same
    /// Of one-dimensional convolutions: no step sees a later one.
    case causal

    public var argument: ParameterValue { .string(rawValue) }
}

/// A learning rate, or a schedule of it by steps.
public struct LearningRate: KerasArgument, Equatable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    public let argument: ParameterValue

    /// A rate that stays.
    public init(_ rate: Double) { argument = .double(rate) }
    /// A schedule by the name of its class in `keras.optimizers.schedules`.
    public init(schedule className: String, _ arguments: [String: ParameterValue]) {
        self.init(
            KerasObject(module: "keras.optimizers.schedules", className: className, arguments: arguments))
    }
    public init(floatLiteral rate: Double) { self.init(rate) }
    public init(integerLiteral rate: Int) { self.init(Double(rate)) }

    private init(_ schedule: KerasObject) { argument = schedule.argument }

    private init(_ className: String, typed arguments: Arguments) {
        self.init(KerasObject("keras.optimizers.schedules", className, arguments))
    }

    public static func exponentialDecay(
        from rate: Double, steps: Int, decay: Double, staircase: Bool? = nil
    ) -> LearningRate {
        LearningRate(
            "ExponentialDecay",
            typed: [
                "initial_learning_rate": rate, "decay_steps": steps, "decay_rate": decay, "staircase": staircase,
            ])
    }

    public static func cosineDecay(
        from rate: Double, steps: Int, alpha: Double? = nil, warmupTarget: Double? = nil, warmupSteps: Int? = nil
    ) -> LearningRate {
        LearningRate(
            "CosineDecay",
            typed: [
                "initial_learning_rate": rate, "decay_steps": steps, "alpha": alpha, "warmup_target": warmupTarget,
                "warmup_steps": warmupSteps,
            ])
    }

    public static func piecewiseConstant(boundaries: [Int], values: [Double]) -> LearningRate {
        LearningRate("PiecewiseConstantDecay", typed: ["boundaries": boundaries, "values": values])
    }
}
