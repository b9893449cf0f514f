public import Experiments

/// A loss of Keras.
public struct Loss: KerasDescription, Equatable {
    public var object: KerasObject

    /// A loss by the name of its class in `keras.losses`: `Loss("Tversky", ["alpha": 0.3])`.
    public init(_ className: String, _ arguments: [String: ParameterValue] = [:]) {
        object = KerasObject(module: "keras.losses", className: className, arguments: arguments)
    }

    init(_ className: String, typed arguments: Arguments) {
        object = KerasObject("keras.losses", className, arguments)
    }

    public static let meanSquaredError = Loss("MeanSquaredError")
    public static let meanAbsoluteError = Loss("MeanAbsoluteError")
    public static let meanAbsolutePercentageError = Loss("MeanAbsolutePercentageError")
    public static let meanSquaredLogarithmicError = Loss("MeanSquaredLogarithmicError")
    public static let logCosh = Loss("LogCosh")
    public static let poisson = Loss("Poisson")
    public static let klDivergence = Loss("KLDivergence")
    public static let hinge = Loss("Hinge")
    public static let squaredHinge = Loss("SquaredHinge")
    public static let categoricalHinge = Loss("CategoricalHinge")

    public static func huber(delta: Double? = nil) -> Loss { Loss("Huber", typed: ["delta": delta]) }

    public static func cosineSimilarity(axis: Int? = nil) -> Loss {
        Loss("CosineSimilarity", typed: ["axis": axis])
    }

    public static func binaryCrossentropy(fromLogits: Bool? = nil, labelSmoothing: Double? = nil) -> Loss {
        Loss("BinaryCrossentropy", typed: ["from_logits": fromLogits, "label_smoothing": labelSmoothing])
    }

    public static func binaryFocalCrossentropy(
        alpha: Double? = nil, gamma: Double? = nil, fromLogits: Bool? = nil, labelSmoothing: Double? = nil
    ) -> Loss {
        Loss(
            "BinaryFocalCrossentropy",
            typed: ["alpha": alpha, "gamma": gamma, "from_logits": fromLogits, "label_smoothing": labelSmoothing])
    }

    public static func categoricalCrossentropy(fromLogits: Bool? = nil, labelSmoothing: Double? = nil) -> Loss {
        Loss("CategoricalCrossentropy", typed: ["from_logits": fromLogits, "label_smoothing": labelSmoothing])
    }

    public static func sparseCategoricalCrossentropy(fromLogits: Bool? = nil, ignoreClass: Int? = nil) -> Loss {
        Loss("SparseCategoricalCrossentropy", typed: ["from_logits": fromLogits, "ignore_class": ignoreClass])
    }
}

/// A metric of Keras.
public struct Metric: KerasArgument, Equatable {
    public let argument: ParameterValue

    /// A metric by a name that Keras turns into what fits the loss, and logs it by: `.called("accuracy")`, `.called("mae")`.
    ///
    /// This is no string literal, since `Metric("F1Score")` would be one too.
    public static func called(_ name: String) -> Metric { Metric(argument: .string(name)) }

    private init(argument: ParameterValue) { self.argument = argument }

    /// A metric by the name of its class in `keras.metrics`: `Metric("F1Score", ["average": "macro"])`.
    public init(_ className: String, _ arguments: [String: ParameterValue] = [:]) {
        argument = KerasObject(module: "keras.metrics", className: className, arguments: arguments).argument
    }

    private init(_ className: String, typed arguments: Arguments) {
        argument = KerasObject("keras.metrics", className, arguments).argument
    }

    /// The accuracy of the kind that fits loss and targets.
    public static let accuracy = Metric.called("accuracy")
    public static let meanAbsoluteError = Metric("MeanAbsoluteError")
    public static let meanSquaredError = Metric("MeanSquaredError")
    public static let rootMeanSquaredError = Metric("RootMeanSquaredError")
    public static let meanAbsolutePercentageError = Metric("MeanAbsolutePercentageError")
    public static let r2Score = Metric("R2Score")
    public static let binaryCrossentropy = Metric("BinaryCrossentropy")
    public static let categoricalCrossentropy = Metric("CategoricalCrossentropy")
    public static let sparseCategoricalCrossentropy = Metric("SparseCategoricalCrossentropy")

    public static func binaryAccuracy(threshold: Double? = nil) -> Metric {
        Metric("BinaryAccuracy", typed: ["threshold": threshold])
    }

    public static func topKCategoricalAccuracy(_ k: Int? = nil) -> Metric {
        Metric("TopKCategoricalAccuracy", typed: ["k": k])
    }

    public static func sparseTopKCategoricalAccuracy(_ k: Int? = nil) -> Metric {
        Metric("SparseTopKCategoricalAccuracy", typed: ["k": k])
    }

    public static func auc(curve: String? = nil, thresholds: Int? = nil, fromLogits: Bool? = nil) -> Metric {
        Metric("AUC", typed: ["curve": curve, "num_thresholds": thresholds, "from_logits": fromLogits])
    }

    public static func precision(threshold: Double? = nil, topK: Int? = nil, classID: Int? = nil) -> Metric {
        Metric("Precision", typed: ["thresholds": threshold, "top_k": topK, "class_id": classID])
    }

    public static func recall(threshold: Double? = nil, topK: Int? = nil, classID: Int? = nil) -> Metric {
        Metric("Recall", typed: ["thresholds": threshold, "top_k": topK, "class_id": classID])
    }

    public static func f1Score(average: String? = nil, threshold: Double? = nil) -> Metric {
        Metric("F1Score", typed: ["average": average, "threshold": threshold])
    }
}
