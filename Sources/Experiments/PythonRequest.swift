/// Which Python describes the models.
public struct PythonRequest: Sendable, Equatable, Codable {
    /// An interpreter of the user's; `nil`: Pronghorn's own environment.
    public var interpreter: String?
    /// Further packages that the user's files import, as `pip` names them.
    public var requirements: [String]

    /// An interpreter, packages, or both.
    public init(interpreter: String? = nil, requirements: [String] = []) {
        self.interpreter = interpreter
        self.requirements = requirements
    }
}

/// What trains the trials.
public enum Engine: String, Sendable, Equatable, Codable, CaseIterable {
    /// The lowered program for what can be lowered, `Model.fit` for the rest.
    case auto
    /// The lowered program, without Python.
    case native
    /// Keras's own `Model.fit`, in Python.
    case fit
}

/// What Keras computes with where `Model.fit` trains.
public enum Backend: String, Sendable, Equatable, Codable, CaseIterable {
    /// JAX, but TensorFlow or Torch for a model that needs them.
    case auto
    case jax, tensorflow, torch
}
