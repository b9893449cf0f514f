public import SystemPackage

/// Why a model could not be described or lowered.
public struct LoweringError: Error, Sendable, CustomStringConvertible {
    /// A kind of failure that a caller may want to tell from the others; most are those of the lowering process's answers.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, as in `build_raised`.
        public let description: String

        init(_ name: String) { description = name }

        /// The model's file is not there.
        public static let noSuchFile = Code("no_such_file")
        /// The file has no function of that name.
        public static let noSuchFunction = Code("no_such_function")
        /// The build function (or its file) raised.
        public static let buildRaised = Code("build_raised")
        /// The build function returned something else than a Keras model.
        public static let notAModel = Code("not_a_model")
        /// The model has no optimizer or no loss.
        public static let notCompiled = Code("not_compiled")
        /// The data's shapes do not go with the model.
        public static let shapesDisagree = Code("shapes_disagree")
        /// The model trains in Keras, but not as a program.
        public static let notLowerable = Code("not_lowerable")
        /// A layer cannot be adapted to the rows of each trial.
        public static let notAdaptable = Code("not_adaptable")
        /// The file holds code that `safe_mode` does not run.
        public static let unsafeModel = Code("unsafe_model")
        /// A callback's function (or its file) raised, or is not there.
        public static let callbackRaised = Code("callback_raised")
        /// The request makes no sense.
        public static let badRequest = Code("bad_request")
        /// An error of Pronghorn's own.
        public static let `internal` = Code("internal")
        /// The lowering process could not be started, or ended before it answered.
        public static let processEnded = Code("process_ended")
        /// The program cache could not be read or written.
        public static let cache = Code("cache")
        /// The caller's task was cancelled.
        public static let cancelled = Code("cancelled")
    }

    /// The kind of failure.
    public var code: Code
    /// What happened, to what, and what to do.
    public var message: String
    /// The user's file that it is about, where known.
    public var file: FilePath?
    /// The line in the file, from 1, where known.
    public var line: Int?
    /// Python's traceback, or the last lines that the process printed.
    public var detail: String?
    /// The argument that makes another program of every value, `learning_rate` or `seed`: ask for one program a value.
    public var splits: String?
    /// The backend of Keras, `tensorflow` or `torch`, that the model needs, where that is what is wrong.
    public var needs: String?
    /// What in the request's model it is about: `arguments.NAME`, `layers[1]`, `compile.optimizer`.
    public var key: String?
    /// What would have been accepted in its place, where that is known.
    public var accepted: [String] = []
    /// The underlying error, when there is one.
    public var cause: (any Error)?

    /// Makes an error.
    public init(
        code: Code, message: String, file: FilePath? = nil, line: Int? = nil, detail: String? = nil,
        splits: String? = nil, needs: String? = nil, cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.file = file
        self.line = line
        self.detail = detail
        self.splits = splits
        self.needs = needs
        self.cause = cause
    }

    /// The message, behind the place in the user's file that it is about.
    public var description: String {
        guard let file else { return message }
        return line.map { "\(file):\($0): \(message)" } ?? "\(file): \(message)"
    }
}
