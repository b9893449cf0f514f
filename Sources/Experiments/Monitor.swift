/// A metric, and which end of it is good.
public struct Monitor: Sendable, Equatable, Codable {
    /// The metric's name in the logs; `nil`: `val_loss` where there is validation, otherwise `loss`.
    public var metric: String?
    /// Whether less is better; `nil`: as ``Experiment/lessIsBetter(_:)`` has it.
    public var lessIsBetter: Bool?

    /// A metric, by default the validation loss.
    public init(metric: String? = nil, lessIsBetter: Bool? = nil) {
        self.metric = metric
        self.lessIsBetter = lessIsBetter
    }
}

extension Experiment {
    /// The metric that a monitor watches, and which way it gets better.
    public func resolved(_ monitor: Monitor) -> (metric: String, lessIsBetter: Bool) {
        let metric = watched(by: monitor)
        return (metric, monitor.lessIsBetter ?? lessIsBetter(metric))
    }

    /// Whether less of a metric is better: what `save`, or else a callback, says by `mode` of it, or of the same metric on the other
    /// rows (`kappa` and `val_kappa`); otherwise what its name tells.
    public func lessIsBetter(_ metric: String) -> Bool {
        var said: [(metric: String, lessIsBetter: Bool)] = []
        for monitor in [save.best, save.top?.monitor] {
            if let monitor, let less = monitor.lessIsBetter { said.append((watched(by: monitor), less)) }
        }
        for case let (metric, mode)? in callbacks.map(\.monitor) where mode != .auto {
            said.append((metric, mode == .min))
        }
        let found =
            said.first { $0.metric == metric }
            ?? said.first { MetricName.withoutPrefix($0.metric) == MetricName.withoutPrefix(metric) }
        return found?.lessIsBetter ?? !MetricName.growsWithQuality(metric)
    }

    private func watched(by monitor: Monitor) -> String {
        monitor.metric ?? (validates ? "val_loss" : "loss")
    }
}
