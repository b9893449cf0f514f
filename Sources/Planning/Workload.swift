/// What a planner must know of trials of one program that are fitted alike, and nothing else of them.
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
        /// States that are kept on the device beside the one that is trained: best epochs.
        public var keptStates: Int
        /// Numbers that are trained.
        public var parameters: Int
        /// Whether one function can serve last partial batches of every size.
        public var masksRows: Bool

        public init(
            form: Form, stateBytes: Int, rowBytes: Int, keptStates: Int = 0, parameters: Int = 0,
            masksRows: Bool = false
        ) {
            self.form = form
            self.stateBytes = stateBytes
            self.rowBytes = rowBytes
            self.keptStates = keptStates
            self.parameters = parameters
            self.masksRows = masksRows
        }
    }

    /// How the lanes of a program are computed.
    public enum Form: String, Sendable, Codable {
        case vectorized, looped
        /// Of last partial batches: those of every size in one call, with places for rows that are not there.
        case masked
    }

    public var trials: [Trial]
    public var program: Program
    public var batchSize: Int
    public var validationBatchSize: Int
    /// How many epochs are trained.
    public var epochs: Int
    /// Batches an epoch; `nil`: all there are.
    public var stepsPerEpoch: Int?
    /// Whether a callback may end a trial's training before the last epoch.
    public var endsEarly: Bool

    public init(
        trials: [Trial], program: Program, batchSize: Int, validationBatchSize: Int, epochs: Int,
        stepsPerEpoch: Int? = nil, endsEarly: Bool = false
    ) {
        self.trials = trials
        self.program = program
        self.batchSize = batchSize
        self.validationBatchSize = validationBatchSize
        self.epochs = epochs
        self.stepsPerEpoch = stepsPerEpoch
        self.endsEarly = endsEarly
    }

    /// The most whole batches that an epoch of a trial takes.
    func wholeBatches(_ trial: Trial) -> Int { min(trial.trainingRows / batchSize, stepsPerEpoch ?? .max) }

    /// The size of the last, partial batch of a trial's rows; 0 where there is none, or no epoch comes to it.
    func tail(_ trial: Trial) -> Int {
        let batches = (trial.trainingRows + batchSize - 1) / batchSize
        let steps = max(1, min(stepsPerEpoch ?? batches, batches))
        return epochs >= (batches + steps - 1) / steps ? trial.trainingRows % batchSize : 0
    }

    /// The whole batches of a trial's validation.
    func wholeValidationBatches(_ trial: Trial) -> Int { trial.validationRows / validationBatchSize }

    /// The size of the last, partial batch of a trial's validation.
    func validationTail(_ trial: Trial) -> Int { trial.validationRows % validationBatchSize }
}

/// The devices that a workload is planned for, all alike.
public struct DeviceFleet: Sendable, Equatable {
    public var count: Int
    /// Bytes that one runner may use on its device, beside the data that lie there.
    public var memory: Int
    public var kind: Kind
    /// Whether the data lie whole on each device, which takes a call's rows itself.
    public var holdsData: Bool

    /// What a step's fixed cost weighs against a lane's.
    public enum Kind: Sendable, Equatable {
        case cpu, gpu
    }

    /// - Parameters:
    ///   - data: bytes of the arrays that all trials train on; nil where they train on different ones.
    ///   - dataMemory: bytes of a device's memory that data may take; nil: an eighth of a GPU's.
    ///
    /// GPUs whose memory holds the data beside all else keep them: bringing a call's rows to the device takes longer than training
    /// on them (docs/Architecture.md, Costs). A CPU reads what is mapped in place.
    public init(count: Int, memory: Int, kind: Kind, data: Int? = nil, dataMemory: Int? = nil) {
        self.count = count
        self.kind = kind
        let limit = dataMemory ?? memory / 8
        let held = data.flatMap { kind == .gpu && $0 <= limit && $0 < memory / 2 ? $0 : nil }
        holdsData = held != nil
        // Twice: trials with weights of classes and their validation are of arrays of their own.
        self.memory = memory - 2 * (held ?? 0)
        // Two calls' rows are held at once, and their inputs' copies on a GPU.
        let usual = holdsData ? 512 << 20 : 64 << 20
        limitsBatches = !holdsData && dataMemory != nil
        batchBytesACall = holdsData ? usual : dataMemory.map { max(1, min(usual, $0 / 2)) } ?? usual
    }

    /// Bytes of batches that one call is given at most: so that data never crowd the state out, and where the host gathers them,
    /// that it is not kept waiting long.
    var batchBytesACall: Int

    /// Whether a step's batches must stay within `batchBytesACall` even if that leaves few lanes.
    var limitsBatches: Bool
}
