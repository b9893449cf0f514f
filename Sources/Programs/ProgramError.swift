/// Why a program could not be opened or called.
public struct ProgramError: Error, Sendable, CustomStringConvertible {
    /// What kind of thing went wrong.
    public enum Code: Sendable {
        /// The bundle is missing, damaged or of another version.
        case unreadable
        /// A file of the bundle is gone, or is not what it was: the cache was cleared or damaged while the run goes on.
        case lost
        /// The bundle lacks a function that is needed.
        case noSuchFunction
        /// The plugin refused or failed.
        case plugin
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
