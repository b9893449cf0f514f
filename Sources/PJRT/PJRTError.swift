/// An error of the binding or of the plugin: what happened, to what, and what to do.
public struct PJRTError: Error, Sendable, CustomStringConvertible {
    /// What kind of error it is.
    public enum Code: Sendable, Hashable {
        /// There is no plugin at the path, or the file cannot be opened as one.
        case pluginMissing
        /// The plugin's file is not the one that was expected. It was not opened.
        case digestMismatch
        /// The plugin speaks another version of the interface, or lacks a call.
        case incompatible
        /// What was asked for makes no sense on this device or with these options.
        case unsupported
        /// Count, shape, element type or size of an argument differ from what is needed. The plugin was not called.
        case invalidArgument
        /// A buffer's memory was given away or deleted before.
        case deleted
        /// A file could not be read or written.
        case file
        /// The plugin reported an error.
        case plugin(Status)
    }

    /// The plugin's own classification of its errors (the codes of `absl::Status`).
    public enum Status: Int32, Sendable, Hashable {
        case cancelled = 1
        case unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists, permissionDenied, resourceExhausted
        case failedPrecondition, aborted, outOfRange, unimplemented, `internal`, unavailable, dataLoss, unauthenticated
    }

    /// What kind of error it is.
    public var code: Code
    /// What happened, to what, and what to do.
    public var message: String
    /// The error below this one, if there is one.
    public var cause: (any Error)?

    /// Makes an error.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message, with the cause's behind it.
    public var description: String {
        if let cause { "\(message): \(cause)" } else { message }
    }
}
