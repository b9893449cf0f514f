/// The run as a whole; a ledger holds one.
public struct RunRecord: Sendable, Hashable {
    /// How far a run is.
    public enum State: String, Sendable, Hashable, CaseIterable {
        /// A control process is, or was when it died, at work on it.
        case running
        /// Every trial finished or diverged.
        case finished
        /// Every trial ended, some of them without success.
        case failed
        /// It was stopped before every trial ended and can be resumed.
        case stopped
    }

    /// The experiment's name.
    public var name: String
    /// The version of the tool that began the run.
    public var tool: String
    /// The experiment file's path and its text as it was when the run began.
    public var experimentPath: String?
    /// The experiment file's text.
    public var experiment: String
    /// Seconds since 1970.
    public var created: Double
    /// Seconds since 1970; nil while the run goes on.
    public var finished: Double?
    /// The devices, by the names that trials carry.
    public var devices: [String]
    /// How far the run is.
    public var state: State

    /// Makes a record of a run that begins.
    public init(
        name: String, tool: String, experimentPath: String? = nil, experiment: String, created: Double,
        finished: Double? = nil, devices: [String], state: State = .running
    ) {
        self.name = name
        self.tool = tool
        self.experimentPath = experimentPath
        self.experiment = experiment
        self.created = created
        self.finished = finished
        self.devices = devices
        self.state = state
    }
}

/// How far a trial is.
public enum TrialStatus: String, Sendable, Hashable, CaseIterable {
    /// No unit holds it.
    case waiting
    /// A unit that holds it is on a device.
    case running
    /// It is trained and what it was to leave is durable.
    case finished
    /// It ended without success; its message says why.
    case failed
    /// Its loss became NaN or infinite, and its training ended there.
    case diverged
    /// It was ended early on request.
    case stopped

    /// Whether nothing more will happen to the trial by itself.
    public var isEnded: Bool { self != .waiting && self != .running }
}

/// One trial as it is planned.
public struct TrialRecord: Sendable, Hashable {
    /// The trial's number in the experiment, from 0.
    public var trial: Int
    /// The trial's file name without its ending, such as `0042`.
    public var name: String
    /// The seed of its first weights and of its row order.
    public var seed: UInt64
    /// Its hyperparameters.
    public var parameters: Parameters
    /// The partition's number; nil where every trial sees all rows.
    public var partition: Int?
    /// What the partition is called: a column's value, a file's name, `fold 2`.
    public var partitionLabel: String?
    /// Rows trained on.
    public var rows: Int
    /// Rows validated on.
    public var validationRows: Int
    /// Epochs it is to be trained for.
    public var plannedEpochs: Int
    /// `native` or `fit`.
    public var engine: String
    /// Why that engine.
    public var engineReason: String?
    /// The digest of the program it shares.
    public var program: String?

    /// Makes a record.
    public init(
        trial: Int, name: String, seed: UInt64, parameters: Parameters, partition: Int? = nil,
        partitionLabel: String? = nil, rows: Int, validationRows: Int = 0, plannedEpochs: Int, engine: String,
        engineReason: String? = nil, program: String? = nil
    ) {
        self.trial = trial
        self.name = name
        self.seed = seed
        self.parameters = parameters
        self.partition = partition
        self.partitionLabel = partitionLabel
        self.rows = rows
        self.validationRows = validationRows
        self.plannedEpochs = plannedEpochs
        self.engine = engine
        self.engineReason = engineReason
        self.program = program
    }
}

/// A unit: trials that were given to a device together.
public struct UnitRecord: Sendable, Hashable {
    /// How a unit stands.
    public enum Status: String, Sendable, Hashable, CaseIterable {
        case running
        case finished
        case failed
        case stopped
    }

