/// How the rows are divided: each partition is what one trial trains on, times the axes.
public enum PartitionScheme: Sendable, Equatable, Codable {
    /// Every trial sees all rows.
    case none
    /// Shares of the rows.
    case count(Shares)
    /// One partition a value of a column; `small` says what becomes of values in few rows.
    case by(column: String, small: SmallGroups? = nil)
    /// Data that is already divided: one file, or one set of files, a partition.
    case byFile
    /// Cross-validation: partition k trains on all folds but k and validates on fold k.
    case folds(Folds)
    /// Samples of as many rows, drawn with replacement; rows that were not drawn validate.
    case bootstrap(Int)
    /// Samples of fewer rows, drawn without replacement; rows that were not drawn validate.
    case subsample(Samples)
    /// Partitions whose rows are listed in files.
    case rows(RowFiles)

    /// How many shares, or how many rows each.
    public enum Shares: Sendable, Equatable, Codable {
        /// This many contiguous ones, whose sizes differ by at most one.
        case number(Int)
        /// As many as there are devices.
        case devices
        /// Shares of these many rows, from the first row on.
        case sizes([Int])
        /// This many; share k has the rows k, k + N, k + 2N, ….
        case strided(Int)
    }

    /// What becomes of groups of few rows.
    public struct SmallGroups: Sendable, Equatable, Codable {
        /// Groups of fewer rows are small.
        public var leastRows: Int
        /// Whether they make one partition together; otherwise no trial trains on them.
        public var pools: Bool

        /// A rule for small groups.
        public init(leastRows: Int, pools: Bool) {
            self.leastRows = leastRows
            self.pools = pools
        }
    }

    /// The settings of cross-validation.
    public struct Folds: Sendable, Equatable, Codable {
        /// How many.
        public var count: Int
        /// `y` or a column, each value of which is spread evenly over the folds.
        public var stratify: String?
        /// `y` or a column, all rows of each value of which are in one fold.
        public var groups: String?
        /// A column by which rows are ordered, or `rows` for their own order: fold k validates, and what comes before it
        /// is trained on.
        public var time: String?
        /// How often it is done, each time with folds drawn anew; nil: once.
        public var repeats: Int?

        /// The word for the order in which rows stand.
        public static let ownOrder = "rows"

        /// Folds, plain or otherwise.
        public init(
            count: Int, stratify: String? = nil, groups: String? = nil, time: String? = nil, repeats: Int? = nil
        ) {
            self.count = count
            self.stratify = stratify
            self.groups = groups
            self.time = time
            self.repeats = repeats
        }
    }

    /// How many samples, and of how many rows.
    public struct Samples: Sendable, Equatable, Codable {
        /// How many samples.
        public var count: Int
        /// The share of the rows that each has, between 0 and 1.
        public var share: Double

        /// Samples without replacement.
        public init(count: Int, share: Double) {
            self.count = count
            self.share = share
        }
    }

    /// NPY files of row numbers, one a partition.
    public struct RowFiles: Sendable, Equatable, Codable {
        /// The rows to train on: paths or patterns.
        public var training: [String]
        /// The rows to validate on, as many files; nil: as `fit.validation` says.
        public var validation: [String]?

        /// Files of row numbers.
        public init(training: [String], validation: [String]? = nil) {
            self.training = training
            self.validation = validation
        }
    }

    /// Shares of equal size, for code.
    public static func count(_ number: Int) -> PartitionScheme { .count(.number(number)) }

    /// Cross-validation, for code.
    public static func folds(_ count: Int, stratify: String? = nil) -> PartitionScheme {
        .folds(Folds(count: count, stratify: stratify))
    }

    /// The scheme with `devices` replaced by how many there are.
    public func resolved(devices: Int) -> PartitionScheme {
        self == .count(.devices) ? .count(.number(max(devices, 1))) : self
    }

    /// Whether the scheme itself says which rows validate.
    public var holdsOutRows: Bool {
        switch self {
        case .folds, .bootstrap, .subsample: true
        case .rows(let files): files.validation != nil
        case .none, .count, .by, .byFile: false
        }
    }

    /// The columns that it names, with the keys that name them, relative to its own.
    var columns: [(key: String, column: String)] {
        switch self {
        case .by(let column, _): return [("by", column)]
        case .folds(let folds):
            let time = folds.time == Folds.ownOrder ? nil : folds.time
            return [("stratify", folds.stratify), ("groups", folds.groups), ("time", time)].compactMap { key, column in
                column.map { (key, $0) }
            }
        case .none, .count, .byFile, .bootstrap, .subsample, .rows: return []
        }
    }
}

/// Rows that no trial sees, kept for a last test.
public enum TestSet: Sendable, Equatable, Codable {
    /// A share of the rows, drawn from the experiment's seed.
    case share(Double)
    /// The last rows, a share of all.
    case last(Double)
    /// The rows that an NPY file lists.
    case rows(String)
}
