/// Why a unit could not be trained.
public struct TrainingError: Error, Sendable, CustomStringConvertible {
    /// What kind of thing went wrong; the control process decides by it whether to try again.
    public struct Code: RawRepresentable, Sendable, Hashable {
        public var rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// The unit, its program or its data are not what they say; the same unit would fail again.
        public static let invalidUnit = Code(rawValue: "invalid_unit")
        /// A data file is not the one that the run began with.
        public static let dataChanged = Code(rawValue: "data_changed")
        /// The device or the host has too little memory for this packing.
        public static let outOfMemory = Code(rawValue: "out_of_memory")
        /// The plugin failed.
        public static let device = Code(rawValue: "device")
        /// The device does not answer any more.
        public static let deviceLost = Code(rawValue: "device_lost")
        /// A file could not be written, or is gone: nothing is wrong with the trials.
        public static let files = Code(rawValue: "files")
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
