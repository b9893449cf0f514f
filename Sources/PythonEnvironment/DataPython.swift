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

    /// Finds or makes the Python that writes reports: the one that `PRONGHORN_REPORT_PYTHON` names, else a small environment of
    /// its own in the cache, with pinned packages.
    public static func prepareForReports(
        progress: @Sendable @escaping (String) -> Void
    ) async throws(PythonEnvironmentError) -> DataPython {
        let making = Making(surroundings: try .current(), makes: true, progress: progress)
        return try await making.small(
            "requirements-report.txt", named: "PRONGHORN_REPORT_PYTHON", modules: ["plotly"])
    }

    static func prepareForTables(
        progress: @Sendable @escaping (String) -> Void, surroundings: Surroundings, makes: Bool = true
    ) async throws(PythonEnvironmentError) -> DataPython {
        let making = Making(surroundings: surroundings, makes: makes, progress: progress)
        return try await making.small(
            "requirements-data.txt", named: "PRONGHORN_DATA_PYTHON", modules: ["numpy", "pyarrow", "PIL"])
    }
}

extension Making {
    /// The Python that a variable names, or an environment that holds what a file of requirements pins.
    fileprivate func small(
        _ requirements: FilePath.Component, named variable: String, modules: [String]
    ) async throws(PythonEnvironmentError) -> DataPython {
        let variables = ChildEnvironment.lowering(surroundings.environment, toolFolder: surroundings.toolFolder)
        func python(_ interpreter: FilePath, _ key: String) -> DataPython {
            DataPython(
                interpreter: interpreter, key: key, toolFolder: surroundings.toolFolder, environment: variables)
        }
        if let named = surroundings.variable(variable).map({ FilePath($0) }) {
            let path = try await resolve(named)
            let facts = try await InterpreterFacts.ask(path, environment: variables, modules: modules)
            try facts.check(path)
            let versions = facts.versions.sorted { $0.key < $1.key }.map { "\($0.key)==\($0.value)" }
            return python(path, String(Digest.sha256(versions.joined(separator: "\n")).prefix(16)))
        }
        let lines = try surroundings.pinnedRequirements(requirements)
        let key = String(Digest.sha256(lines.joined(separator: "\n")).prefix(16))
        let folder = surroundings.folder.appending(key)
        _ = try await marker(at: folder, lines, [:], modules: modules, checking: variables)
        return python(folder.appending("bin/python"), key)
    }
}
