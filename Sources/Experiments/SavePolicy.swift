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
