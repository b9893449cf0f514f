/// What went wrong while data was prepared, other than a mistake in the experiment or its data.
///
/// Those mistakes are `ExperimentError`s, which name the place in the experiment file.
public struct DatasetsError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name.
        public let description: String

        private init(_ name: String) { description = name }

        /// Prepared arrays could not be kept in the cache.
        public static let cache = Code("cache")
    }

    /// What kind of failure it is.
    public var code: Code
    /// What happened, to what, and what to do.
    public var message: String
    /// The error that led to this one.
    public var cause: (any Error)?

    /// An error with the failure that led to it.
    public init(code: Code, message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message.
    public var description: String { message }
}
