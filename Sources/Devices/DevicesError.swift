/// What went wrong when devices were looked for or chosen.
public struct DevicesError: Error, Sendable, CustomStringConvertible {
    /// A kind of failure that a caller may want to tell from the others.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, as in `no_cuda`.
        public let description: String

        private init(_ name: String) { description = name }

        /// The selection is not written as one.
        public static let badSelection = Code("bad_selection")
        /// CUDA was asked for and this machine, or what of it this process may use, has none.
        public static let noCUDA = Code("no_cuda")
        /// A device was asked for by a number that no device has.
        public static let noSuchDevice = Code("no_such_device")
    }

    /// The kind of failure.
    public var code: Code
    /// What happened, to what, and what to do.
    public var message: String
    /// The underlying error, when there is one.
    public var cause: (any Error)?

    /// Makes an error.
    public init(code: Code, message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message.
    public var description: String { message }
}
