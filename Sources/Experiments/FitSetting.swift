/// A setting of `fit` that may differ between trials, by Keras's name of it.
///
/// An axis of such a name is the setting's: it does not reach the build function, and splits no program.
public enum FitSetting: String, Sendable, CaseIterable {
    case epochs
    case initialEpoch = "initial_epoch"
    case batchSize = "batch_size"
    case stepsPerEpoch = "steps_per_epoch"
    case shuffle
    case validationBatchSize = "validation_batch_size"
    case validationSplit = "validation_split"
    case validationSteps = "validation_steps"
    case validationFrequency = "validation_freq"
    case classWeight = "class_weight"
    case sampleWeight = "sample_weight"
    /// Not an argument of Keras's.
    case timeLimit = "time_limit"

    /// Whether an axis or a parameter of this name is a setting of `fit`.
    static func isName(_ name: String) -> Bool { FitSetting(rawValue: name) != nil }

    /// Whether a setting of this name may be a mapping.
    static func takesMapping(_ name: String) -> Bool { [classWeight, shuffle].contains(FitSetting(rawValue: name)) }

    /// What a value of the setting is, for messages.
    var accepts: String {
        switch self {
        case .epochs: "a whole number from 1"
        case .initialEpoch: "a whole number from 0"
        case .batchSize, .stepsPerEpoch, .validationBatchSize, .validationSteps: "a whole number from 1, or null"
        case .validationSplit: "a share of the rows between 0 and 1"
        case .timeLimit: "a number of seconds above 0, or null"
        case .sampleWeight: "the name of a column, or null"
        case .classWeight: "a mapping from class numbers to weights, such as {0: 1, 1: 2.5}, or null"
        case .shuffle: "true, false, batch, or {window: ROWS} of 2 rows or more"
        case .validationFrequency: "a whole number from 1, or a list of epochs counted from 1"
        }
    }

    /// Puts a trial's value in the place of the experiment's.
    ///
    /// - Returns: whether the value is one of the setting's; otherwise nothing is changed.
    func put(_ value: ParameterValue, in fit: inout FitOptions) -> Bool {
        switch self {
        case .epochs:
            guard let epochs = value.int, epochs >= 1 else { return false }
            fit.epochs = epochs
        case .initialEpoch:
            guard let epoch = value.int, epoch >= 0 else { return false }
            fit.initialEpoch = epoch
        case .batchSize: return Self.put(value, in: &fit.batchSize)
        case .stepsPerEpoch: return Self.put(value, in: &fit.stepsPerEpoch)
        case .validationBatchSize: return Self.put(value, in: &fit.validationBatchSize)
        case .validationSteps: return Self.put(value, in: &fit.validationSteps)
        case .validationSplit:
            guard let share = value == .null ? 0 : value.double, share >= 0, share < 1 else { return false }
            fit.validation = share == 0 ? .automatic : .share(share)
        case .timeLimit:
            if value == .null {
                fit.timeLimit = nil
            } else {
                guard let seconds = value.double, seconds > 0, seconds.isFinite else { return false }
                fit.timeLimit = seconds
            }
        case .sampleWeight:
            switch value {
            case .null: fit.sampleWeight = nil
            case .string(let column) where !column.isEmpty: fit.sampleWeight = column
            default: return false
            }
        case .classWeight: return Self.put(value, in: &fit.classWeight)
        case .shuffle:
            var window: Int?
            switch value {
            case .bool(let shuffles): fit.shuffle = shuffles ? .rows : .none
            case .string("batch"): fit.shuffle = .batch
            case .mapping(let entries):
                guard entries.count == 1, let rows = entries["window"]?.int, rows >= 2, rows <= Int32.max
                else { return false }
                fit.shuffle = .windows
                window = rows
            default: return false
            }
            fit.shuffleWindow = window
        case .validationFrequency:
            switch value {
            case .int(let number) where number >= 1: fit.validationFrequency = .every(number)
            case .list(let values):
                let epochs = values.compactMap(\.int)
                guard !values.isEmpty, epochs.count == values.count, epochs.allSatisfy({ $0 >= 1 }) else {
                    return false
                }
                fit.validationFrequency = .epochs(epochs)
            default: return false
            }
        }
        return true
    }

    /// Puts the weights of classes, whose numbers are the keys of a mapping.
    private static func put(_ value: ParameterValue, in weights: inout [Int: Double]?) -> Bool {
        switch value {
        case .null: weights = nil
        case .mapping(let entries):
            var numbers: [Int: Double] = [:]
            for (key, value) in entries {
                guard let number = Int(key), let weight = value.double, weight.isFinite else { return false }
                numbers[number] = weight
            }
            weights = numbers
            return !entries.isEmpty && numbers.count == entries.count
        default: return false
        }
        return true
    }

    /// Puts a count, or Keras's own choice for null.
    private static func put(_ value: ParameterValue, in count: inout Int?) -> Bool {
        switch value {
        case .null: count = nil
        case .int(let number) where number >= 1: count = number
        default: return false
        }
        return true
    }
}

extension FitOptions {
    /// The options of a trial with these parameters, which have been checked.
    func with(_ parameters: [String: ParameterValue]) -> FitOptions {
        var fit = self
        for setting in FitSetting.allCases {
            if let value = parameters[setting.rawValue] { _ = setting.put(value, in: &fit) }
        }
        return fit
    }
}
