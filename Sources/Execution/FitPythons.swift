import Experiments
import PythonEnvironment
import Units

/// The Pythons in which `Model.fit` trains, each looked for, and made if need be, when a trial first needs it.
actor FitPythons {
    private let preparation: Preparation
    private let progress: @Sendable (String) -> Void
    private var pythons: [Unit.FitEngine.Backend: Task<BackendPython, any Error>] = [:]

    init(_ preparation: Preparation, progress: @escaping @Sendable (String) -> Void) {
        self.preparation = preparation
        self.progress = progress
    }

    /// The Python of a backend.
    func python(_ backend: Unit.FitEngine.Backend) async throws -> BackendPython {
        let task = pythons[backend] ?? Task { try await find(backend) }
        pythons[backend] = task
        return try await task.value
    }

    private func find(_ backend: Unit.FitEngine.Backend) async throws -> BackendPython {
        let kind: KerasBackend
        switch backend {
        case .jax:
            // What describes models can train them too.
            let python = preparation.python
            return BackendPython(interpreter: python.interpreter, environment: python.environment)
        case .tensorflow: kind = .tensorflow
        case .torch: kind = .torch
        }
        var python = try await ManagedPython.prepare(
            kind, requirements: preparation.requirements, interpreter: preparation.interpreter, progress: progress)
        python.environment.merge(preparation.passed) { $1 }
        return python
    }
}
