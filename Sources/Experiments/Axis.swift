/// One hyperparameter and the values that trials take of it.
public struct Axis: Sendable, Equatable, Codable {
    /// `seed`, `learning_rate`, a setting of `fit` (see ``FitSetting``), or an argument of the build function.
    public var name: String
    /// The values, in the order of the trials.
    public var values: [ParameterValue]

    /// A hyperparameter with the values given.
    public init(_ name: String, _ values: [ParameterValue]) {
        self.name = name
        self.values = values
    }

    /// A hyperparameter over whole numbers, such as `Axis("seed", 0..<20)`.
    public init(_ name: String, _ range: Range<Int>) {
        self.init(name, range.map { .int($0) })
    }
}

/// Which combinations of hyperparameters an experiment tries.
public enum TrialSpace: Sendable, Equatable, Codable {
    /// Every combination; of the axes, the first varies slowest.
    case product([Axis])
    /// These combinations and no others.
    case list([[String: ParameterValue]])

    /// How many combinations there are, or `nil` when the number overflows.
    public var count: Int? {
        switch self {
        case .list(let trials): return trials.count
        case .product(let axes):
            var count = 1
            for axis in axes {
                let (product, overflow) = count.multipliedReportingOverflow(by: axis.values.count)
                if overflow { return nil }
                count = product
            }
            return count
        }
    }

    /// The combination of a number in `0..<count`.
    func parameters(at index: Int) -> [String: ParameterValue] {
        switch self {
        case .list(let trials): return trials[index]
        case .product(let axes):
            var parameters: [String: ParameterValue] = [:]
            var rest = index
            for axis in axes.reversed() {
                parameters[axis.name] = axis.values[rest % axis.values.count]
                rest /= axis.values.count
            }
            return parameters
        }
    }
}
