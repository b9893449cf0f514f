/// Whether less or more of a metric is better.
public enum MetricDirection: String, Sendable, Hashable, Codable {
    /// Less is better: losses and errors.
    case lower
    /// More is better: accuracies and scores.
    case higher

    /// The direction that a metric's name tells.
    ///
    /// Follows the automatic mode of Keras's `MonitorCallback`: `val_` is dropped, `loss` is lowered, and of a metric its class
    /// says. A name is all there is here, so the names that Keras gives those classes are listed, with the ending that Keras adds to
    /// the second metric of a name (`auc_1`) or the output's name before it (`head_accuracy`). What is not known is lowered, as Keras
    /// does with a loss used as a metric.
    public static func direction(_ metric: String) -> MetricDirection {
        var name = bareName(metric).lowercased()
        if let underscore = name.lastIndex(of: "_"),
            !name[underscore...].dropFirst().isEmpty, name[underscore...].dropFirst().allSatisfy(\.isNumber)
        {
            name = String(name[..<underscore])
        }
        if lowered.contains(where: { matches(name, $0) }) { return .lower }
        return raised.contains { matches(name, $0) } ? .higher : .lower
    }

    /// Whether `value` is better than `other`; nothing is better than a number but a better number, and NaN is never better.
    public func isBetter(_ value: Double, than other: Double) -> Bool {
        if value.isNaN { return false }
        if other.isNaN { return true }
        return self == .lower ? value < other : value > other
    }

    static func bareName(_ metric: String) -> String {
        metric.hasPrefix("val_") ? String(metric.dropFirst(4)) : metric
    }

    private static func matches(_ name: String, _ known: String) -> Bool {
        name == known || name.hasSuffix("_" + known)
    }

    /// Names that would otherwise match one of `raised` by their ending.
    private static let lowered: Set<String> = [
        "loss", "error", "false_positives", "false_negatives", "poisson", "hinge", "kl_divergence", "logcosh",
        "brier_score",
    ]

    /// The names of Keras's metrics whose `_direction` is `up`, their short forms, and what others are commonly called.
    private static let raised: Set<String> = [
        "accuracy", "acc", "auc", "precision", "recall", "f1", "f1_score", "fbeta_score", "f_score", "score",
        "r2", "r2_score", "iou", "io_u", "mean_iou", "mean_io_u", "binary_iou", "binary_io_u", "one_hot_io_u",
        "one_hot_mean_io_u", "dice", "cosine_similarity", "pearson_correlation", "concordance_correlation",
        "correlation", "sensitivity_at_specificity", "specificity_at_sensitivity", "precision_at_recall",
        "recall_at_precision", "sensitivity", "specificity", "true_positives", "true_negatives", "ap", "map", "ndcg",
        "psnr", "ssim", "mcc", "kappa",
    ]
}
