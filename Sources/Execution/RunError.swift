/// Why a run could not begin or go on.
public struct RunError: Error, Sendable, CustomStringConvertible {
    /// What kind of thing went wrong.
    public enum Code: Sendable {
        /// What was asked for cannot be done: exit status 2.
        case request
        /// The machine, its files or its processes failed: exit status 1.
        case machine
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
