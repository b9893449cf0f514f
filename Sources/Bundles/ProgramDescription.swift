/// What `program.json` says of a program bundle: see `docs/Contracts.md`, section 2.
public struct ProgramDescription: Codable, Sendable, Equatable {
    /// The only version that is read.
    public static let currentVersion = 2
    /// The file's name inside a bundle.
    public static let fileName = "program.json"

    public var version: Int
    public var name: String
    public var keras: String
    public var jax: String
    public var stablehlo: String
    public var batchSize: Int
    /// Steps that Keras would take at once: what `steps_per_epoch` and `validation_steps` are rounded up to; nil: 1.
    public var stepsPerExecution: Int?
    /// Numbers that Keras draws from Python's `random` while it builds the model.
    public var draws: Int
    /// Whether the last of the draws is the trial's seed itself.
    public var seedColumn: Bool?
    public var inputs: [Input]
    public var outputs: [Tensor]
    public var state: [Leaf]
    public var logs: [String]
    public var evaluateLogs: [String]
    /// Which way each metric gets better whose Keras class says so, by the metric's own name.
    public var directions: [String: Direction]
    public var parameters: [Parameter]
    /// For each variable whose moving average the optimizer keeps: its leaf, and the average's.
    public var averages: [[Int]]?
    /// The layers that are adapted to the rows that each trial trains on; nil: none.
    public var adapted: [AdaptedLayer]?
    /// The learning rates that the user's schedule gave, for each run of epochs that was asked for.
    public var schedules: [Schedule]?
    public var trainableParameters: Int
    public var hasConvolution: Bool
    public var finalizes: Bool
    /// Whether one function can serve last partial batches of every size from two rows on; nil: nobody asked.
    public var masksRows: Bool?
    public var sources: [Source]
    /// The digests of the files that were described with it, by their names in the bundle; nil: nobody wrote them down.
    public var files: [String: String]?
    public var notes: [String]
    public var functions: [Function]

    enum CodingKeys: String, CodingKey {
        case version, name, keras, jax, stablehlo, draws, inputs, outputs, state, logs, directions, parameters
        case averages, adapted, schedules, finalizes, sources, files, notes, functions
        case batchSize = "batch_size"
        case stepsPerExecution = "steps_per_execution"
        case seedColumn = "seed_column"
        case evaluateLogs = "evaluate_logs"
        case trainableParameters = "trainable_parameters"
        case hasConvolution = "has_convolution"
        case masksRows = "masks_rows"
    }
}

extension ProgramDescription {
    /// The leaf that holds the optimizer's learning rate; nil where it is a schedule, one of several, or not float32, in
    /// which callbacks compute.
    public var learningRateLeaf: Int? {
        guard let leaf = parameters.first(where: { $0.name == "learning_rate" })?.leaf else { return nil }
        guard state.indices.contains(leaf), state[leaf].role == .optimizer, state[leaf].dtype == "float32" else {
            return nil
        }
        return leaf
    }

    /// One row's tensor: no axis for lanes, steps or rows.
    public struct Tensor: Codable, Sendable, Equatable, Hashable {
        public var name: String
        public var shape: [Int]
        public var dtype: String

        public init(name: String, shape: [Int], dtype: String) {
            self.name = name
            self.shape = shape
            self.dtype = dtype
        }
    }

    /// A tensor of the data, and what it is to Keras.
    public struct Input: Codable, Sendable, Equatable {
        public var name: String
        public var role: Role
        public var shape: [Int]
        public var dtype: String

        /// What the tensor is to `Model.fit`.
        public enum Role: String, Codable, Sendable {
            case x, y
            case sampleWeight = "sample_weight"
        }
    }

    /// One variable of the model or its optimizer, or a number that is an input of the program, without the lanes' axis.
    public struct Leaf: Codable, Sendable, Equatable {
        public var path: String
        public var role: Role
        public var shape: [Int]
        public var dtype: String
        /// Where its bytes stand in `template.keras`; nil for one that a `.keras` file does not hold.
        public var offset: Int?
        /// Whether it is one of `Model.weights`, which `Model.set_weights` sets: no optimizer, no metric, no generator.
        public var weight: Bool

