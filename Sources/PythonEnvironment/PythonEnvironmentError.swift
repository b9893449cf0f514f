/// What went wrong when a Python was made, found or checked.
public struct PythonEnvironmentError: Error, Sendable, CustomStringConvertible {
    /// A kind of failure that a caller may want to tell from the others.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, as in `no_network`.
        public let description: String

        private init(_ name: String) { description = name }

        /// There is no Python that is new enough, and no `uv` to get one.
        public static let noPython = Code("no_python")
        /// Python is there without what makes environments.
        public static let noVenv = Code("no_venv")
        /// The packages' server could not be reached.
        public static let noNetwork = Code("no_network")
        /// There is no set of packages that fulfils the requirements.
        public static let unresolvable = Code("unresolvable")
        /// Installing failed otherwise.
        public static let installFailed = Code("install_failed")
        /// An environment of Pronghorn's own is not there, and was not to be made.
        public static let notMade = Code("not_made")
        /// The interpreter that was named is not there or does not run.
        public static let badInterpreter = Code("bad_interpreter")
        /// The interpreter lacks packages.
        public static let missingPackages = Code("missing_packages")
        /// A plugin's file is missing or is not the one that it should be.
        public static let badPlugin = Code("bad_plugin")
        /// The plugin that a variable names cannot be read.
        public static let noPlugin = Code("no_plugin")
        /// The NVIDIA driver is older than any plugin supports.
        public static let driverTooOld = Code("driver_too_old")
        /// Pronghorn's own Python files were not found.
        public static let noToolFolder = Code("no_tool_folder")
        /// They are not where a variable says.
        public static let badToolFolder = Code("bad_tool_folder")
        /// The cache could not be read or written.
        public static let cache = Code("cache")
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

    /// Whether it comes of what was asked for: an interpreter, packages or a plugin that the user named.
    ///
    /// Else the machine failed, its disk or its network.
    public var isRequest: Bool {
        let codes: [Code] = [
            .badInterpreter, .missingPackages, .unresolvable, .noPlugin, .badToolFolder, .driverTooOld,
        ]
        return codes.contains(code)
    }
}
