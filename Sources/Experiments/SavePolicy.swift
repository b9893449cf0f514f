/// Which models are kept as `.keras` files.
public struct SavePolicy: Sendable, Equatable, Codable {
    /// Every trial's model as it is after the last epoch.
    public var all: Bool
    /// Every trial's model before the first step.
    public var initial: Bool
    /// Every trial's model of its best epoch.
    public var best: Monitor?
    /// The last models of the best trials.
    public var top: Top?

    /// A policy; by default only the last models.
    public init(all: Bool = true, initial: Bool = false, best: Monitor? = nil, top: Top? = nil) {
        self.all = all
        self.initial = initial
        self.best = best
        self.top = top
    }

    /// Every trial's last model.
    public static let all = SavePolicy()
    /// No model.
    public static let none = SavePolicy(all: false)

    /// The best trials, and what best means.
    public struct Top: Sendable, Equatable, Codable {
        /// How many trials.
        public var count: Int
        /// What they are compared by.
        public var monitor: Monitor

        /// The best `count` trials.
        public init(count: Int, monitor: Monitor = Monitor()) {
            self.count = count
            self.monitor = monitor
        }
    }
}

/// A metric, and which end of it is good.
public struct Monitor: Sendable, Equatable, Codable {
    /// The metric's name in the logs; `nil`: `val_loss` where there is validation, otherwise `loss`.
    public var metric: String?
    /// Whether less is better; `nil`: told from the metric's name.
    public var lessIsBetter: Bool?

    /// A metric, by default the validation loss.
    public init(metric: String? = nil, lessIsBetter: Bool? = nil) {
        self.metric = metric
        self.lessIsBetter = lessIsBetter
    }

    /// The metric and its direction once it is known whether the trials validate.
    public func resolved(validates: Bool) -> (metric: String, lessIsBetter: Bool) {
        let name = metric ?? (validates ? "val_loss" : "loss")
        return (name, lessIsBetter ?? !Self.growsWithQuality(name))
    }

    /// Whether a metric of this name grows as the model gets better.
    ///
    /// As Keras names its metrics: accuracies, AUC, precision, recall, F-scores, IoU, R² and correlations grow; losses
    /// and errors do not.
    public static func growsWithQuality(_ metric: String) -> Bool {
        let words = Set(metric.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init))
        return words.isDisjoint(with: ["loss", "false"]) && !words.isDisjoint(with: growing)
    }

    private static let growing: Set<String> = [
        "acc", "accuracy", "auc", "precision", "recall", "f1", "fbeta", "iou", "io", "r2", "correlation", "positives",
        "negatives", "sensitivity", "specificity", "similarity",
    ]
}
