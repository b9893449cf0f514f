public import Ledger

/// What happens while a run is prepared and carried out, for those who watch.
public enum RunEvent: Sendable {
    /// Something is being done before training can begin, in a few words.
    case preparing(String)
    /// What the user should know although it is no mistake.
    case note(String)
    /// What is going to be trained.
    case planned(RunPlan)
    /// The run's trials, with what an earlier process has done of them; later those that have come since.
    case trials([TrialStanding])
    /// A device's runner has been started.
    case runnerStarted(device: String, process: Int)
    /// A unit was given to a device: trials, by their numbers, and the epochs that they are trained for, counted from 0.
    case unitStarted(device: String, unit: String, trials: [Int], epochs: Range<Int>)
    /// A function of a unit's program is being compiled.
    case compiling(device: String, function: String)
    /// A unit's trials have ended an epoch, counted from 0; the mean of each metric over them.
    case epoch(device: String, unit: String, epoch: Int, metrics: [String: Double])
    /// A unit's trials are trained, their models durable and the ledger told; so many of them have diverged.
    case unitFinished(device: String, unit: String, trials: [Int], diverged: Int, seconds: Double)
    /// Trials failed before they were begun: the user's model is wrong for them.
    case trialsFailed(trials: [Int], message: String)
    /// A unit's trials failed.
    case unitFailed(device: String, unit: String, trials: [Int], message: String)
}

/// What became of a run.
public struct RunSummary: Sendable {
    public var trials: Int
    public var finished: Int
    /// Trials that ended since their loss was NaN or infinite.
    public var diverged: Int
    public var failed: Int
    public var wallSeconds: Double
    /// From the first unit's start to the last unit's end.
    public var trainSeconds: Double
    /// The run's folder.
    public var output: String
    public var devices: [DeviceUse]
    /// What the user's `summarize` function returned, as JSON.
    public var summary: String?

    /// How long a device worked.
    public struct DeviceUse: Sendable {
        public var device: String
        public var busySeconds: Double
    }
}
