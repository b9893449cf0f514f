/// How often the process that worked on a unit, or on those it came from, has died without progress: a pure state
/// machine that decides what becomes of the unit.
///
/// The first death may be the machine's fault, so the same packing is tried again from its last checkpoint. After a
/// second one the cohort is split in halves, and the halves again at their first death, until a trial that ends every
/// process it is in stands alone and fails alone.
struct UnitLineage: Sendable, Equatable {
    private(set) var deathsInARow = 0

    /// Deaths in a row without progress after which a trial that is alone has failed.
    static let mostDeaths = 3

    /// What becomes of a unit.
    enum Verdict: Sendable, Equatable {
        /// The same trials once more, packed as they were.
        case again
        /// The trials in two units.
        case split
        /// Nothing more is tried.
        case fail
    }

    /// Training got further than ever before: a new checkpoint.
    mutating func progressed() {
        deathsInARow = 0
    }

    /// The process died over the unit.
    mutating func died(trials: Int) -> Verdict {
        deathsInARow += 1
        if trials > 1 { return deathsInARow >= 2 ? .split : .again }
        return deathsInARow >= Self.mostDeaths ? .fail : .again
    }

    /// What a half of the unit begins with: one more death splits it again.
    var half: UnitLineage {
        var half = self
        half.deathsInARow = min(deathsInARow, 1)
        return half
    }
}
