import Files
public import PythonEnvironment
public import SystemPackage

/// A table whose columns become arrays, or a folder of images, as `python -m pronghorn.prepare_table` or
/// `pronghorn.prepare_images` takes it.
public struct DataTable: Sendable, Hashable {
    /// What it is.
    public enum Kind: String, Sendable, Hashable {
        case table, images
    }

    /// What it is.
    public var kind: Kind
    /// What messages call it: `visits.csv`.
    public var name: String
    /// The request; the paths in it are absolute.
    public var request: JSONValue
    /// The experiment's folder.
    public var folder: FilePath

    /// Describes a table.
    public init(kind: Kind = .table, name: String, request: JSONValue, folder: FilePath) {
        self.kind = kind
        self.name = name
        self.request = request
        self.folder = folder
    }
}

/// Makes arrays of tables, each once for as long as its files, the encodings and the packages are the same.
public enum DataTables {
    private static func tools(_ kind: DataTable.Kind) -> [FilePath] {
        switch kind {
        case .table:
            [
                "pronghorn/prepare_table.py", "pronghorn/prepared.py", "pronghorn/tables/reading.py",
                "pronghorn/tables/values.py", "pronghorn/tables/encodings.py", "pronghorn/tables/preparing.py",
            ]
        case .images: ["pronghorn/prepare_images.py", "pronghorn/prepared.py"]
        }
    }

    /// Prepares the table, unless that was done before and its files are the same.
    ///
    /// - Parameters:
    ///   - table: The table.
    ///   - python: The Python that reads it.
    ///   - cache: Where results are kept; nil for `tables` or `images` in the cache.
    ///   - progress: Is told what is being done and how far it is, a line a call.
    /// - Returns: The folder with the arrays and their list, `data.json`.
    /// - Throws: For a mistake of the user's (`wrong_table`, `wrong_images`), with file, line and column in its message.
    public static func prepare(
        _ table: DataTable, python: DataPython, cache: FilePath? = nil,
        progress: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(LoweringError) -> FilePath {
        let text = table.request.text
        return try await ArrayMaking(
            name: table.name, file: nil, announcement: nil, interpreter: python.interpreter,
            environment: python.environment, folder: table.folder,
            arguments: { folder throws(LoweringError) in
                let request = folder.appending("request.json")
                do {
                    try AtomicFile.write(Array(text.utf8), to: request)
                } catch {
                    throw LoweringError(code: .cache, message: "cannot write \(request): \(error)", cause: error)
                }
                return ["-m", "pronghorn.prepare_\(table.kind.rawValue)", request.string, folder.string]
            },
            results: DataResults(
                root: cache ?? CacheFolder.path(table.kind == .table ? "tables" : "images"),
                key: try ArrayMaking.key([text, python.key], toolFolder: python.toolFolder, tools: tools(table.kind))),
            progress: progress
        ).make()
    }
}
