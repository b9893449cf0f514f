import Ledger

/// How far a run is, told from its events: what its ledger said when it was begun or gone on with, and what has happened since.
///
/// A trial that has ended counts as trained for all of its epochs. Epochs that are trained again count once.
public struct RunStanding: Sendable {
    /// All trials of the run.
    public var trials: Int { known.count }
    /// Those that have ended, the failed ones among them.
    public private(set) var ended = 0
    public private(set) var failed = 0
    /// Epochs trained, over all trials.
    public private(set) var epochsDone = 0
    /// Epochs that all trials are trained for in the end.
    public private(set) var epochs = 0

    private struct Known {
        var done = 0
        var planned: Int
        var hasEnded = false
        var hasFailed = false
    }

    /// By the trials' numbers.
    private var known: [Known] = []
    /// The trials of units that devices have.
    private var units: [String: [Int]] = [:]

    public init() {}

    /// Takes an event in.
    public mutating func take(_ event: RunEvent) {
        switch event {
        case .trials(let standings): for standing in standings { add(standing) }
        case .unitStarted(_, let unit, let trials, let epochs):
            units[unit] = trials
            for trial in trials {
                // What was done after the unit's beginning is trained again.
                change(trial) { $0 = Known(done: min(epochs.lowerBound, $0.planned), planned: $0.planned) }
            }
        case .epoch(_, let unit, let epoch, _):
            for trial in units[unit] ?? [] {
                change(trial) { if !$0.hasEnded { $0.done = min(epoch + 1, $0.planned) } }
            }
        case .unitFinished(_, let unit, let trials, _, _): end(trials, of: unit)
        case .trialsFailed(let trials, _): end(trials, failed: true)
        case .unitFailed(_, let unit, let trials, _): end(trials, of: unit, failed: true)
        case .preparing, .note, .planned, .runnerStarted, .compiling: break
        }
    }

    private mutating func add(_ standing: TrialStanding) {
        // What has happened since it was first told of is known better.
        guard standing.trial == known.count else { return }
        known.append(Known(planned: standing.plannedEpochs))
        epochs += standing.plannedEpochs
        change(standing.trial) { trial in
            trial.hasEnded = standing.status.isEnded
            trial.hasFailed = standing.status == .failed
            trial.done = trial.hasEnded ? trial.planned : min(standing.epochs, trial.planned)
        }
    }

    private mutating func end(_ trials: [Int], of unit: String? = nil, failed: Bool = false) {
        for trial in trials {
            change(trial) { $0 = Known(done: $0.planned, planned: $0.planned, hasEnded: true, hasFailed: failed) }
        }
        if let unit { units[unit] = nil }
    }

    private mutating func change(_ trial: Int, _ body: (inout Known) -> Void) {
        guard known.indices.contains(trial) else { return }
        let before = known[trial]
        body(&known[trial])
        let after = known[trial]
        epochsDone += after.done - before.done
        ended += (after.hasEnded ? 1 : 0) - (before.hasEnded ? 1 : 0)
        failed += (after.hasFailed ? 1 : 0) - (before.hasFailed ? 1 : 0)
    }
}
