import Bundles
import Files
import FoundationEssentials
public import PythonEnvironment
public import SystemPackage
import TensorFiles

/// Turns Keras models into program bundles: from the cache where it has them, else by the lowering process.
///
/// The process is started when it is needed first, serves every request of the run, and ends with ``close()``; where the
/// cache has everything, none is started.
public actor Lowerer {
    private let python: Python
    private let cache: ProgramCache
    private let progress: @Sendable (String) -> Void
    /// Set before the process is there, so that a request that comes meanwhile does not start another.
    private var process: Task<LoweringProcess, Never>?
    /// Whether a Python process was started.
    public private(set) var startedPython = false

    /// Makes a lowerer.
    ///
    /// - Parameters:
    ///   - python: The Python that describes models.
    ///   - folder: Where bundles are kept; nil for `programs` in the cache.
    ///   - progress: Is told what is being done, a line a call.
    public init(
        python: Python, folder: FilePath? = nil, progress: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(LoweringError) {
        self.python = python
        self.progress = progress
        cache = try ProgramCache(root: folder ?? CacheFolder.path("programs"), python: python)
    }

    /// The described bundle of a model, which may have no functions yet.
    public func describe(_ request: ProgramRequest) async throws(LoweringError) -> Bundle {
        let key = try cache.key(request)
        if let bundle = cache.find(key) { return bundle }
        let lock = try await cache.lock(key, progress: progress)
        defer { extendLifetime(lock) }
        // Another process may have made it while this one waited.
        if let bundle = cache.find(key) { return bundle }
        let folder = try cache.vacancy(key, progress: progress)
        var fields = request.fields
        fields["do"] = "describe"
        fields["output"] = .string(folder.string)
        do throws(LoweringError) {
            try await ask(fields)
            return try Bundle(folder)
        } catch {
            // It is known here what made the folder and that nothing in it is of use.
            try? FileManager.default.removeItem(atPath: folder.string)
            throw error
        }
    }

    /// The bundle with these functions in it; those that it has already cost nothing.
    public func lower(_ functions: [FunctionRequest], in bundle: Bundle) async throws(LoweringError) -> Bundle {
        if missing(functions, in: bundle).isEmpty { return bundle }
        guard let key = bundle.folder.removingLastComponent().lastComponent?.string else {
            throw LoweringError(code: .badRequest, message: "\(bundle.folder) is not in the program cache")
        }
        let lock = try await cache.lock(key, progress: progress)
        defer { extendLifetime(lock) }
        // Another process may have added some since the bundle was read.
        let now = try Bundle(bundle.folder)
        let wanted = missing(functions, in: now)
        if wanted.isEmpty { return now }
        try await ask([
            "do": "lower", "output": .string(bundle.folder.string), "functions": .array(wanted.map(\.json)),
        ])
        let made = try Bundle(bundle.folder)
        guard missing(functions, in: made).isEmpty else {
            throw LoweringError(
                code: .internal,
                message: "the lowering process left out \(missing(functions, in: made).map(\.json.text))")
        }
        return made
    }

    /// Adds to the bundle in a folder what it has for a cohort of `lanes`, for one of `fewer`.
    public func lower(_ folder: FilePath, as lanes: Int, for fewer: Int) async throws(LoweringError) {
        let bundle = try Bundle(folder)
        let functions = bundle.description.functions.filter { $0.lanes == lanes }.compactMap { function in
            FunctionRequest.Name(rawValue: function.name).map { name in
                let form = function.form.flatMap(FunctionRequest.Form.init) ?? .vectorized
                return FunctionRequest(
                    name, lanes: fewer, steps: function.steps ?? 1, rows: function.rows ?? 1,
                    form: fewer == 1 && form == .looped ? .vectorized : form, halt: function.halt ?? false)
            }
        }
        _ = try await lower(functions, in: bundle)
    }

    /// The states of starting models, or of files of weights, as files of one lane in the order of a program's leaves.
    ///
    /// They are kept in the bundle's folder by the files' digests: a file that was read before costs its digest and that of its state.
    ///
    /// - Returns: the state's file of each file.
    public func starts(
        from files: [FilePath], of bundle: Bundle
    ) async throws(LoweringError) -> [FilePath: FilePath] {
        var states: [FilePath: FilePath] = [:]
        var missing: [JSONValue] = []
        for file in files {
            let digest: String
            do {
                digest = try Digest.sha256(file: file)
            } catch {
                throw LoweringError(code: .noSuchFile, message: error.message, cause: error)
            }
            let state = bundle.folder.appending("starts").appending("\(digest).safetensors")
            states[file] = state
            if !Self.isWhole(state),
                !StartReading.writeState(of: file, digest: digest, in: bundle.folder.appending("starts"))
            {
                missing.append(["file": .string(file.string), "sha256": .string(digest)])
            }
        }
        if !missing.isEmpty {
            // Each is written under another name and renamed: of two processes that do the same, either is right.
            try await ask(["do": "start", "output": .string(bundle.folder.string), "files": .array(missing)])
        }
        return states
    }

    /// Whether a state is there as it was written: a loss of power may have torn it.
    private static func isWhole(_ state: FilePath) -> Bool {
        (try? SafetensorsFile(state).verifyDigest()) ?? false
    }

    /// Whether a model's arrays lie beside its file, so that its state may be had without Python.
    public nonisolated static func hasArrays(beside file: FilePath) -> Bool {
        FileManager.default.fileExists(atPath: StartReading.arrays(beside: file).string)
    }

    /// Ends the Python process, if there is one.
    public func close() async {
        let process = process
        self.process = nil
        await process?.value.close()
    }

    private func missing(_ functions: [FunctionRequest], in bundle: Bundle) -> [FunctionRequest] {
        functions.filter { request in
            // A program whose end changes nothing has no `finalize`.
            (request.name != .finalize || bundle.description.finalizes) && bundle.function(request) == nil
        }
    }

    private func ask(_ fields: [String: JSONValue]) async throws(LoweringError) {
        if process == nil {
            progress("starting Python to lower the model")
            startedPython = true
            process = Task { [python] in await LoweringProcess(python: python) }
        }
        do throws(LoweringError) {
            try await process?.value.ask(fields, progress: progress)
        } catch {
            // A process that ended serves nothing any more; the next request starts another.
            if error.code == .processEnded || error.code == .cancelled { await close() }
            throw error
        }
    }
}
