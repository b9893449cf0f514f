import Files
import FoundationEssentials
import PythonEnvironment
import Subprocess
import SystemPackage

/// A Python process that writes arrays into a folder, once for as long as what they are made of is the same.
///
/// What it wrote is kept in a folder of its own, `KEY/1`, `KEY/2`, …: a run may still map the arrays of an older one. A
/// folder is made under another name and then renamed, so that one that is there is whole.
struct ArrayMaking {
    /// What makes the arrays, as messages call it: `load`, `visits.csv`.
    var name: String
    /// The user's file that the call is about, where there is one.
    var file: FilePath?
    /// What is said before it begins, if anything.
    var announcement: String?
    var interpreter: FilePath
    var environment: [String: String]
    /// Where the process works.
    var folder: FilePath
    /// What is passed to Python, given the folder to write into; may write into it.
    var arguments: @Sendable (FilePath) throws(LoweringError) -> [String]
    /// Where results are kept, and by what.
    var results: DataResults
    var progress: @Sendable (String) -> Void

    /// The folder with the arrays, from an earlier call if it still holds.
    func make() async throws(LoweringError) -> FilePath {
        if let folder = results.current { return folder }
        let lock = try await results.lock {
            progress("another process is preparing the data of \(name); waiting for it")
        }
        defer { extendLifetime(lock) }
        // Another process may have made it while this one waited.
        if let folder = results.current { return folder }
        let draft = try results.draft()
        if let announcement { progress(announcement) }
        do throws(LoweringError) {
            try await call(into: draft)
            return try results.keep(draft)
        } catch {
            // It is known here what made the folder and that nothing in it is of use.
            try? FileManager.default.removeItem(atPath: draft.string)
            throw error
        }
    }

    private func call(into draft: FilePath) async throws(LoweringError) {
        let configuration = Configuration(
            executable: .path(interpreter), arguments: Arguments(try arguments(draft)),
            environment: .custom(
                Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0), $1) })),
            workingDirectory: folder, platformOptions: .ownGroup(patience: .seconds(2)))
        let status: TerminationStatus
        let answer: Answer?
        let words: [String]
        do {
            let result = try await run(configuration, input: .none, output: .sequence, error: .sequence) { execution in
                async let said = Self.lines(execution.standardError)
                // U+2028 and the like may stand in a line, so that only a line feed ends it.
                var answer: Answer?
                for try await line in execution.standardOutput.strings(
                    separatedBy: .unicodeScalarSequence(["\n"]), bufferingPolicy: .unbounded)
                {
                    guard let said = Answer(line: line) else { continue }
                    if said.event == .progress { progress(said.message ?? "") } else { answer = said }
                }
                let lines = try await said
                execution.killGroup()
                return (answer, lines)
            }
            status = result.terminationStatus
            (answer, words) = result.closureResult
        } catch {
            if Task.isCancelled { throw cancelled(error) }
            throw LoweringError(
                code: .processEnded, message: "the Python that prepares \(name) could not be run: \(error)",
                cause: error)
        }
        if Task.isCancelled { throw cancelled(nil) }
        switch answer?.event {
        case .done where status.isSuccess: return
        case .failed: throw answer?.error ?? LoweringError(code: .internal, message: "no reason was given")
        default:
            let report = words.isEmpty ? "" : "; it said:\n" + words.map { "  | \($0)" }.joined(separator: "\n")
            throw LoweringError(
                code: .processEnded,
                message: "the Python process that prepared \(name) ended without an answer (\(status))\(report)",
                file: file, detail: words.joined(separator: "\n"))
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

    private func cancelled(_ cause: (any Error)?) -> LoweringError {
        LoweringError(code: .cancelled, message: "preparing \(name) was given up", cause: cause)
    }

    /// A key from all that is known before Python runs; `tools` are files of Pronghorn's own, relative to `toolFolder`.
    static func key(_ parts: [String], toolFolder: FilePath, tools: [FilePath]) throws(LoweringError) -> String {
        do {
            var parts = parts
            for tool in tools { parts.append(try Digest.sha256(file: toolFolder.pushing(tool))) }
            return String(Digest.sha256(parts.joined(separator: "\u{0}")).prefix(24))
        } catch {
            throw LoweringError(
                code: .cache, message: "Pronghorn's own Python files cannot be read: \(error.message)", cause: error)
        }
    }
}
