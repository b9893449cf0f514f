// Typed layers that normalize of Keras: each argument has the meaning that Keras's documentation gives it, and is left to Keras where it is nil.

/// Over the rows of a batch in training, by moving averages afterwards.
public struct BatchNormalization: KerasLayer {
    public let layer: Layer

    public init(
        axis: Int? = nil, momentum: Double? = nil, epsilon: Double? = nil, center: Bool? = nil, scale: Bool? = nil,
        betaInitializer: Initializer? = nil, gammaInitializer: Initializer? = nil,
        movingMeanInitializer: Initializer? = nil, movingVarianceInitializer: Initializer? = nil,
        betaRegularizer: Regularizer? = nil, gammaRegularizer: Regularizer? = nil,
        betaConstraint: Constraint? = nil, gammaConstraint: Constraint? = nil
    ) {
        layer = Layer(
            "BatchNormalization",
            typed: [
                "axis": axis, "momentum": momentum, "epsilon": epsilon, "center": center, "scale": scale,
                "beta_initializer": betaInitializer, "gamma_initializer": gammaInitializer,
                "moving_mean_initializer": movingMeanInitializer,
                "moving_variance_initializer": movingVarianceInitializer, "beta_regularizer": betaRegularizer,
                "gamma_regularizer": gammaRegularizer, "beta_constraint": betaConstraint,
                "gamma_constraint": gammaConstraint,
            ])
    }
}

/// Over the numbers of each row.
public struct LayerNormalization: KerasLayer {
    public let layer: Layer

    public init(
        axis: Int? = nil, epsilon: Double? = nil, center: Bool? = nil, scale: Bool? = nil,
        betaInitializer: Initializer? = nil, gammaInitializer: Initializer? = nil,
        betaRegularizer: Regularizer? = nil, gammaRegularizer: Regularizer? = nil,
        betaConstraint: Constraint? = nil, gammaConstraint: Constraint? = nil
    ) {
        layer = Layer(
            "LayerNormalization",
            typed: [
                "axis": axis, "epsilon": epsilon, "center": center, "scale": scale,
                "beta_initializer": betaInitializer, "gamma_initializer": gammaInitializer,
                "beta_regularizer": betaRegularizer, "gamma_regularizer": gammaRegularizer,
                "beta_constraint": betaConstraint, "gamma_constraint": gammaConstraint,
            ])
    }
}

/// Over groups of channels of each row.
public struct GroupNormalization: KerasLayer {
    public let layer: Layer

    public init(
        groups: Int? = nil, axis: Int? = nil, epsilon: Double? = nil, center: Bool? = nil, scale: Bool? = nil,
        betaInitializer: Initializer? = nil, gammaInitializer: Initializer? = nil,
        betaRegularizer: Regularizer? = nil, gammaRegularizer: Regularizer? = nil,
        betaConstraint: Constraint? = nil, gammaConstraint: Constraint? = nil
    ) {
        layer = Layer(
            "GroupNormalization",
            typed: [
                "groups": groups, "axis": axis, "epsilon": epsilon, "center": center, "scale": scale,
                "beta_initializer": betaInitializer, "gamma_initializer": gammaInitializer,
                "beta_regularizer": betaRegularizer, "gamma_regularizer": gammaRegularizer,
                "beta_constraint": betaConstraint, "gamma_constraint": gammaConstraint,
            ])
    }
}

/// By the mean and the variance that the data have: given, or adapted to the rows of each trial (`Experiment.adapting`).
public struct Normalization: KerasLayer {
    public let layer: Layer

    /// - Parameters:
    ///   - axis: the axis whose every index has a mean and a variance of its own; Keras's default is the last.
    ///   - mean: the mean, for the whole layer.
    ///   - variance: the variance, given with the mean.
    ///   - invert: whether numbers are brought back to what they were.
    public init(axis: Int? = nil, mean: Double? = nil, variance: Double? = nil, invert: Bool? = nil) {
        layer = Layer("Normalization", typed: ["axis": axis, "mean": mean, "variance": variance, "invert": invert])
    }
}

/// Each row to length 1.
public struct UnitNormalization: KerasLayer {
    public let layer: Layer

    public init(axis: Int? = nil) {
        layer = Layer("UnitNormalization", typed: ["axis": axis])
    }
}