        /// The group of variables it belongs to.
        public enum Role: String, Codable, Sendable {
            case trainable, optimizer, metric
            /// A number of a trial's own, of no variable.
            case parameter
            case nonTrainable = "non_trainable"
        }
    }

    /// Whether a model file lacks what the trial's seed draws: then using the model needs `initialize`.
    public var drawsBeyondFiles: Bool { state.contains(where: \.isDrawnBeyondFiles) }

    /// Which way a metric gets better: the `_direction` of its Keras class.
    public enum Direction: String, Codable, Sendable {
        case up, down
    }

    /// A place that holds a number which may differ between the trials of the program; one name may have several.
    public struct Parameter: Codable, Sendable, Equatable {
        /// The build argument; `learning_rate` of the optimizer where the build function takes none.
        public var name: String
        /// The leaf of the state that holds it.
        public var leaf: Int?
        /// Byte offset and length of its literal in the template's `config.json`.
        public var span: [Int]?
        /// What the place holds, where it is not the argument itself.
        public var expression: NumberExpression?

        /// What the place holds for a trial with these numbers; nil where the trial has none for it.
        public func value(_ numbers: [String: Double]) -> Double? {
            expression.map { $0.value(numbers) } ?? numbers[name]
        }
    }

    /// A `Normalization` layer whose mean and variance are those of the rows that a trial trains on.
    public struct AdaptedLayer: Codable, Sendable, Equatable {
        /// The layer's name.
        public var layer: String
        /// The number of the tensor that it sees among the inputs of role `x`.
        public var input: Int
        /// The shape of a row as the layer sees it, with the numbers of the tensor's row in their order.
        public var shape: [Int]
        /// The axes of a row whose every index has a mean and a variance of its own.
        public var axes: [Int]
        /// The leaf of the means.
        public var mean: Int
        /// The leaf of the variances.
        public var variance: Int

        public init(layer: String, input: Int, shape: [Int], axes: [Int], mean: Int, variance: Int) {
            self.layer = layer
            self.input = input
            self.shape = shape
            self.axes = axes
            self.mean = mean
            self.variance = variance
        }
    }

    /// What `keras.callbacks.LearningRateScheduler` sets, epoch after epoch.
    public struct Schedule: Codable, Sendable, Equatable {
        /// The learning rate before the first epoch; nil for the one that the model has by itself.
        public var rate: Double?
        public var firstEpoch: Int
        public var lastEpoch: Int
        /// The rate of each of the epochs `firstEpoch..<lastEpoch`, as the optimizer's variable holds it.
        public var rates: [Double]

        enum CodingKeys: String, CodingKey {
            case rate, rates
            case firstEpoch = "first_epoch"
            case lastEpoch = "last_epoch"
        }
    }

    /// A file of the user's that the model was built from.
    public struct Source: Codable, Sendable, Equatable {
        public var path: String
        public var sha256: String
    }

    /// A function that has been lowered.
    public struct Function: Codable, Sendable, Equatable {
        public var name: String
        public var lanes: Int
        public var steps: Int?
        public var rows: Int?
        /// `vectorized` or `looped`, `masked` or `masked_looped`; nil where the lanes are computed in one way only.
        public var form: String?
        /// Of `train`: whether a lane takes no step after one whose loss is NaN or infinite.
        public var halt: Bool?
        public var file: String
        public var sha256: String
        public var seconds: Double?

        /// Whether it is told how many rows each batch has.
        public var isMasked: Bool { form?.hasPrefix("masked") ?? false }
    }
}

extension ProgramDescription.Leaf {
    /// Whether it is a variable of the model's that its file does not hold, such as the state of a generator of random numbers.
    public var isDrawnBeyondFiles: Bool { offset == nil && role == .nonTrainable && !shape.contains(0) }
}
