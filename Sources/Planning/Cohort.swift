/// Trials that train together as one program on one device.
public struct Cohort: Sendable, Equatable, Codable {
    /// The trials' numbers in the experiment, in the order of their lanes.
    public var trials: [Int]
    /// Lanes of the compiled program; those beyond the trials are spare.
    public var lanes: Int
    /// Steps a call of `train`.
    public var steps: Int
    /// Steps a call of `evaluate`; 0 without validation.
    public var evaluateSteps: Int
    /// Sizes of the last partial batches of training, each a function of its own if they are not masked.
    public var tails: [Int]
    /// The same for validation.
    public var evaluateTails: [Int]
    /// How the functions of the last partial batches go through the lanes: looped where lanes end with batches of many sizes,
    /// so that a lane costs nothing in the calls of sizes that are not its own, or masked.
    public var tailForm: Workload.Form
    /// The same for validation.
    public var evaluateTailForm: Workload.Form
    /// Whether any trial has a whole batch of training rows.
    public var hasFullBatches: Bool
    /// Whether any trial has a whole batch of validation rows.
    public var hasFullEvaluateBatches: Bool
    /// Rows a whole batch of training.
    public var batchSize: Int
    /// Rows a whole batch of validation.
    public var validationBatchSize: Int
    /// When it goes on with fewer lanes; nil: never.
    public var narrowing: Narrowing?
    /// Steps of an epoch's training that are computed, over all lanes, and how many of them no trial takes.
    public var padding: Padding
    /// Steps of all its epochs, over lanes: what makes it long or short among its like.
    public var cost: Double

    public init(
        trials: [Int], lanes: Int, steps: Int, evaluateSteps: Int, tails: [Int], evaluateTails: [Int],
        tailForm: Workload.Form, evaluateTailForm: Workload.Form, hasFullBatches: Bool, hasFullEvaluateBatches: Bool,
        batchSize: Int, validationBatchSize: Int, padding: Padding, cost: Double, narrowing: Narrowing? = nil
    ) {
        self.trials = trials
        self.lanes = lanes
        self.steps = steps
        self.evaluateSteps = evaluateSteps
        self.tails = tails
        self.evaluateTails = evaluateTails
        self.tailForm = tailForm
        self.evaluateTailForm = evaluateTailForm
        self.hasFullBatches = hasFullBatches
        self.hasFullEvaluateBatches = hasFullEvaluateBatches
        self.batchSize = batchSize
        self.validationBatchSize = validationBatchSize
        self.padding = padding
        self.cost = cost
        self.narrowing = narrowing
    }
}
