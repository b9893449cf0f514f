/// What a planner must know of the trials of one program, and nothing else of them.
public struct Workload: Sendable, Equatable {
    /// One trial's share of the work.
    public struct Trial: Sendable, Equatable {
        /// The trial's number in the experiment.
        public var index: Int
        public var trainingRows: Int
        /// 0 for a trial without validation.
        public var validationRows: Int

        public init(index: Int, trainingRows: Int, validationRows: Int) {
            self.index = index
            self.trainingRows = trainingRows
            self.validationRows = validationRows
        }
    }

    /// What the program costs.
    public struct Program: Sendable, Equatable {
        /// Whether lanes are looped over (a convolution on a CPU) or vectorized.
        public var form: Form
        /// Bytes of one lane's state: weights, optimizer slots, metrics.
        public var stateBytes: Int
        /// Bytes of one row over all inputs.
        public var rowBytes: Int

        public init(form: Form, stateBytes: Int, rowBytes: Int) {
            self.form = form
            self.stateBytes = stateBytes
            self.rowBytes = rowBytes
        }
    }

    /// How the lanes of a program are computed.
    public enum Form: String, Sendable, Codable {
        case vectorized, looped
    }

    public var trials: [Trial]
    public var program: Program
    public var batchSize: Int
    public var validationBatchSize: Int
    public var epochs: Int

    public init(trials: [Trial], program: Program, batchSize: Int, validationBatchSize: Int, epochs: Int) {
        self.trials = trials
        self.program = program
        self.batchSize = batchSize
        self.validationBatchSize = validationBatchSize
        self.epochs = epochs
    }
}

/// The devices that a workload is planned for, all alike.
public struct DeviceFleet: Sendable, Equatable {
    public var count: Int
    /// Bytes that one runner may use on its device.
    public var memory: Int
    public var kind: Kind

    /// What a step's fixed cost weighs against a lane's.
    public enum Kind: Sendable, Equatable {
        case cpu, gpu
    }

    public init(count: Int, memory: Int, kind: Kind) {
        self.count = count
        self.memory = memory
        self.kind = kind
    }
}