    /// The unit's name, that of its folder.
    public var id: String
    /// How it stands.
    public var status: Status
    /// The device it was given to.
    public var device: String
    /// Its trials, in the order of their lanes.
    public var trials: [Int]
    /// Lanes of the compiled program, K.
    public var lanes: Int
    /// `vectorized` or `looped`.
    public var form: String
    /// Steps a call, S.
    public var steps: Int
    /// Seconds since 1970.
    public var started: Double
    /// Seconds since 1970; nil while it runs.
    public var ended: Double?
    /// Training steps of its lanes, if none ends early; nil in ledgers of older versions.
    public var laneSteps: Int?
    /// Those of them that are computed and that no trial takes.
    public var idleLaneSteps: Int?

    /// Makes a record of a unit that starts.
    public init(
        id: String, device: String, trials: [Int], lanes: Int, form: String, steps: Int, started: Double,
        status: Status = .running, ended: Double? = nil, laneSteps: Int? = nil, idleLaneSteps: Int? = nil
    ) {
        self.id = id
        self.status = status
        self.device = device
        self.trials = trials
        self.lanes = lanes
        self.form = form
        self.steps = steps
        self.started = started
        self.ended = ended
        self.laneSteps = laneSteps
        self.idleLaneSteps = idleLaneSteps
    }
}

/// One try of a runner at a unit.
public struct AttemptRecord: Sendable, Hashable {
    /// The unit's name.
    public var unit: String
    /// The try's number within the unit, from 1.
    public var number: Int
    /// The runner's process number.
    public var runner: Int
    /// The device the runner drives.
    public var device: String
    /// Seconds since 1970.
    public var started: Double
    /// Seconds since 1970; nil while it goes on, and of a try whose control process died.
    public var ended: Double?
    /// How it ended: `finished`, `crashed`, `killed`, `out of memory`, ….
    public var outcome: String?
    /// What the runner said at the end.
    public var message: String?

    /// Makes a record of a try that starts.
    public init(
        unit: String, number: Int, runner: Int, device: String, started: Double, ended: Double? = nil,
        outcome: String? = nil, message: String? = nil
    ) {
        self.unit = unit
        self.number = number
        self.runner = runner
        self.device = device
        self.started = started
        self.ended = ended
        self.outcome = outcome
        self.message = message
    }
}

/// A trial's end, after which what it left is durable.
public struct TrialEnd: Sendable, Hashable {
    /// The trial's number.
    public var trial: Int
    /// The model file's path, relative to the run's folder; nil when none is kept.
    public var model: String?
    /// The epoch, from 0, whose monitored value was best; nil where nothing is monitored.
    public var bestEpoch: Int?
    /// Its share of the unit's training time.
    public var trainSeconds: Double?
    /// How a callback ended its training; nil when it was trained to its last epoch.
    public var stop: TrialStop?
    /// Where its loss became NaN or infinite: what there is to say of it; the trial is then `diverged`, otherwise `finished`.
    public var divergence: String?

    /// Makes an end.
    public init(
        trial: Int, model: String?, bestEpoch: Int? = nil, trainSeconds: Double? = nil, stop: TrialStop? = nil,
        divergence: String? = nil
    ) {
        self.trial = trial
        self.model = model
        self.bestEpoch = bestEpoch
        self.trainSeconds = trainSeconds
        self.stop = stop
        self.divergence = divergence
    }
}

/// How a callback ended a trial's training.
public struct TrialStop: Sendable, Hashable {
    /// The epoch, from 0, at whose end it was stopped: Keras's `stopped_epoch`.
    public var epoch: Int
    /// The callback's name, such as `early_stopping`.
    public var by: String

    /// Makes a stop.
    public init(epoch: Int, by: String) {
        self.epoch = epoch
        self.by = by
    }
}

/// An epoch's end for some trials, as a runner tells it.
public struct EpochRecord: Sendable, Equatable {
    /// The epoch's number, from 0.
    public var epoch: Int
    public var trials: [Int]
    public var seconds: Double
    /// Of every metric one value a trial, in the order of `trials`.
    public var metrics: [String: [Double]]

    public init(epoch: Int, trials: [Int], seconds: Double, metrics: [String: [Double]]) {
        self.epoch = epoch
        self.trials = trials
        self.seconds = seconds
        self.metrics = metrics
    }
}
