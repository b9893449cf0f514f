/// A piece of work for a runner: take these trials, each from a stated start, from one epoch to another.
///
/// A unit is written once, as `unit.json` in a folder of its own, and never edited: stopping, retrying, repacking and
/// resuming are all new units. Paths are absolute, except those of files inside the unit's folder.
public struct Unit: Codable, Sendable, Equatable {
    /// The version of this layout that is written, and the only one that is read.
    public static let currentVersion = 2

    public var version: Int
    public var id: String
    public var work: Work
    /// What trains it.
    public var engine: Engine
    /// The program of the native engine; its fields are empty for the `fit` engine.
    public var program: ProgramReference
    public var packing: Packing
    public var lanes: [Lane]
    public var sources: [DataSource]
    /// A NumPy file of int32 row numbers inside the unit's folder, into which each lane's ranges point.
    public var rowsFile: String
    /// The file's SHA-256, by which a unit that a loss of power has torn is known; nil in units of older versions.
    public var rowsDigest: String?
    /// A safetensors file inside the unit's folder with the leaves of adapted layers, [N, …] each, in place of those that the
    /// start of a lane has; nil: no layer is adapted, or all lanes go on from checkpoints.
    public var adaptedFile: String?
    public var fit: FitSettings
    /// When it ends because few of its lanes are active; nil: never.
    public var narrowing: Narrowing?
    /// Keras callbacks, in the order in which Keras would call them.
    public var callbacks: [Callback]
    public var save: SaveSettings
    /// Whether a lane ends, with its last good weights, at an epoch whose loss is NaN or infinite; nil: no.
    public var stopsOnDivergence: Bool?

    public init(
        id: String, work: Work, engine: Engine = .native, program: ProgramReference, packing: Packing, lanes: [Lane],
        sources: [DataSource], rowsFile: String = "rows.npy", rowsDigest: String? = nil, fit: FitSettings,
        callbacks: [Callback] = [], save: SaveSettings, narrowing: Narrowing? = nil, stopsOnDivergence: Bool? = nil
    ) {
        self.version = Self.currentVersion
        self.id = id
        self.work = work
        self.engine = engine
        self.program = program
        self.packing = packing
        self.lanes = lanes
        self.sources = sources
        self.rowsFile = rowsFile
        self.rowsDigest = rowsDigest
        self.fit = fit
        self.narrowing = narrowing
        self.callbacks = callbacks
        self.save = save
        self.stopsOnDivergence = stopsOnDivergence
    }
}

extension Unit {
    /// What the runner does with the unit.
    public enum Work: String, Codable, Sendable {
        /// Trains the lanes and writes their models.
        case train
        /// Compiles every function that training would use and reports their memory; trains nothing.
        case probe
        /// Writes what each lane's model gives for the lane's `training` rows (`UnitOutputs`); the lanes start from models.
        case predict
        /// Measures each lane's model on the lane's `training` rows: the event `evaluated`. The lanes start from models.
        case evaluate

        /// Whether the lanes' models are used as they are, and none is trained.
        public var isInference: Bool { self == .predict || self == .evaluate }
    }

    /// The program bundle: its folder, and the key that names it in the cache.
    public struct ProgramReference: Codable, Sendable, Equatable {
        public var folder: String
        public var key: String

        public init(folder: String, key: String) {
            self.folder = folder
            self.key = key
        }
    }

    /// How the trials are packed; the same packing repeats bit for bit on a CPU.
    public struct Packing: Codable, Sendable, Equatable {
        /// Lanes of the compiled program, K; lanes beyond the trials are inactive.
        public var lanes: Int
        /// Steps a call of `train`, S.
        public var steps: Int
        /// Steps a call of `evaluate`.
        public var evaluateSteps: Int
        /// `vectorized` or `looped`.
        public var form: String
        /// The form of the calls for last partial batches of training; nil: `form`.
        ///
        /// `masked` and `masked_looped` are one call for all sizes from two rows on.
        public var tailForm: String?
        /// The form of the calls for last partial batches of validation; nil: `form`.
        public var evaluateTailForm: String?

        public init(
            lanes: Int, steps: Int, evaluateSteps: Int, form: String, tailForm: String? = nil,
            evaluateTailForm: String? = nil
        ) {
            self.lanes = lanes
            self.steps = steps
            self.evaluateSteps = evaluateSteps
            self.form = form
            self.tailForm = tailForm
            self.evaluateTailForm = evaluateTailForm
        }

        /// The form of a call.
        ///
        /// - Parameters:
        ///   - evaluates: whether it is of validation.
        ///   - isTail: whether it is for last partial batches.
        public func form(evaluates: Bool, isTail: Bool) -> String {
            // One lane is the same in either form, and is lowered in one.
            guard isTail, lanes > 1, maskedForm(evaluates: evaluates) == nil else { return form }
            return (evaluates ? evaluateTailForm : tailForm) ?? form
        }

        /// The form of the call that takes last partial batches of all sizes from two rows on; nil: each size is a call.
        public func maskedForm(evaluates: Bool) -> String? {
            let form = evaluates ? evaluateTailForm : tailForm
            return form?.hasPrefix("masked") == true ? form : nil
        }
    }

