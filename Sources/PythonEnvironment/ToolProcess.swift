import FoundationEssentials
import Glibc
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

    var program: FilePath
    var arguments: [String]
    var environment: [String: String]

    /// What watches over a program that knows nothing of us, as the argument of `sh -c`.
    ///
    /// When the pipe that is its input closes, since nobody is left to hold the other end, its whole process group ends.
    private static let guardian = """
        exec 3<&0 </dev/null
        (read line <&3; kill -9 0) >/dev/null 2>&1 &
        watcher=$!
        "$@" 3<&-
        status=$?
        kill $watcher 2>/dev/null
        exit $status
        """

    /// Runs it so that it ends when this process does, however that ends; fails only if there is no such program.
    func runGuarded(_ onLine: @Sendable (String) -> Void = { _ in }) async throws -> Outcome {
        guard access(program.string, X_OK) == 0 else { throw Errno(rawValue: errno) }
        var isFolder = false
        if FileManager.default.fileExists(atPath: program.string, isDirectory: &isFolder), isFolder {
            throw Errno.isDirectory
        }
        let guarded = ["-c", Self.guardian, "pronghorn", program.string] + arguments
        let result = try await Subprocess.run(
            configuration(.path("/bin/sh"), guarded), input: .inputWriter, output: .sequence,
            error: .combinedWithOutput
        ) { execution in
            let tail = try await Self.listen(execution.standardOutput, onLine)
            execution.killGroup()
            return tail
        }
        return Outcome(succeeded: result.terminationStatus.isSuccess, tail: result.closureResult)
    }

    /// Runs it; fails only if it cannot be started.
    func run(_ onLine: @Sendable (String) -> Void = { _ in }) async throws -> Outcome {
        let result = try await Subprocess.run(
            configuration(.path(program), arguments), input: .none, output: .sequence, error: .combinedWithOutput
        ) { execution in
            try await Self.listen(execution.standardOutput, onLine)
        }
        return Outcome(succeeded: result.terminationStatus.isSuccess, tail: result.closureResult)
    }

    private func configuration(_ executable: Executable, _ arguments: [String]) -> Configuration {
        Configuration(
            executable: executable, arguments: Arguments(arguments),
            environment: .custom(
                Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0), $1) })),
            // A cancelled `pip` is asked to end before it is killed, so that it removes its temporary files.
            platformOptions: .ownGroup(patience: .seconds(3)))
    }

    private static func listen(
        _ output: SubprocessOutputSequence, _ onLine: @Sendable (String) -> Void
    ) async throws -> [String] {
        var tail: [String] = []
        for try await line in output.strings(bufferingPolicy: .unbounded) where !line.isEmpty {
            onLine(line)
            tail.append(line)
            if tail.count > 400 { tail.removeFirst(200) }
        }
        return tail
    }
}
