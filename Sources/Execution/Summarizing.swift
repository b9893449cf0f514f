import Experiments
import Files
import FoundationEssentials
import Ledger
import PythonEnvironment
import Subprocess
import SystemPackage

extension Preparation {
    /// Calls the user's `summarize` function on the results, in Python, and keeps what it returns as `summary.json`.
    ///
    /// The trained trials stand whatever the function does: when it raises, that is told and nothing is lost.
    func summarize(
        _ folder: RunFolder, _ ledger: Ledger, report: @Sendable (RunEvent) -> Void
    ) async throws -> String? {
        guard let function = experiment.summarize else { return nil }
        report(.preparing("calling \(function.file):\(function.function)"))
        var text = ""
        try ledger.writeJSON(to: { text += $0 })
        let configuration = Configuration(
            executable: .path(python.interpreter),
            arguments: [
                "-m", "pronghorn.summarize", self.folder.pushing(FilePath(function.file)).string, function.function,
                folder.path.string,
            ],
            environment: .custom(
                Dictionary(
                    uniqueKeysWithValues: python.environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) })
            ))
        let results = text
        let answer = try await Subprocess.run(
            configuration, input: .string(results), output: .string(limit: 64 << 20), error: .string(limit: 1 << 20))
        let summary = answer.standardOutput
        guard answer.terminationStatus.isSuccess else {
            let lines = answer.standardError.split(separator: "\n").suffix(6).joined(separator: " | ")
            report(.note("\(function.file):\(function.function) failed, so that there is no summary: \(lines)"))
            return nil
        }
        try AtomicFile.write(Array(summary.utf8), to: folder.summary, durable: true)
        return summary
    }
}
