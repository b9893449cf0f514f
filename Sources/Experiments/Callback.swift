/// A Keras callback, which acts on each trial by itself; its arguments mean what `keras.callbacks` says of them.
public enum Callback: Sendable, Equatable, Codable {
    /// `keras.callbacks.EarlyStopping`.
    case earlyStopping(EarlyStopping)
    /// `keras.callbacks.ModelCheckpoint`.
    case modelCheckpoint(ModelCheckpoint)
    /// `keras.callbacks.ReduceLROnPlateau`.
    case reduceLROnPlateau(ReduceLROnPlateau)
    /// `keras.callbacks.LearningRateScheduler`.
    case learningRateScheduler(LearningRateScheduler)
    /// `keras.callbacks.TerminateOnNaN`.
    case terminateOnNaN(TerminateOnNaN)
    /// `keras.callbacks.CSVLogger`.
    case csvLogger(CSVLogger)
    /// `keras.callbacks.SwapEMAWeights`.
    case swapEMAWeights(SwapEMAWeights)
    /// A function without arguments that returns a Keras callback or a list of them.
    case python(FunctionReference)
}

extension Callback {
    /// Which way a monitored metric gets better; `auto`: Keras tells it from the metric's class.
    public enum Mode: String, Sendable, Equatable, Codable, CaseIterable {
        case auto, min, max
    }

    /// The arguments of `keras.callbacks.EarlyStopping`.
    public struct EarlyStopping: Sendable, Equatable, Codable {
        public var monitor: String
        public var minDelta: Double
        public var patience: Int
        public var mode: Mode
        public var baseline: Double?
        public var restoreBestWeights: Bool
        public var startFromEpoch: Int

        public init(
            monitor: String = "val_loss", minDelta: Double = 0, patience: Int = 0, mode: Mode = .auto,
            baseline: Double? = nil, restoreBestWeights: Bool = false, startFromEpoch: Int = 0
        ) {
            self.monitor = monitor
            self.minDelta = minDelta
            self.patience = patience
            self.mode = mode
            self.baseline = baseline
            self.restoreBestWeights = restoreBestWeights
            self.startFromEpoch = startFromEpoch
        }
    }

    /// The arguments of `keras.callbacks.ModelCheckpoint`; the files have places of their own in the run's folder.
    public struct ModelCheckpoint: Sendable, Equatable, Codable {
        public var monitor: String
        public var saveBestOnly: Bool
        public var saveWeightsOnly: Bool
        public var mode: Mode
        /// `save_freq` as a number of batches; nil: `epoch`.
        public var batches: Int?
        public var initialValueThreshold: Double?

        public init(
            monitor: String = "val_loss", saveBestOnly: Bool = false, saveWeightsOnly: Bool = false,
            mode: Mode = .auto, batches: Int? = nil, initialValueThreshold: Double? = nil
        ) {
            self.monitor = monitor
            self.saveBestOnly = saveBestOnly
            self.saveWeightsOnly = saveWeightsOnly
            self.mode = mode
            self.batches = batches
            self.initialValueThreshold = initialValueThreshold
        }
    }

    /// The arguments of `keras.callbacks.ReduceLROnPlateau`.
    public struct ReduceLROnPlateau: Sendable, Equatable, Codable {
        public var monitor: String
        public var factor: Double
        public var patience: Int
        public var mode: Mode
        public var minDelta: Double
        public var cooldown: Int
        public var minLearningRate: Double

        public init(
            monitor: String = "val_loss", factor: Double = 0.1, patience: Int = 10, mode: Mode = .auto,
            minDelta: Double = 1e-4, cooldown: Int = 0, minLearningRate: Double = 0
        ) {
            self.monitor = monitor
            self.factor = factor
            self.patience = patience
            self.mode = mode
            self.minDelta = minDelta
            self.cooldown = cooldown
            self.minLearningRate = minLearningRate
        }
    }

    /// The argument of `keras.callbacks.LearningRateScheduler`: a function of the epoch and the learning rate.
    public struct LearningRateScheduler: Sendable, Equatable, Codable {
        public var schedule: FunctionReference

        public init(schedule: FunctionReference) {
            self.schedule = schedule
        }
    }

    /// The argument of `keras.callbacks.TerminateOnNaN`.
    public struct TerminateOnNaN: Sendable, Equatable, Codable {
        public var raiseError: Bool

        public init(raiseError: Bool = false) {
            self.raiseError = raiseError
        }
    }

    /// The arguments of `keras.callbacks.CSVLogger`; the file has a place of its own in the run's folder.
    public struct CSVLogger: Sendable, Equatable, Codable {
        public var separator: String
        public var append: Bool

        public init(separator: String = ",", append: Bool = false) {
            self.separator = separator
            self.append = append
        }
    }

    /// The argument of `keras.callbacks.SwapEMAWeights`.
    public struct SwapEMAWeights: Sendable, Equatable, Codable {
        public var swapOnEpoch: Bool

        public init(swapOnEpoch: Bool = false) {
            self.swapOnEpoch = swapOnEpoch
        }
    }
}

extension Callback {
    /// The callback's name in an experiment file and in results: Keras's class name in snake case, or
    /// `FILE.py:FUNCTION`.
    public var name: String {
        switch self {
        case .earlyStopping: "early_stopping"
        case .modelCheckpoint: "model_checkpoint"
        case .reduceLROnPlateau: "reduce_lr_on_plateau"
        case .learningRateScheduler: "learning_rate_scheduler"
        case .terminateOnNaN: "terminate_on_nan"
        case .csvLogger: "csv_logger"
        case .swapEMAWeights: "swap_ema_weights"
        case .python(let function): function.description
        }
    }

    /// The names of Keras's own, as an experiment file has them.
    static let names = [
        "csv_logger", "early_stopping", "learning_rate_scheduler", "model_checkpoint", "reduce_lr_on_plateau",
        "swap_ema_weights", "terminate_on_nan",
    ]

    /// The metric that it watches and which way that gets better; nil where it watches none.
    public var monitor: (metric: String, mode: Mode)? {
        switch self {
        case .earlyStopping(let callback): (callback.monitor, callback.mode)
        // Without `save_best_only` Keras still asks for a direction, but nothing hangs on the metric.
        case .modelCheckpoint(let callback): callback.saveBestOnly ? (callback.monitor, callback.mode) : nil
        case .reduceLROnPlateau(let callback): (callback.monitor, callback.mode)
        default: nil
        }
    }

    /// Whether it reads or sets the optimizer's learning rate, and logs it.
    public var logsLearningRate: Bool {
        switch self {
        case .reduceLROnPlateau, .learningRateScheduler: true
        default: false
        }
    }

    /// Whether it keeps a state of each trial on the device beside the one that is trained.
    public var keepsState: Bool {
        switch self {
        case .earlyStopping(let callback): callback.restoreBestWeights
        case .modelCheckpoint(let callback): callback.saveBestOnly
        default: false
        }
    }

    /// Why only real `Model.fit` can run it; nil where the native engine does.
    public var needsFitEngine: String? {
        switch self {
        case .python(let function): "\(function) is a Python callback"
        case .modelCheckpoint(let callback) where callback.saveWeightsOnly:
            "model_checkpoint with save_weights_only writes weights without a model"
        case .modelCheckpoint(let callback) where callback.batches != nil:
            "model_checkpoint with a number as save_freq saves in the middle of an epoch"
        case .terminateOnNaN(let callback) where callback.raiseError:
            "terminate_on_nan with raise_error ends training with an exception"
        default: nil
        }
    }
}
