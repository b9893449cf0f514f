/// What a metric's name tells of it.
public enum MetricName {
    /// Whether a metric of this name grows as the model gets better.
    ///
    /// Keras's `MonitorCallback` asks the metric's class. A name is all that there is here, so the words of the names that Keras gives those
    /// classes are listed, and what others are commonly called. They may have the output's name before them (`head_accuracy`), and
    /// after them the number that Keras gives to a second metric of a name (`auc_1`). What is not known does not grow: losses and errors.
    public static func growsWithQuality(_ metric: String) -> Bool {
        var words = metric.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
        while let last = words.last, words.count > 1, last.allSatisfy(\.isNumber) { words.removeLast() }
        guard let last = words.last, falling.isDisjoint(with: words) else { return false }
        return !growing.isDisjoint(with: words) || growingAtEnd.contains(last)
    }

    /// The name without the `val_` of a metric on validation rows.
    static func withoutPrefix(_ metric: String) -> Substring {
        metric.hasPrefix("val_") ? metric.dropFirst(4) : metric[...]
    }

    /// Words of losses and errors, whatever stands beside them.
    private static let falling: Set<String> = ["loss", "error", "false", "brier"]

    private static let growing: Set<String> = [
        "acc", "accuracy", "auc", "precision", "recall", "f1", "fbeta", "iou", "io", "r2", "correlation", "positives",
        "negatives", "sensitivity", "specificity", "similarity", "ndcg", "psnr", "ssim", "mcc", "kappa",
    ]

    /// Words that may be an output's name: `score_mae` is an error.
    private static let growingAtEnd: Set<String> = ["score", "dice", "ap", "map"]
}
