import Execution

/// Why a run could not begin, go on or be read.
public struct PronghornError: Error, Sendable, CustomStringConvertible {
    /// What kind of thing went wrong.
    public enum Code: Sendable {
        /// What was asked for cannot be done: the experiment, its model, its data, the devices.
        case request
        /// There is no `pronghorn` program to start runners with.
        case noProgram
        /// The machine, its files or its processes failed.
        case machine
    }

    public var code: Code
    /// What happened, to what, and what to do.
    public var message: String
    /// What it came of; an `ExperimentError` says where in the experiment, and has Python's traceback.
    public var cause: (any Error)?

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Whatever was thrown.
    init(_ error: any Error) {
        if let error = error as? PronghornError {
            self = error
        } else {
            self.init(RunError.Code(of: error) == .request ? .request : .machine, "\(error)")
            cause = error
        }
    }

    public var description: String { message }
}
