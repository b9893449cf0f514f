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
    /// Whatever can.
    case auto
    /// The lowered program, without Python.
    case native
}
