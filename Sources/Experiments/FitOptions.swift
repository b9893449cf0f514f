/// How every trial is fitted, with the meaning of Keras's `Model.fit`; trials may differ in what ``FitSetting`` lists.
public struct FitOptions: Sendable, Equatable, Codable {
    /// The epoch to train up to: epochs are numbered `initialEpoch..<epochs`.
    public var epochs: Int
    /// Rows a gradient step; `nil`: 32, or with `stepsPerEpoch` what makes so many steps of a trial's rows.
    public var batchSize: Int?
    /// What is validated on.
    public var validation: Validation
    /// In which order an epoch takes the rows.
    public var shuffle: Shuffle
    /// Of `shuffle: {window: N}`: how many rows that stand together are shuffled among themselves.
    public var shuffleWindow: Int?
    /// Rows a step of validation; `nil`: as `batchSize`.
    public var validationBatchSize: Int?
    /// After which epochs validation happens.
    public var validationFrequency: ValidationFrequency
    /// The column of the data that weighs the rows, or `nil`.
    public var sampleWeight: String?
    /// The number of the first epoch, from 0.
    public var initialEpoch: Int
    /// Batches an epoch, the next epoch going on with those that follow; `nil`: all there are.
    public var stepsPerEpoch: Int?
    /// Batches of validation, from the first on; `nil`: all there are.
    public var validationSteps: Int?
    /// The weight in training of rows of a class, by the class's number; others weigh 1, and with `nil` all do.
    public var classWeight: [Int: Double]?
    /// What becomes of a trial whose loss is NaN or infinite at an epoch's end; `nil` in what an earlier version wrote, which
    /// went on.
    public var onDivergence: OnDivergence?

    /// Seconds of training after which a trial ends with the epoch at hand; `nil`: no limit.
    public var timeLimit: Double?

    /// Options, Keras's defaults where nothing is said.
    public init(
        epochs: Int = 1, batchSize: Int? = nil, validation: Validation = .automatic, shuffle: Shuffle = .rows,
        validationBatchSize: Int? = nil, validationFrequency: ValidationFrequency = .every(1),
        sampleWeight: String? = nil, initialEpoch: Int = 0, stepsPerEpoch: Int? = nil, validationSteps: Int? = nil,
        classWeight: [Int: Double]? = nil, onDivergence: OnDivergence? = .stop
    ) {
        self.epochs = epochs
        self.batchSize = batchSize
        self.validation = validation
        self.shuffle = shuffle
        self.validationBatchSize = validationBatchSize
        self.validationFrequency = validationFrequency
        self.sampleWeight = sampleWeight
        self.initialEpoch = initialEpoch
        self.stepsPerEpoch = stepsPerEpoch
        self.validationSteps = validationSteps
        self.classWeight = classWeight
        self.onDivergence = onDivergence
    }

    /// What becomes of a trial whose loss is NaN or infinite at an epoch's end.
    public enum OnDivergence: String, Sendable, Equatable, Codable, CaseIterable {
        /// It ends as diverged, with its last good weights.
        case stop
        /// It is trained on, as `Model.fit` does.
        case `continue`
    }

    /// Which rows a trial validates on.
    public enum Validation: Sendable, Equatable, Codable {
        /// What the partitions hold out (folds, bootstrap), otherwise nothing.
        case automatic
        /// The last share of each partition's rows, as `validation_split`.
        case share(Double)
        /// Data of its own, the same for all trials (with `{by: file}`: one, or one a trial).
        case data(DataDescription)
    }

    /// In which order an epoch takes the rows.
    public enum Shuffle: String, Sendable, Equatable, Codable {
        /// As they stand in the partition.
        case none
        /// In a new order each epoch.
        case rows
        /// The batches as they stand, the rows of each in a new order, as `shuffle="batch"`.
        case batch
        /// Windows of `shuffleWindow` rows in a new order each epoch, and the rows of each in a new order.
        case windows
    }

    /// After which epochs validation happens.
    public enum ValidationFrequency: Sendable, Equatable, Codable {
        /// After those whose number, counted from 1, this divides.
        case every(Int)
        /// After those of these numbers, counted from 1.
        case epochs([Int])
    }
}

extension FitOptions {
    /// Rows a gradient step of a trial with so many rows.
    public func batchSize(rows: Int) -> Int { batchSize ?? Self.batchSize(rows: rows, steps: stepsPerEpoch) }

    /// Rows a step of validation on so many rows.
    public func validationBatchSize(rows: Int) -> Int {
        validationBatchSize ?? batchSize ?? Self.batchSize(rows: rows, steps: validationSteps)
    }

    /// The rows of a batch where none are given, as `keras.src.trainers.data_adapters.ArrayDataAdapter` has it.
    private static func batchSize(rows: Int, steps: Int?) -> Int {
        steps.map { max(1, (rows + $0 - 1) / $0) } ?? 32
    }
}

extension FitOptions.ValidationFrequency {
    /// Whether validation follows an epoch, by its number from 0: Keras's `Trainer._should_eval`.
    public func isDue(after epoch: Int) -> Bool {
        switch self {
        case .every(let number): (epoch + 1).isMultiple(of: number)
        case .epochs(let numbers): numbers.contains(epoch + 1)
        }
    }
}

extension FitOptions.Shuffle: ExpressibleByBooleanLiteral {
    public init(booleanLiteral value: Bool) { self = value ? .rows : .none }
}

extension FitOptions.ValidationFrequency: ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
    public init(integerLiteral value: Int) { self = .every(value) }
    public init(arrayLiteral elements: Int...) { self = .epochs(elements) }
}
