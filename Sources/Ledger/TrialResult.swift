/// One trial as it stands: what it is, how it ended and how it got there.
public struct TrialResult: Sendable, Hashable {
    /// The trial as it was planned.
    public var plan: TrialRecord
    /// How far it is.
    public var status: TrialStatus
    /// Why it ended without success.
    public var message: String?
    /// Every metric's last value; NaN where training gave NaN.
    public var metrics: [String: Double]
    /// Every metric's values, as `History.history` of Keras; empty where no history was asked for.
    ///
    /// There is a value for each epoch that reported the metric: those of validation are fewer where it happens less often.
    public var history: [String: [Double]]
    /// Epochs trained.
    public var epochs: Int
    /// How often a runner began work on it: 0 before the first time, 1 where nothing went wrong.
    ///
    /// What a runner's end, however it came, makes be tried again is a further attempt; what goes on in a smaller program or
    /// for more epochs is not.
    public var attempts: Int
    /// The epoch, from 0, whose monitored value was best.
    public var bestEpoch: Int?
    /// How a callback ended its training; nil when it was, or is being, trained to its last epoch.
    public var stop: TrialStop?
    /// The model file's path, relative to the run's folder.
    public var model: String?
    /// The device it was, or is, trained on.
    public var device: String?
    /// The unit it was, or is, in.
    public var unit: String?
    /// Its share of the unit's training time.
    public var seconds: Double?

    /// The trial's number in the experiment, from 0.
    public var trial: Int { plan.trial }
    /// The trial's file name without its ending.
    public var name: String { plan.name }
    /// Its hyperparameters.
    public var parameters: Parameters { plan.parameters }
    /// The partition's number; nil where every trial sees all rows.
    public var partition: Int? { plan.partition }
    /// Rows trained on.
    public var rows: Int { plan.rows }
    /// `native` or `fit`.
    public var engine: String { plan.engine }
    /// Why that engine.
    public var engineReason: String? { plan.engineReason }

    /// A metric's last value where that is a number, of a trial that finished.
    public func finishedValue(of metric: String) -> Double? {
        guard status == .finished, let value = metrics[metric], !value.isNaN else { return nil }
        return value
    }
}

/// Which trials.
public struct TrialFilter: Sendable, Hashable {
    /// Only trials of these statuses; nil: of any.
    public var statuses: Set<TrialStatus>?
    /// Only the trials of these numbers; nil: all.
    public var trials: [Int]?
    /// At most so many; nil: all.
    public var limit: Int?

    /// Makes a filter; without arguments it lets everything through.
    public init(statuses: Set<TrialStatus>? = nil, trials: [Int]? = nil, limit: Int? = nil) {
        self.statuses = statuses
        self.trials = trials
        self.limit = limit
    }

    /// Every trial.
    public static let all = TrialFilter()
    /// Trials that finished.
    public static let finished = TrialFilter(statuses: [.finished])
}
