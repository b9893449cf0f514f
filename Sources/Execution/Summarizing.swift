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
        let program = PythonProgram(
            python.interpreter,
            [
                "-m", "pronghorn.summarize", self.folder.pushing(FilePath(function.file)).string, function.function,
                folder.path.string,
            ], environment: python.environment)
        let answer = try await program.run(text)
        let summary = answer.output
        guard answer.status.isSuccess else {
            let lines = answer.errors.suffix(6).joined(separator: " | ")
            report(.note("\(function.file):\(function.function) failed, so that there is no summary: \(lines)"))
            return nil
        }
        try AtomicFile.write(Array(summary.utf8), to: folder.summary, durable: true)
        return summary
    }
}
