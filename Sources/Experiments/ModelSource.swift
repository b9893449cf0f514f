/// Where the experiment's model comes from.
public enum ModelSource: Sendable, Equatable, Codable {
    /// A Python function that is called with a trial's parameters and returns a compiled Keras model.
    case function(FunctionReference)
    /// A `.keras` file: its layers, weights and compile settings.
    case keras(path: String)
    /// Several `.keras` files, an axis called `model`.
    case files(StartFiles)
    /// Layers written in the experiment file.
    case layers(InlineModel)
    /// Keras's own configuration of a model.
    case configuration(ModelConfiguration)
    /// Several configurations, one of which each trial names by its parameter `model`.
    case configurations([NamedConfiguration])

    /// A function of a Python file, for code: `.function("models.py", "build")`.
    public static func function(_ file: String, _ name: String) -> ModelSource {
        .function(FunctionReference(file: file, function: name))
    }

    /// Whether the trials may have parameters other than `seed` and `learning_rate`.
    public var takesArguments: Bool {
        if case .function = self { true } else { false }
    }

    /// What trials choose between by their parameter `model`; empty where they do not.
    public var choices: [NamedConfiguration] {
        if case .configurations(let choices) = self { choices } else { [] }
    }

    /// The name of the parameter by which trials choose a configuration.
    public static let choice = "model"
}

/// A function of a Python file: `models.py:build`.
public struct FunctionReference: Sendable, Equatable, Hashable, Codable {
    /// The file, absolute or relative to the experiment file's folder.
    public var file: String
    /// The function's name.
    public var function: String

    /// A function of a Python file.
    public init(file: String, function: String) {
        self.file = file
        self.function = function
    }

    /// Reads `FILE.py:FUNCTION`, or gives `nil`.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let file = text[..<colon]
        let function = text[text.index(after: colon)...]
        guard file.hasSuffix(".py"), file.count > 3, isPythonName(function) else { return nil }
        self.init(file: String(file), function: String(function))
    }
}

extension FunctionReference: CustomStringConvertible {
    /// `models.py:build`.
    public var description: String { "\(file):\(function)" }
}

/// A model that is a stack of layers, written in the experiment file.
///
/// A layer is a Keras class name, or one class name over its arguments: `"Flatten"`, `{"Dense": {"units": 64}}`. The
/// shape of the input comes from the data.
public struct InlineModel: Sendable, Equatable, Codable {
    /// The layers, first to last.
    public var layers: [ParameterValue]
    /// The arguments of `Model.compile`, by name.
    public var compile: [String: ParameterValue]

    /// A stack of layers and the arguments of `Model.compile`.
    public init(layers: [ParameterValue], compile: [String: ParameterValue]) {
        self.layers = layers
        self.compile = compile
    }
}

/// A model as Keras's own configuration, as `Model.to_json()` writes it.
public struct ModelConfiguration: Sendable, Equatable, Codable {
    /// Where the configuration is.
    public enum Place: Sendable, Equatable, Codable {
        /// A JSON file, absolute or relative to the experiment file's folder.
        case file(String)
        /// Here: an object with `module`, `class_name`, `config` and, unless ``ModelConfiguration/compile`` is given, `compile_config`.
        case value(ParameterValue)
    }

    /// Where the configuration is.
    public var place: Place
    /// The arguments of `Model.compile` by name, as those of ``InlineModel``, in place of the configuration's own; `nil`: its own.
    public var compile: [String: ParameterValue]?

    /// A configuration, and the arguments of `Model.compile` where it has none.
    public init(_ place: Place, compile: [String: ParameterValue]? = nil) {
        self.place = place
        self.compile = compile
    }

    /// The JSON file, or `nil`.
    public var file: String? {
        if case .file(let path) = place { path } else { nil }
    }
}

/// A configuration, and what results call it.
public struct NamedConfiguration: Sendable, Equatable, Codable {
    /// What a trial's parameter `model` is.
    public var name: String
    /// The model.
    public var configuration: ModelConfiguration

    /// A configuration by a name.
    public init(_ name: String, _ configuration: ModelConfiguration) {
        self.name = name
        self.configuration = configuration
    }
}

/// Whether a word could be the name of a Python function or argument.
func isPythonName(_ word: some StringProtocol) -> Bool {
    guard let first = word.first, first == "_" || first.isLetter else { return false }
    return word.allSatisfy { $0 == "_" || $0.isLetter || $0.isNumber }
}
