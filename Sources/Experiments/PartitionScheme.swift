/// How the rows are divided: each partition is what one trial trains on, times the axes.
public enum PartitionScheme: Sendable, Equatable, Codable {
    /// Every trial sees all rows.
    case none
    /// Contiguous shares.
    case count(Shares)
    /// One partition a value of a column.
    case by(column: String)
    /// Data that is already divided: one file, or one set of files, a partition.
    case byFile
    /// Cross-validation: partition k trains on all folds but k and validates on fold k.
    case folds(Folds)
    /// Samples of as many rows, drawn with replacement; rows that were not drawn validate.
    case bootstrap(Int)

    /// How many shares, or how many rows each.
    public enum Shares: Sendable, Equatable, Codable {
        /// This many, whose sizes differ by at most one.
        case number(Int)
        /// As many as there are devices.
        case devices
        /// Shares of these many rows, from the first row on.
        case sizes([Int])
    }

    /// The settings of cross-validation.
    public struct Folds: Sendable, Equatable, Codable {
        /// How many.
        public var count: Int
        /// `y` or a column, each value of which is spread evenly over the folds.
        public var stratify: String?

        /// Folds, plain or stratified.
        public init(count: Int, stratify: String? = nil) {
            self.count = count
            self.stratify = stratify
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
        case .folds, .bootstrap: true
        case .none, .count, .by, .byFile: false
        }
    }
}
