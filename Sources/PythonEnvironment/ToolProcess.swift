import Subprocess
import SystemPackage

/// A program that is run to its end while its lines are looked at.
struct ToolProcess {
    /// How it ended.
    struct Outcome: Sendable {
        var succeeded: Bool
        /// The last lines of what it printed, standard error among them.
        var tail: [String]
        /// The tail as it goes into an error's message.
        var report: String { tail.suffix(12).map { "  | \($0)" }.joined(separator: "\n") }
    }

    var executable: Executable
    var arguments: [String]
    var environment: [String: String]

    /// Runs it; fails only if it cannot be started.
    func run(_ onLine: @Sendable (String) -> Void = { _ in }) async throws -> Outcome {
        let configuration = Configuration(
            executable: executable, arguments: Arguments(arguments),
            environment: .custom(
                Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0), $1) })),
            platformOptions: Self.options)
        let result = try await Subprocess.run(
            configuration, input: .none, output: .sequence, error: .combinedWithOutput
        ) { execution in
            var tail: [String] = []
            for try await line in execution.standardOutput.strings(bufferingPolicy: .unbounded) where !line.isEmpty {
                onLine(line)
                tail.append(line)
                if tail.count > 400 { tail.removeFirst(200) }
            }
            return tail
        }
        return Outcome(succeeded: result.terminationStatus.isSuccess, tail: result.closureResult)
    }

    /// A cancelled `pip` is asked to end before it is killed, so that it removes its temporary files.
    private static var options: PlatformOptions {
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(3))]
        return options
    }
}
