/// How often work on a unit, or on those it came from, has ended without progress, and in which way: a pure state machine
/// that decides what becomes of the unit.
///
/// A first crash may be the machine's fault, so the same packing is tried again from its last checkpoint. After a second
/// one without progress the cohort is split in halves, and the halves again at their first crash, until a trial that ends
/// every process it is in stands alone and fails alone. What comes from outside (a kill, a pause, a lost device) is no
/// fault of the unit's and is counted apart: only where it never ends is it taken for one.
struct UnitLineage: Sendable, Equatable {
    /// Crashes in a row without progress.
    private(set) var crashes = 0
    /// Ends from outside in a row without progress.
    private(set) var disturbances = 0
    /// How often work on the trials has begun, this time included.
    private(set) var attempts = 1

    /// Crashes in a row without progress after which a trial that is alone has failed.
    static let mostCrashes = 3
    /// Ends from outside in a row without progress after which each further one counts as a crash: perhaps it is not from
    /// outside after all, and in any case nobody gains by going on for ever.
    static let mostDisturbances = 20

    /// What becomes of a unit.
    enum Verdict: Sendable, Equatable {
        /// The same trials once more, packed as they were.
        case again
        /// The trials in two units.
        case split
        /// The trials in units of fewer lanes.
        case smaller
        /// Nothing more is tried.
        case fail
    }

    /// Training got further than ever before: a new checkpoint.
    mutating func progressed() {
        crashes = 0
        disturbances = 0
    }

    /// The process that worked on the unit is gone.
    ///
    /// - Parameters:
    ///   - trials: how many are in the unit.
    ///   - lanes: how many its program has.
    mutating func ended(_ ending: RunnerEnding, trials: Int, lanes: Int = 1) -> Verdict {
        switch ending {
        case .memory where trials > 1 || lanes > 1:
            attempts += 1
            return .smaller
        case .crash, .stuck, .memory: return crashed(trials)
        case .killed, .paused, .lostDevice:
            disturbances += 1
            if disturbances > Self.mostDisturbances { return crashed(trials) }
            attempts += 1
            return .again
        }
    }

    private mutating func crashed(_ trials: Int) -> Verdict {
        crashes += 1
        if trials > 1 {
            attempts += 1
            return crashes >= 2 ? .split : .again
        }
        if crashes >= Self.mostCrashes { return .fail }
        attempts += 1
        return .again
    }

    /// What a part of the unit begins with after a split: one more crash splits it again.
    var part: UnitLineage {
        var part = self
        part.crashes = min(crashes, 1)
        return part
    }
}
