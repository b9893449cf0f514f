/// How every trial is fitted, with the meaning of Keras's `Model.fit`.
public struct FitOptions: Sendable, Equatable, Codable {
    /// How many times each row is seen.
    public var epochs: Int
    /// Rows a gradient step.
    public var batchSize: Int
    /// What is validated on.
    public var validation: Validation
    /// Whether the rows are put in a new order before each epoch.
    public var shuffle: Bool
    /// Rows a step of validation; `nil`: as `batchSize`.
    public var validationBatchSize: Int?
    /// Validation happens after every this many epochs.
    public var validationFrequency: Int
    /// The column of the data that weighs the rows, or `nil`.
    public var sampleWeight: String?

    /// Options, Keras's defaults where nothing is said.
    public init(
        epochs: Int = 1, batchSize: Int = 32, validation: Validation = .automatic, shuffle: Bool = true,
        validationBatchSize: Int? = nil, validationFrequency: Int = 1, sampleWeight: String? = nil
    ) {
        self.epochs = epochs
        self.batchSize = batchSize
        self.validation = validation
        self.shuffle = shuffle
        self.validationBatchSize = validationBatchSize
        self.validationFrequency = validationFrequency
        self.sampleWeight = sampleWeight
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
}
