import Files
public import SystemPackage

/// What Keras computes with.
public enum KerasBackend: String, Sendable, Hashable, CaseIterable {
    case jax, tensorflow, torch

    /// The variable that names an interpreter which has it.
    var variable: String { "PRONGHORN_\(rawValue.uppercased())_PYTHON" }

    /// The file of the pinned requirements of its environment.
    var requirementsFile: FilePath.Component {
        switch self {
        case .jax: "requirements.txt"
        case .tensorflow: "requirements-tensorflow.txt"
        case .torch: "requirements-torch.txt"
        }
    }
}

/// A Python in which Keras can train on a backend.
public struct BackendPython: Sendable, Hashable {
    public var interpreter: FilePath
    /// The environment of the process to start, but for what it may see of the machine.
    public var environment: [String: String]

    public init(interpreter: FilePath, environment: [String: String]) {
        self.interpreter = interpreter
        self.environment = environment
    }
}

extension ManagedPython {
    /// Finds or makes the Python for training on TensorFlow or Torch, which are installed only when this asks for them.
    ///
    /// It is the one that `PRONGHORN_TENSORFLOW_PYTHON` (or `PRONGHORN_TORCH_PYTHON`) names; else the user's interpreter, if it has
    /// the backend; else an environment in the cache, with pinned packages and the user's own requirements.
    public static func prepare(
        _ backend: KerasBackend, requirements: Requirements, interpreter: FilePath?,
        progress: @Sendable @escaping (String) -> Void
    ) async throws(PythonEnvironmentError) -> BackendPython {
        try await prepare(
            backend, requirements: requirements, interpreter: interpreter, progress: progress, surroundings: .current())
    }

    /// The same as it is now, and makes nothing.
    ///
    /// - Throws: `notMade` when there would be an environment to make first.
    public static func find(
        _ backend: KerasBackend, requirements: Requirements, interpreter: FilePath?
    ) async throws(PythonEnvironmentError) -> BackendPython {
        try await prepare(
            backend, requirements: requirements, interpreter: interpreter, progress: { _ in }, surroundings: .current(),
            makes: false)
    }

    static func prepare(
        _ backend: KerasBackend, requirements: Requirements, interpreter: FilePath?,
        progress: @Sendable @escaping (String) -> Void, surroundings: Surroundings, makes: Bool = true
    ) async throws(PythonEnvironmentError) -> BackendPython {
        let making = Making(surroundings: surroundings, makes: makes, progress: progress)
        return try await making.python(backend, requirements, interpreter: interpreter)
    }
}

extension Making {
    fileprivate func python(
        _ backend: KerasBackend, _ requirements: Requirements, interpreter: FilePath?
    ) async throws(PythonEnvironmentError) -> BackendPython {
        let variables = ChildEnvironment.fitting(
            backend, surroundings.environment, toolFolder: surroundings.toolFolder)
        let modules = ["keras", backend.rawValue]
        if let named = surroundings.variable(backend.variable).map({ FilePath($0) }) {
            let path = try await resolve(named)
            try await InterpreterFacts.ask(path, environment: variables, modules: modules).check(path)
            return BackendPython(interpreter: path, environment: variables)
        }
        if let named = interpreter ?? surroundings.variable("PRONGHORN_PYTHON").map({ FilePath($0) }) {
            let path = try await resolve(named)
            progress("looking for \(backend.rawValue) in \(path)")
            let facts = try await InterpreterFacts.ask(path, environment: variables, modules: modules)
            if facts.problems.isEmpty { return BackendPython(interpreter: path, environment: variables) }
            progress("\(path) has no \(backend.rawValue); taking it from an environment of Pronghorn's own")
        }
        let pinned = try surroundings.pinnedRequirements(backend.requirementsFile)
        var lines = pinned + Set(requirements.further).subtracting(pinned).sorted()
        if requirements.driver != nil {
            // The same version with NVIDIA's libraries, which need no installation of CUDA.
            lines = lines.map { line in
                line.hasPrefix("tensorflow_cpu==")
                    ? line.replacing("tensorflow_cpu==", with: "tensorflow[and-cuda]==") : line
            }
        }
        let folder = surroundings.folder.appending(String(Digest.sha256(lines.joined(separator: "\n")).prefix(16)))
        _ = try await marker(at: folder, lines, [:], modules: modules, checking: variables)
        return BackendPython(interpreter: folder.appending("bin/python"), environment: variables)
    }
}
