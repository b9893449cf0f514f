import Devices
import Experiments
import Ledger
import PythonEnvironment

/// Why a run could not begin or go on.
public struct RunError: Error, Sendable, CustomStringConvertible {
    /// What kind of thing went wrong.
    public enum Code: Sendable {
        /// What was asked for cannot be done: exit status 2.
        case request
        /// The machine, its files or its processes failed: exit status 1.
        case machine

        /// Whose fault whatever ended a run, or kept it from being begun or read, is.
        public init(of error: any Error) {
            let isRequest =
                switch error {
                case is ExperimentError, is DevicesError: true
                case let error as RunError: error.code == .request
                case let error as LedgerError: error.code == .absent
                case let error as PythonEnvironmentError: error.isRequest
                default: false
                }
            self = isRequest ? .request : .machine
        }
    }

    public var code: Code
    public var message: String
    public var cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String {
        guard let cause else { return message }
        return "\(message): \(cause)"
    }
}
