import Glibc
import PythonEnvironment
import Subprocess
import SystemPackage

/// The one Python process that a run may start: it takes requests until it is closed.
actor LoweringProcess {
    private struct Pending {
        var end: CheckedContinuation<Result<Void, LoweringError>, Never>
        var progress: @Sendable (String) -> Void
    }

    private let requests: AsyncStream<String>.Continuation
    private var life: Task<Void, Never>?
    private var pending: [Int: Pending] = [:]
    private var lastNumber = 0
    /// The last lines of its standard error.
    private var lastWords: [String] = []
    /// Why it ended, once it has.
    private var end: LoweringError?

    /// Starts the process; that it cannot be started shows when something is asked of it.
    init(python: Python) async {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        requests = continuation
        life = Task { await Self.live(python, stream, self) }
    }

    /// Sends a request and waits for its end.
    func ask(
        _ fields: [String: JSONValue], progress: @escaping @Sendable (String) -> Void
    ) async throws(LoweringError) {
        lastNumber += 1
        let number = lastNumber
        var fields = fields
        fields["id"] = .int(number)
        let line = JSONValue.object(fields).text + "\n"
        let result: Result<Void, LoweringError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if let end {
                    continuation.resume(returning: .failure(end))
                } else {
                    pending[number] = Pending(end: continuation, progress: progress)
                    requests.yield(line)
                }
            }
        } onCancel: {
            // There is no way to stop a trace in Python but to end the process.
            Task { await self.kill() }
        }
        if Task.isCancelled { throw LoweringError(code: .cancelled, message: "lowering was given up") }
        try result.get()
    }

    /// Closes its input, so that it ends, and waits until it has.
    func close() async {
        requests.finish()
        await life?.value
    }

    private func kill() {
        life?.cancel()
    }

    private func received(_ line: String) {
        guard let answer = Answer(line: line), let number = answer.id, let request = pending[number] else {
            note(line)
            return
        }
        switch answer.event {
        case .progress:
            if let message = answer.message { request.progress(message) }
        case .done:
            pending[number] = nil
            request.end.resume(returning: .success(()))
        case .failed:
            pending[number] = nil
            request.end.resume(returning: .failure(answer.error))
        }
    }

    private func note(_ line: String) {
        lastWords.append(line)
        if lastWords.count > 200 { lastWords.removeFirst(100) }
    }

    private func ended(_ how: String, cause: (any Error)?) {
        let words = lastWords.suffix(20)
        let report = words.isEmpty ? "" : "; it said:\n" + words.map { "  | \($0)" }.joined(separator: "\n")
        let error = LoweringError(
            code: .processEnded, message: "the Python process that lowers models \(how)\(report)",
            detail: lastWords.joined(separator: "\n"), cause: cause)
        end = error
        for request in pending.values { request.end.resume(returning: .failure(error)) }
        pending = [:]
    }

    // MARK: The process's life

    /// How long it may take to end after its input was closed.
    private static let patience = Duration.seconds(5)

    /// A write to a process that has died must fail, and not end this process.
    private static let pipesFail: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

    private static func live(_ python: Python, _ requests: AsyncStream<String>, _ process: LoweringProcess) async {
        _ = pipesFail
        let configuration = Configuration(
            executable: .path(python.interpreter), arguments: ["-m", "pronghorn.lowering"],
            environment: .custom(
                Dictionary(uniqueKeysWithValues: python.environment.map { (Environment.Key(stringLiteral: $0), $1) })),
            platformOptions: .ownGroup(patience: .seconds(2)))
        do {
            let result = try await run(configuration, input: .inputWriter, output: .sequence, error: .sequence) {
                execution in
                try await converse(execution, requests, process)
                execution.killGroup()
            }
            switch result.terminationStatus {
            case .exited(0): await process.ended("ended without an answer", cause: nil)
            case .exited(let code): await process.ended("ended with status \(code)", cause: nil)
            case .signaled(9):
                await process.ended("was killed (signal 9), as the system does when memory runs out", cause: nil)
            case .signaled(let signal): await process.ended("was ended by signal \(signal)", cause: nil)
            }
        } catch {
            await process.ended("could not be run: \(error)", cause: error)
        }
    }

    private static func converse(
        _ execution: Execution<CustomWriteInput, SequenceOutput, SequenceOutput>, _ requests: AsyncStream<String>,
        _ process: LoweringProcess
    ) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                // U+2028 and the like may stand in a line, so that only a line feed ends it.
                for try await line in execution.standardOutput.strings(
                    separatedBy: .unicodeScalarSequence(["\n"]), bufferingPolicy: .unbounded)
                {
                    await process.received(line)
                }
                return true
            }
            group.addTask {
                for try await line in execution.standardError.strings(bufferingPolicy: .unbounded) {
                    await process.note(line)
                }
                return true
            }
            group.addTask {
                for await line in requests {
                    // A write fails when the process has ended, which its status tells better.
                    guard (try? await execution.standardInputWriter.write(line)) != nil else { break }
                }
                try? await execution.standardInputWriter.finish()
                try await Task.sleep(for: patience)
                await execution.teardown(
                    using: [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .seconds(2))])
                return false
            }
            // Both outputs end with the process; then nothing is left to be written.
            var ended = 0
            while ended < 2, let isOutput = try await group.next() { ended += isOutput ? 1 : 0 }
            group.cancelAll()
        }
    }
}
