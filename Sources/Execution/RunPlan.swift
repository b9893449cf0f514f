public import Bundles
public import Devices
public import Experiments
public import Planning

/// What a run will do: trials, the programs they share, the cohorts they are packed into.
public struct RunPlan: Sendable {
    public var experiment: String
    public var devices: [Device]
    public var trials: [Trial]
    public var partitions: Int
    public var programs: [PlannedProgram]
    /// What real `Model.fit` trains, and why.
    public var fits: [PlannedFit]
    /// Bytes of all arrays, mapped once a machine.
    public var dataBytes: Int
    /// Bytes of those arrays that are copies in the cache.
    public var copiedBytes: Int
    /// Bytes of them that stay on each device; 0 where the rows of each call are streamed to it.
    public var residentBytes: Int
    /// Bytes that the model files will take.
    public var modelBytes: Int

    /// How many trials `Model.fit` trains.
    public var fitTrials: Int { fits.reduce(0) { $0 + $1.trials.count } }

    /// All cohorts.
    public var cohorts: Int { programs.reduce(0) { $0 + $1.cohorts.count } }
}

/// Trials with equal build arguments that real `Model.fit` trains, each by itself.
public struct PlannedFit: Sendable {
    public var arguments: [String: ParameterValue]
    /// Their numbers.
    public var trials: [Int]
    /// What Keras computes with: `jax`, `tensorflow` or `torch`.
    public var backend: String
    /// Why they have no program, in one sentence.
    public var reason: String
}

/// A program, and the trials that share it.
public struct PlannedProgram: Sendable {
    public var name: String
    /// The arguments of the build function that its trials have in common.
    public var arguments: [String: ParameterValue]
    /// The numbers in which its trials differ, which the program takes as inputs.
    public var inputs: [String]
    /// The numbers that have a program a value, and why.
    public var baked: [String: String]
    public var description: ProgramDescription
    public var form: Workload.Form
    public var cohorts: [Cohort]
    /// Bytes of one lane's state.
    public var stateBytes: Int
    /// Bytes that a cohort takes on its device; from the compiler, once a runner has compiled it.
    public var memory: Memory

    /// Where a figure of memory comes from.
    public enum Memory: Sendable, Equatable {
        case estimated(Int)
        case compiled(Int)

        public var bytes: Int {
            switch self {
            case .estimated(let bytes), .compiled(let bytes): bytes
            }
        }
    }

    public var trials: Int { cohorts.reduce(0) { $0 + $1.trials.count } }

    /// An epoch's training steps of all lanes, and those of them that no trial takes.
    public var padding: Padding { cohorts.map(\.padding).reduce(Padding(), +) }

    /// The functions for last partial batches: for each number of lanes at most two, of training and of validation, or where
    /// the model's step cannot be masked fewer than a batch has rows.
    public var tailFunctions: Int {
        var functions: Set<[Int]> = []
        for cohort in cohorts {
            for (index, form, sizes) in [
                (0, cohort.tailForm, cohort.tails), (1, cohort.evaluateTailForm, cohort.evaluateTails),
            ] {
                functions.formUnion(
                    sizes.map { [index, cohort.lanes, form.call(ofTail: $0), form == .looped ? 1 : 0] })
            }
        }
        return functions.count
    }
}
