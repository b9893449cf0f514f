import Files
public import PythonEnvironment
public import SystemPackage

/// A Python function that returns the data of an experiment: `digits.py:load`.
public struct DataFunction: Sendable, Hashable {
    /// The Python file; its path is absolute.
    public var file: FilePath
    /// The function's name.
    public var name: String
    /// Where it is called: relative paths in it are relative to this folder.
    public var folder: FilePath

    /// Names a function.
    public init(file: FilePath, name: String, folder: FilePath) {
        self.file = file
        self.name = name
        self.folder = folder
    }
}

/// Calls data functions, each once for as long as its file, the files that it read and the packages are the same.
public enum DataFunctions {
    /// Calls the function, unless what it returned before is there and still holds.
    ///
    /// - Parameters:
    ///   - function: The function.
    ///   - python: The Python that calls it.
    ///   - cache: Where results are kept; nil for `functions` in the cache.
    ///   - progress: Is told what is being done, a line a call.
    /// - Returns: The folder with the arrays and their list, `data.json`.
    /// - Throws: For a mistake of the user's, with the place in the user's file where it is known.
    public static func prepare(
        _ function: DataFunction, python: Python, cache: FilePath? = nil,
        progress: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(LoweringError) -> FilePath {
        try await ArrayMaking(
            name: function.name, file: function.file,
            announcement:
                "calling \(function.name) of \(function.file.lastComponent?.string ?? function.file.string) for the data",
            interpreter: python.interpreter, environment: python.environment, folder: function.folder,
            arguments: { folder in
                ["-m", "pronghorn.prepare_data", function.file.string, function.name, folder.string]
            },
            results: DataResults(
                root: cache ?? CacheFolder.path("functions"), key: try key(of: function, python: python)),
            progress: progress
        ).make()
    }

    private static func key(of function: DataFunction, python: Python) throws(LoweringError) -> String {
        let contents: String
        do {
            contents = try Digest.sha256(file: function.file)
        } catch {
            throw LoweringError(
                code: .noSuchFile, message: "the file of the data function cannot be read: \(error.message)",
                file: function.file, cause: error)
        }
        // The same file in another folder reads other files.
        return try ArrayMaking.key(
            [function.file.string, function.folder.string, function.name, contents, python.key],
            toolFolder: python.toolFolder,
            tools: ["pronghorn/prepare_data.py", "pronghorn/prepared.py", "pronghorn/draining.py"])
    }
}

extension LoweringError.Code {
    /// The data function (or its file) raised.
    public static let functionRaised = LoweringError.Code("function_raised")
    /// The data function returned something else than arrays by name.
    public static let notArrays = LoweringError.Code("not_arrays")
}
