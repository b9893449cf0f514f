public import Experiments

/// Trials that may share a program: they have the same build arguments but for the numbers that the program takes as inputs.
///
/// A number is a value of an axis of which at least one value is written with a point. Zero and `null` are values of their
/// own: they often mean that a thing is not there (a momentum of 0 has no slots), and such trials share a program among
/// themselves.
public struct ProgramShare: Sendable, Equatable {
    /// The arguments that all its trials have in common.
    public var arguments: [String: ParameterValue]
    /// The numbers that differ between its trials, and all values of them, the least first; `learning_rate` even if it is
    /// the same for all, since it is the optimizer's where the build function does not take it.
    public var numbers: [String: [Double]]
    public var trials: [Trial]

    /// Divides trials among programs, in the order of the first trial of each.
    ///
    /// - Parameters:
    ///   - baked: numbers that are known to make another program of every value.
    ///   - kind: what else tells the programs of trials apart.
    public static func divide(
        _ trials: [Trial], baked: Set<String> = [], kind: (Trial) -> String? = { _ in nil }
    ) -> [ProgramShare] {
        struct Key: Hashable {
            var arguments: [String: ParameterValue]
            /// Those that a trial has: one that lacks a number has the model's own value of it, and another program.
            var numbers: Set<String>
            var kind: String?
        }
        let names = numbers(of: trials).subtracting(baked)
        var order: [Key] = []
        var groups: [Key: [Trial]] = [:]
        for trial in trials {
            let own = trial.arguments(baked)
            let numbers = own.filter { names.contains($0.key) && $0.value.isNumberButZero }
            var key = Key(
                arguments: own.filter { numbers[$0.key] == nil }, numbers: Set(numbers.keys), kind: kind(trial))
            if trial.parameters["learning_rate"] != nil { key.numbers.insert("learning_rate") }
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(trial)
        }
        return order.map {
            ProgramShare(arguments: $0.arguments, trials: groups[$0] ?? [], numbers: names, baked: baked)
        }
    }

    private init(arguments: [String: ParameterValue], trials: [Trial], numbers names: Set<String>, baked: Set<String>) {
        self.arguments = arguments
        self.trials = trials
        numbers = [:]
        for name in names where arguments[name] == nil {
            let values = Set(trials.compactMap { $0.parameters[name]?.double }).sorted()
            if values.count > 1 {
                numbers[name] = values
            } else if let value = trials.first?.parameters[name] {
                // What does not differ is an argument like any other.
                self.arguments[name] = value
            }
        }
        let rates = Set(trials.compactMap { $0.parameters["learning_rate"]?.double })
        if !baked.contains("learning_rate"), !rates.isEmpty { numbers["learning_rate"] = rates.sorted() }
    }

    private static func numbers(of trials: [Trial]) -> Set<String> {
        var names: Set<String> = []
        for trial in trials {
            for (name, value) in trial.arguments { if case .double = value { names.insert(name) } }
        }
        return names
    }
}

extension Trial {
    /// The arguments of the build function, the learning rate among them where each has a program of its own.
    fileprivate func arguments(_ baked: Set<String>) -> [String: ParameterValue] {
        guard baked.contains("learning_rate"), let rate = parameters["learning_rate"] else { return arguments }
        return arguments.merging(["learning_rate": rate]) { $1 }
    }
}

extension ParameterValue {
    fileprivate var isNumberButZero: Bool { double.map { $0 != 0 && $0.isFinite } ?? false }
}
