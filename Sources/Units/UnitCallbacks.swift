extension Unit {
    /// A Keras callback, which acts on each lane by itself.
    ///
    /// In JSON a callback is one key, its name, over Keras's own argument names with every default filled in (a value that
    /// is null is left out), so that `keras.callbacks` can be called with them.
    public enum Callback: Sendable, Equatable {
        case earlyStopping(EarlyStopping)
        case modelCheckpoint(ModelCheckpoint)
        case reduceLROnPlateau(ReduceLROnPlateau)
        case learningRateScheduler(LearningRateScheduler)
        case terminateOnNaN(TerminateOnNaN)
        case csvLogger(CSVLogger)
        case swapEMAWeights(SwapEMAWeights)
        case python(PythonFunction)

        /// The callback's name in JSON and in events: Keras's class name in snake case; `python`.
        public var name: String { key.rawValue }
    }

    /// `keras.callbacks.EarlyStopping`.
    public struct EarlyStopping: Codable, Sendable, Equatable {
        public var monitor: String
        public var minDelta: Double
        public var patience: Int
        public var mode: MonitorMode
        public var baseline: Double?
        public var restoreBestWeights: Bool
        public var startFromEpoch: Int

        public init(
            monitor: String, minDelta: Double = 0, patience: Int = 0, mode: MonitorMode, baseline: Double? = nil,
            restoreBestWeights: Bool = false, startFromEpoch: Int = 0
        ) {
            self.monitor = monitor
            self.minDelta = minDelta
            self.patience = patience
            self.mode = mode
            self.baseline = baseline
            self.restoreBestWeights = restoreBestWeights
            self.startFromEpoch = startFromEpoch
        }

        enum CodingKeys: String, CodingKey {
            case monitor, patience, mode, baseline
            case minDelta = "min_delta"
            case restoreBestWeights = "restore_best_weights"
            case startFromEpoch = "start_from_epoch"
        }
    }

    /// `keras.callbacks.ModelCheckpoint`.
    ///
    /// The files are `models/NAME.checkpoint.keras` with `save_best_only`, otherwise `models/NAME.epoch-003.keras`, the epoch
    /// counted from 1. Of the N-th such callback, N from 2 on, they are `models/NAME.checkpoint-N.keras` and
    /// `models/NAME.checkpoint-N.epoch-003.keras`.
    public struct ModelCheckpoint: Codable, Sendable, Equatable {
        public var monitor: String
        public var saveBestOnly: Bool
        public var saveWeightsOnly: Bool
        public var mode: MonitorMode
        /// `save_freq` where it is a number of batches; nil: `epoch`.
        public var batches: Int?
        public var initialValueThreshold: Double?

        public init(
            monitor: String, saveBestOnly: Bool = false, saveWeightsOnly: Bool = false, mode: MonitorMode,
            batches: Int? = nil, initialValueThreshold: Double? = nil
        ) {
            self.monitor = monitor
            self.saveBestOnly = saveBestOnly
            self.saveWeightsOnly = saveWeightsOnly
            self.mode = mode
            self.batches = batches
            self.initialValueThreshold = initialValueThreshold
        }

        enum CodingKeys: String, CodingKey {
            case monitor, mode
            case saveBestOnly = "save_best_only"
            case saveWeightsOnly = "save_weights_only"
            case batches = "save_freq"
            case initialValueThreshold = "initial_value_threshold"
        }
    }

    /// `keras.callbacks.ReduceLROnPlateau`.
    public struct ReduceLROnPlateau: Codable, Sendable, Equatable {
        public var monitor: String
        public var factor: Double
        public var patience: Int
        public var mode: MonitorMode
        public var minDelta: Double
        public var cooldown: Int
        public var minLearningRate: Double

        public init(
            monitor: String, factor: Double = 0.1, patience: Int = 10, mode: MonitorMode, minDelta: Double = 1e-4,
            cooldown: Int = 0, minLearningRate: Double = 0
        ) {
            self.monitor = monitor
            self.factor = factor
            self.patience = patience
            self.mode = mode
            self.minDelta = minDelta
            self.cooldown = cooldown
            self.minLearningRate = minLearningRate
        }

        enum CodingKeys: String, CodingKey {
            case monitor, factor, patience, mode, cooldown
            case minDelta = "min_delta"
            case minLearningRate = "min_lr"
        }
    }

    /// `keras.callbacks.LearningRateScheduler`.
    public struct LearningRateScheduler: Codable, Sendable, Equatable {
        /// The user's function of the epoch and the learning rate.
        public var schedule: PythonFunction

        public init(schedule: PythonFunction) {
            self.schedule = schedule
        }
    }

    /// `keras.callbacks.TerminateOnNaN`.
    public struct TerminateOnNaN: Codable, Sendable, Equatable {
        public var raiseError: Bool

        public init(raiseError: Bool = false) {
            self.raiseError = raiseError
        }

        enum CodingKeys: String, CodingKey { case raiseError = "raise_error" }
    }

    /// `keras.callbacks.CSVLogger`; the control process writes the file, from the epochs' events.
    public struct CSVLogger: Codable, Sendable, Equatable {
        public var separator: String
        public var append: Bool

        public init(separator: String = ",", append: Bool = false) {
            self.separator = separator
            self.append = append
        }
    }

    /// `keras.callbacks.SwapEMAWeights`.
    public struct SwapEMAWeights: Codable, Sendable, Equatable {
        public var swapOnEpoch: Bool

        public init(swapOnEpoch: Bool = false) {
            self.swapOnEpoch = swapOnEpoch
        }

        enum CodingKeys: String, CodingKey { case swapOnEpoch = "swap_on_epoch" }
    }

    /// Which way a monitored metric gets better; `auto`, which Keras resolves, stands in units of the fit engine only.
    public enum MonitorMode: String, Codable, Sendable {
        case auto, min, max
    }

    /// A function of a Python file.
    public struct PythonFunction: Codable, Sendable, Equatable {
        /// The file's absolute path.
        public var file: String
        public var function: String

        public init(file: String, function: String) {
            self.file = file
            self.function = function
        }
    }
}

