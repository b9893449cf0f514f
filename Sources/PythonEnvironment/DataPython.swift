import Files
public import SystemPackage

/// The Python that reads tables: it has pyarrow and Pillow, and neither Keras nor JAX.
public struct DataPython: Sendable, Hashable {
    /// The interpreter to start.
    public var interpreter: FilePath
    /// Names the environment: another one when its packages are others.
    public var key: String
    /// The folder that holds the package `pronghorn`; ``environment`` has it on Python's path.
    public var toolFolder: FilePath
    /// The whole environment of the process to start.
    public var environment: [String: String]

    /// Makes a description of a Python.
    public init(interpreter: FilePath, key: String, toolFolder: FilePath, environment: [String: String]) {
        self.interpreter = interpreter
        self.key = key
        self.toolFolder = toolFolder
        self.environment = environment
    }
}

extension ManagedPython {
    /// Finds or makes the Python that reads tables, when one is first to be read.
    ///
    /// It is the one that `PRONGHORN_DATA_PYTHON` names, else a small environment of its own in the cache, with pinned
    /// packages: what a table becomes depends on them alone.
    public static func prepareForTables(
        progress: @Sendable @escaping (String) -> Void
    ) async throws(PythonEnvironmentError) -> DataPython {
        try await prepareForTables(progress: progress, surroundings: .current())
    }

    /// The same as it is now, and makes nothing.
    ///
    /// - Throws: `notMade` when there would be an environment to make first.
    public static func findForTables() async throws(PythonEnvironmentError) -> DataPython {
        try await prepareForTables(progress: { _ in }, surroundings: .current(), makes: false)
    }

    static func prepareForTables(
        progress: @Sendable @escaping (String) -> Void, surroundings: Surroundings, makes: Bool = true
    ) async throws(PythonEnvironmentError) -> DataPython {
        let making = Making(surroundings: surroundings, makes: makes, progress: progress)
        let variables = ChildEnvironment.lowering(surroundings.environment, toolFolder: surroundings.toolFolder)
        let modules = ["numpy", "pyarrow", "PIL"]
        func python(_ interpreter: FilePath, _ key: String) -> DataPython {
            DataPython(
                interpreter: interpreter, key: key, toolFolder: surroundings.toolFolder, environment: variables)
        }
        if let named = surroundings.variable("PRONGHORN_DATA_PYTHON").map({ FilePath($0) }) {
            let path = try await making.resolve(named)
            let facts = try await InterpreterFacts.ask(path, environment: variables, modules: modules)
            try facts.check(path)
            let versions = facts.versions.sorted { $0.key < $1.key }.map { "\($0.key)==\($0.value)" }
            return python(path, String(Digest.sha256(versions.joined(separator: "\n")).prefix(16)))
        }
        let lines = try surroundings.pinnedRequirements("requirements-data.txt")
        let key = String(Digest.sha256(lines.joined(separator: "\n")).prefix(16))
        let folder = surroundings.folder.appending(key)
        _ = try await making.marker(at: folder, lines, [:], modules: modules, checking: variables)
        return python(folder.appending("bin/python"), key)
    }
}
