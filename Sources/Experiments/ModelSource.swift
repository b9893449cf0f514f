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

    /// A function of a Python file, for code: `.function("models.py", "build")`.
    public static func function(_ file: String, _ name: String) -> ModelSource {
        .function(FunctionReference(file: file, function: name))
    }

    /// Whether the trials may have parameters other than `seed` and `learning_rate`.
    public var takesArguments: Bool {
        if case .function = self { true } else { false }
    }
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

/// Whether a word could be the name of a Python function or argument.
func isPythonName(_ word: some StringProtocol) -> Bool {
    guard let first = word.first, first == "_" || first.isLetter else { return false }
    return word.allSatisfy { $0 == "_" || $0.isLetter || $0.isNumber }
}