extension Unit {
    /// Whether a lane takes no step after one whose loss is NaN or infinite: `terminate_on_nan`.
    public var haltsOnNaN: Bool {
        callbacks.contains { if case .terminateOnNaN = $0 { true } else { false } }
    }

    /// Whether a lane ends at an epoch whose loss is NaN or infinite; `terminate_on_nan` has a rule of its own.
    public var endsOnDivergence: Bool { stopsOnDivergence == true && !haltsOnNaN }
}

extension Unit.Callback: Codable {
    private enum CodingKeys: String, CodingKey {
        case earlyStopping = "early_stopping"
        case modelCheckpoint = "model_checkpoint"
        case reduceLROnPlateau = "reduce_lr_on_plateau"
        case learningRateScheduler = "learning_rate_scheduler"
        case terminateOnNaN = "terminate_on_nan"
        case csvLogger = "csv_logger"
        case swapEMAWeights = "swap_ema_weights"
        case python
    }

    private var key: CodingKeys {
        switch self {
        case .earlyStopping: .earlyStopping
        case .modelCheckpoint: .modelCheckpoint
        case .reduceLROnPlateau: .reduceLROnPlateau
        case .learningRateScheduler: .learningRateScheduler
        case .terminateOnNaN: .terminateOnNaN
        case .csvLogger: .csvLogger
        case .swapEMAWeights: .swapEMAWeights
        case .python: .python
        }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        guard let key = container.allKeys.first, container.allKeys.count == 1 else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "a callback is one known key"))
        }
        switch key {
        case .earlyStopping: self = .earlyStopping(try container.decode(Unit.EarlyStopping.self, forKey: key))
        case .modelCheckpoint: self = .modelCheckpoint(try container.decode(Unit.ModelCheckpoint.self, forKey: key))
        case .reduceLROnPlateau:
            self = .reduceLROnPlateau(try container.decode(Unit.ReduceLROnPlateau.self, forKey: key))
        case .learningRateScheduler:
            self = .learningRateScheduler(try container.decode(Unit.LearningRateScheduler.self, forKey: key))
        case .terminateOnNaN: self = .terminateOnNaN(try container.decode(Unit.TerminateOnNaN.self, forKey: key))
        case .csvLogger: self = .csvLogger(try container.decode(Unit.CSVLogger.self, forKey: key))
        case .swapEMAWeights: self = .swapEMAWeights(try container.decode(Unit.SwapEMAWeights.self, forKey: key))
        case .python: self = .python(try container.decode(Unit.PythonFunction.self, forKey: key))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .earlyStopping(let callback): try container.encode(callback, forKey: key)
        case .modelCheckpoint(let callback): try container.encode(callback, forKey: key)
        case .reduceLROnPlateau(let callback): try container.encode(callback, forKey: key)
        case .learningRateScheduler(let callback): try container.encode(callback, forKey: key)
        case .terminateOnNaN(let callback): try container.encode(callback, forKey: key)
        case .csvLogger(let callback): try container.encode(callback, forKey: key)
        case .swapEMAWeights(let callback): try container.encode(callback, forKey: key)
        case .python(let callback): try container.encode(callback, forKey: key)
        }
    }
}