    /// One trial in its place.
    public struct Lane: Codable, Sendable, Equatable {
        /// The trial's number in the experiment, from 0.
        public var trial: Int
        /// The trial's file name without its ending, such as `0042`.
        public var name: String
        public var seed: UInt64
        /// Numbers that are leaves of the state, by name: `learning_rate`.
        public var parameters: [String: Double]
        public var start: Start
        /// The starting model whose configuration the trial's model files get; nil: the template's.
        public var configurationFile: String?
        /// Index into `sources` of the arrays that `training` rows are of.
        public var source: Int
        public var training: RowRange
        /// Index into `sources` of the arrays that `validation` rows are of.
        public var validationSource: Int?
        public var validation: RowRange?
        /// The lane's place in the unit's `adaptedFile`; nil: none.
        public var adapted: Int?
        /// The learning rate of each epoch from `fit.initialEpoch` on, where the unit's `learning_rate_scheduler` sets it.
        public var rates: [Double]?
        /// Seconds of training after which the lane ends with the epoch at hand; nil: no limit.
        public var timeLimit: Double?
        /// Seconds that the epochs before the unit's first have taken; nil: 0.
        public var timeSpent: Double?

        public init(
            trial: Int, name: String, seed: UInt64, parameters: [String: Double], start: Start,
            configurationFile: String? = nil, source: Int, training: RowRange, validationSource: Int? = nil,
            validation: RowRange? = nil, rates: [Double]? = nil
        ) {
            self.trial = trial
            self.name = name
            self.seed = seed
            self.parameters = parameters
            self.start = start
            self.configurationFile = configurationFile
            self.source = source
            self.training = training
            self.validationSource = validationSource
            self.validation = validation
            self.rates = rates
        }
    }

    /// Where a trial's state comes from.
    public enum Start: Codable, Sendable, Equatable {
        /// Drawn from the trial's seed, as Keras would draw it.
        case initialize
        /// Lane `lane` of a checkpoint file that an earlier unit left, or the one lane of a starting model's file, whose
        /// missing leaves are drawn; the lanes of a unit may start from different files.
        case checkpoint(file: String, lane: Int)
        /// A `.keras` file that a run has left, for a unit that predicts or evaluates.
        case model(file: String)

        /// The lane of the checkpoint; 0 where there is none.
        public var lane: Int {
            if case .checkpoint(_, let lane) = self { lane } else { 0 }
        }
    }

    /// A stretch of the rows file; `nil` start means all rows 0..<count in order.
    public struct RowRange: Codable, Sendable, Equatable {
        public var start: Int?
        public var count: Int

        public init(start: Int?, count: Int) {
            self.start = start
            self.count = count
        }
    }

    /// Arrays with the same number of rows, one a program input, in the program's order of inputs.
    public struct DataSource: Codable, Sendable, Hashable {
        public var arrays: [ArrayReference]
        /// Whether the arrays are kept whole on the device, which then takes the rows of a call itself; nil: no.
        public var isResident: Bool?

        public init(arrays: [ArrayReference], isResident: Bool? = nil) {
            self.arrays = arrays
            self.isResident = isResident
        }
    }

    /// A C-ordered, little-endian array in a file that is mapped read-only.
    public struct ArrayReference: Codable, Sendable, Hashable {
        public var input: String
        public var file: String
        /// Byte offset of the first element.
        public var offset: Int
        /// NumPy's name of the element type, such as `float32`.
        public var dtype: String
        /// The whole array's shape, rows first.
        public var shape: [Int]
        /// Size in bytes and modification time in nanoseconds of the file when the run began: a file that changed is noticed.
        public var fileSize: Int
        public var modified: Int64

        public init(
            input: String, file: String, offset: Int, dtype: String, shape: [Int], fileSize: Int, modified: Int64
        ) {
            self.input = input
            self.file = file
            self.offset = offset
            self.dtype = dtype
            self.shape = shape
            self.fileSize = fileSize
            self.modified = modified
        }
    }

    /// Which model files a unit leaves in its folder `models/`.
    public struct SaveSettings: Codable, Sendable, Equatable {
        /// `models/NAME.keras`, as trained at the end.
        public var final: Bool
        /// `models/NAME.initial.keras`, before the first step.
        public var initial: Bool
        /// `models/NAME.best.keras`, of the epoch whose monitored value was best.
        public var best: Best?
        /// A checkpoint is left after the first epoch that ends so many seconds after the last one; nil: none.
        public var checkpointSeconds: Double?
        /// A checkpoint is left after every epoch whose number, counted from 1, this divides; nil: none.
        public var checkpointEpochs: Int?
        /// Whether the state after the last epoch is left as a checkpoint, from which more epochs can be trained; nil: no.
        public var checkpointAtEnd: Bool?

        public init(
            final: Bool, initial: Bool = false, best: Best? = nil, checkpointSeconds: Double? = nil,
            checkpointEpochs: Int? = nil, checkpointAtEnd: Bool? = nil
        ) {
            self.final = final
            self.initial = initial
            self.best = best
            self.checkpointSeconds = checkpointSeconds
            self.checkpointEpochs = checkpointEpochs
            self.checkpointAtEnd = checkpointAtEnd
        }
    }

    /// What `best` means: a metric's name and whether less is better.
    public struct Best: Codable, Sendable, Equatable {
        public var monitor: String
        public var lessIsBetter: Bool

        public init(monitor: String, lessIsBetter: Bool) {
            self.monitor = monitor
            self.lessIsBetter = lessIsBetter
        }
    }
}
