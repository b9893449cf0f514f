extension Unit {
    /// How every lane is fitted, with `Model.fit`'s meaning.
    public struct FitSettings: Codable, Sendable, Hashable {
        /// Epochs trained are `firstEpoch..<lastEpoch`.
        public var firstEpoch: Int
        public var lastEpoch: Int
        /// The epoch that the trials' training begins with, Keras's `initial_epoch`; less than `firstEpoch` in a unit that
        /// goes on from a checkpoint.
        public var initialEpoch: Int
        public var batchSize: Int
        /// Batches an epoch; nil: all there are.
        public var stepsPerEpoch: Int?
        public var validationBatchSize: Int
        public var validationFrequency: ValidationFrequency
        public var shuffle: Shuffle
        /// Rows of a window, where `shuffle` is `windows`.
        public var shuffleWindow: Int?

        public init(
            firstEpoch: Int, lastEpoch: Int, initialEpoch: Int? = nil, batchSize: Int, stepsPerEpoch: Int? = nil,
            validationBatchSize: Int, validationFrequency: ValidationFrequency, shuffle: Shuffle,
            shuffleWindow: Int? = nil
        ) {
            self.firstEpoch = firstEpoch
            self.lastEpoch = lastEpoch
            self.initialEpoch = initialEpoch ?? firstEpoch
            self.batchSize = batchSize
            self.stepsPerEpoch = stepsPerEpoch
            self.validationBatchSize = validationBatchSize
            self.validationFrequency = validationFrequency
            self.shuffle = shuffle
            self.shuffleWindow = shuffleWindow
        }
    }

    /// In which order an epoch takes the rows.
    public enum Shuffle: String, Codable, Sendable {
        /// As they stand in the partition.
        case none
        /// In a new order each time all of them are gone through.
        case rows
        /// The batches as they stand, the rows of each in a new order, as `shuffle="batch"`.
        case batch
        /// Windows of rows that stand together in a new order each time, and the rows of each in a new order.
        case windows
    }

    /// After which epochs validation happens.
    public enum ValidationFrequency: Codable, Sendable, Hashable {
        /// After those whose number, counted from 1, this divides.
        case every(Int)
        /// After those of these numbers, counted from 1.
        case epochs([Int])

        /// Whether validation follows an epoch, by its number from 0: Keras's `Trainer._should_eval`.
        public func isDue(after epoch: Int) -> Bool {
            switch self {
            case .every(let number): (epoch + 1).isMultiple(of: number)
            case .epochs(let numbers): numbers.contains(epoch + 1)
            }
        }
    }

    /// What an epoch takes of a lane's rows in their order.
    public struct EpochRows: Sendable, Hashable {
        /// The epoch with which going through the rows began: their order is drawn for it.
        public var orderEpoch: Int
        /// Positions in that order.
        public var rows: Range<Int>

        public init(orderEpoch: Int, rows: Range<Int>) {
            self.orderEpoch = orderEpoch
            self.rows = rows
        }
    }
}

extension Unit.FitSettings {
    /// What an epoch takes of `rows` rows, by the rules of `keras.src.trainers.EpochIterator`.
    ///
    /// With `stepsPerEpoch` an epoch goes on where the one before ended. The epoch that comes to the last batch ends with
    /// it, however few steps it has taken, and the next begins with the first batch again.
    public func epochRows(_ epoch: Int, of rows: Int) -> Unit.EpochRows {
        let batches = (rows + batchSize - 1) / batchSize
        guard let stepsPerEpoch, stepsPerEpoch < batches else {
            return Unit.EpochRows(orderEpoch: epoch, rows: 0..<rows)
        }
        let epochsAPass = (batches + stepsPerEpoch - 1) / stepsPerEpoch
        let place = (epoch - initialEpoch) % epochsAPass
        let first = place * stepsPerEpoch * batchSize
        return Unit.EpochRows(orderEpoch: epoch - place, rows: first..<min(first + stepsPerEpoch * batchSize, rows))
    }
}
