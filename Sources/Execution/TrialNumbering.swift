import Experiments
import Ledger

extension Preparation {
    /// Gives trials the numbers that they have in a run already, and those that are new to it the numbers that follow.
    ///
    /// - Parameter known: the run's trials so far, in the order of their numbers.
    /// - Returns: the trials in the order of their numbers, and a line for each that the run has and the experiment has not.
    static func numbered(_ trials: [Trial], after known: [TrialRecord]) -> (trials: [Trial], missing: [String]) {
        guard let width = known.first?.name.utf8.count else { return (trials, []) }
        var waiting: [String: [Trial]] = [:]
        for trial in trials.reversed() { waiting[key(trial), default: []].append(trial) }
        var (numbered, missing): ([Trial], [String]) = ([], [])
        var taken: Set<Int> = []
        for record in known {
            guard let trial = waiting[key(record)]?.popLast() else {
                missing.append("trial \(record.name) (\(description(record))) is in it no more")
                continue
            }
            taken.insert(trial.index)
            numbered.append(trial)
        }
        numbered += trials.filter { !taken.contains($0.index) }
        for index in numbered.indices {
            let number = String(index)
            numbered[index].index = index
            numbered[index].name = String(repeating: "0", count: max(0, width - number.count)) + number
        }
        return (numbered, missing)
    }

    /// What makes a trial the one that it is.
    private static func key(_ record: TrialRecord) -> String {
        "\(record.partitionLabel ?? "") \(record.seed) \(LedgerValue.object(record.parameters).json)"
    }

    private static func key(_ trial: Trial) -> String {
        "\(trial.partitionLabel) \(trial.seed) \(LedgerValue.object(parameters(of: trial)).json)"
    }

    private static func description(_ record: TrialRecord) -> String {
        let parameters = record.parameters.entries.map { "\($0.name)=\($0.value)" }
        return (parameters + [record.partition == nil ? nil : record.partitionLabel].compactMap { $0 })
            .joined(separator: ", ")
    }

    /// A trial's parameters as the ledger keeps them.
    static func parameters(of trial: Trial) -> Parameters {
        var parameters = Parameters()
        for (name, value) in trial.parameters.sorted(by: { $0.key < $1.key }) {
            parameters[name] = LedgerValue(value)
        }
        return parameters
    }
}
