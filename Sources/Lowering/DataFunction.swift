import Files
import FoundationEssentials
public import PythonEnvironment
import Subprocess
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
///
/// What a function returned is kept in a folder of its own, `KEY/1`, `KEY/2`, …: a run may still map the arrays of an
/// older one. A folder is made under another name and then renamed, so that one that is there is whole.
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
        let results = DataResults(
            root: cache ?? CacheFolder.path("functions"), key: try key(of: function, python: python))
        if let folder = results.current { return folder }
        let lock = try await results.lock {
            progress("another process is calling \(function.file):\(function.name); waiting for it")
        }
        defer { extendLifetime(lock) }
        // Another process may have called it while this one waited.
        if let folder = results.current { return folder }
        let draft = try results.draft()
        progress(
            "calling \(function.name) of \(function.file.lastComponent?.string ?? function.file.string) for the data")
        do throws(LoweringError) {
            try await call(function, python: python, into: draft)
            return try results.keep(draft)
        } catch {
            // It is known here what made the folder and that nothing in it is of use.
            try? FileManager.default.removeItem(atPath: draft.string)
            throw error
        }
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
        let tool = python.toolFolder.appending("pronghorn/prepare_data.py")
        do {
            // The same file in another folder reads other files.
            let parts = [
                function.file.string, function.folder.string, function.name, contents, python.key,
                try Digest.sha256(file: tool),
            ]
            return String(Digest.sha256(parts.joined(separator: "\u{0}")).prefix(24))
        } catch {
            throw LoweringError(
                code: .cache, message: "Pronghorn's own Python files cannot be read: \(error.message)", cause: error)
        }
    }

    private static func call(
        _ function: DataFunction, python: Python, into folder: FilePath
    ) async throws(LoweringError) {
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
        let configuration = Configuration(
            executable: .path(python.interpreter),
            arguments: ["-m", "pronghorn.prepare_data", function.file.string, function.name, folder.string],
            environment: .custom(
                Dictionary(uniqueKeysWithValues: python.environment.map { (Environment.Key(stringLiteral: $0), $1) })),
            workingDirectory: function.folder, platformOptions: options)
        let status: TerminationStatus
        let answer: Answer?
        let words: [String]
        do {
            let result = try await run(configuration, input: .none, output: .sequence, error: .sequence) { execution in
                async let said = lines(execution.standardError)
                // U+2028 and the like may stand in a line, so that only a line feed ends it.
                var answer: Answer?
                for try await line in execution.standardOutput.strings(
                    separatedBy: .unicodeScalarSequence(["\n"]), bufferingPolicy: .unbounded)
                {
                    answer = Answer(line: line) ?? answer
                }
                return (answer, try await said)
            }
            status = result.terminationStatus
            (answer, words) = result.closureResult
        } catch {
            if Task.isCancelled { throw cancelled(function, error) }
            throw LoweringError(
                code: .processEnded, message: "the Python that calls \(function.name) could not be run: \(error)",
                cause: error)
        }
        if Task.isCancelled { throw cancelled(function, nil) }
        switch answer?.event {
        case .done where status.isSuccess: return
        case .failed: throw answer?.error ?? LoweringError(code: .internal, message: "no reason was given")
        default:
            let report = words.isEmpty ? "" : "; it said:\n" + words.map { "  | \($0)" }.joined(separator: "\n")
            throw LoweringError(
                code: .processEnded,
                message: "the Python process that called \(function.name) ended without an answer (\(status))\(report)",
                file: function.file, detail: words.joined(separator: "\n"))
        }
    }

    /// The last lines of a process's standard error.
    private static func lines(_ output: SubprocessOutputSequence) async throws -> [String] {
        var lines: [String] = []
        for try await line in output.strings(bufferingPolicy: .unbounded) {
            lines.append(line)
            if lines.count > 200 { lines.removeFirst(180) }
        }
        return lines.suffix(20)
    }

    private static func cancelled(_ function: DataFunction, _ cause: (any Error)?) -> LoweringError {
        LoweringError(code: .cancelled, message: "calling \(function.name) was given up", cause: cause)
    }
}

extension LoweringError.Code {
    /// The data function (or its file) raised.
    public static let functionRaised = LoweringError.Code("function_raised")
    /// The data function returned something else than arrays by name.
    public static let notArrays = LoweringError.Code("not_arrays")
}
