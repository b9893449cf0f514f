/// The rows that a trial trains on, and those it validates on.
public struct Partition: Sendable, Equatable {
    /// What the partition is called in tables.
    public var label: String
    /// The number of the source in ``Dataset/sources`` that it trains on.
    public var source: Int
    /// The rows that it trains on.
    public var training: Rows
    /// The number of the source that it validates on, or `nil`.
    public var validationSource: Int?
    /// The rows that it validates on, or `nil`.
    public var validation: Rows?
    /// What stands for the missing values of a table's columns, from the rows that it trains on.
    public var fills: [ColumnFill] = []

    /// A partition; `validation` rows are of `validationSource`.
    public init(label: String, source: Int, training: Rows, validationSource: Int? = nil, validation: Rows? = nil) {
        self.label = label
        self.source = source
        self.training = training
        self.validationSource = validationSource
        self.validation = validation
    }
}

/// Rows of a source by their numbers, in the order in which an epoch without shuffling takes them.
public enum Rows: Sendable, Equatable {
    /// All of this many rows.
    case all(Int)
    /// Rows that follow each other.
    case range(Range<Int>)
    /// These rows; with bootstrap a row may be there several times.
    case indices([Int32])

    /// How many there are.
    public var count: Int {
        switch self {
        case .all(let count): count
        case .range(let range): range.count
        case .indices(let indices): indices.count
        }
    }

    /// The numbers of the rows.
    public var numbers: [Int32] {
        switch self {
        case .all(let count): (0..<count).map(Int32.init)
        case .range(let range): range.map(Int32.init)
        case .indices(let indices): indices
        }
    }

    /// The first of them, at most so many.
    public func prefix(_ count: Int) -> Rows { count < self.count ? split(at: count).0 : self }

    /// The rows before and from a position on.
    func split(at position: Int) -> (Rows, Rows) {
        switch self {
        case .all(let count): (.range(0..<position), .range(position..<count))
        case .range(let range):
            (
                .range(range.lowerBound..<(range.lowerBound + position)),
                .range((range.lowerBound + position)..<range.upperBound)
            )
        case .indices(let indices): (.indices(Array(indices[..<position])), .indices(Array(indices[position...])))
        }
    }

    /// Those at a stretch of positions among them.
    func part(_ positions: Range<Int>) -> Rows {
        switch self {
        case .all: .range(positions)
        case .range(let range):
            .range((range.lowerBound + positions.lowerBound)..<(range.lowerBound + positions.upperBound))
        case .indices(let indices): .indices(Array(indices[positions]))
        }
    }

    /// Those at these positions among them, in this order.
    func chosen(_ positions: [Int32]) -> Rows {
        switch self {
        case .all: .indices(positions)
        case .range(let range): .indices(positions.map { $0 + Int32(range.lowerBound) })
        case .indices(let indices): .indices(positions.map { indices[Int($0)] })
        }
    }

    /// These without those of `others`, which are in ascending order.
    func without(_ others: Rows) -> Rows {
        if case .range(let last) = others, case .all(let count) = self, last.upperBound == count {
            return .range(0..<last.lowerBound)
        }
        let left = Set(others.numbers)
        return .indices(numbers.filter { !left.contains($0) })
    }

    /// Whether every number is that of one of `rows` rows.
    public func isInside(_ rows: Int) -> Bool {
        switch self {
        case .all(let count): count <= rows
        case .range(let range): range.lowerBound >= 0 && range.upperBound <= rows
        case .indices(let indices): indices.allSatisfy { $0 >= 0 && Int($0) < rows }
        }
    }
}
