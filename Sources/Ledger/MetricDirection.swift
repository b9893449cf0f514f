/// Whether less or more of a metric is better.
public enum MetricDirection: String, Sendable, Hashable, Codable {
    /// Less is better: losses and errors.
    case lower
    /// More is better: accuracies and scores.
    case higher

    /// Whether `value` is better than `other`; nothing is better than a number but a better number, and NaN is never better.
    public func isBetter(_ value: Double, than other: Double) -> Bool {
        if value.isNaN { return false }
        if other.isNaN { return true }
        return self == .lower ? value < other : value > other
    }
}

/// What trials are compared by: a metric's last value, and which end of it is better.
///
/// The ledger holds values alone: which end that is, the experiment says.
public struct Ranking: Sendable, Hashable {
    public var metric: String
    public var direction: MetricDirection

    /// A metric whose lower or higher values are better.
    public init(_ metric: String, _ direction: MetricDirection) {
        self.metric = metric
        self.direction = direction
    }
}
