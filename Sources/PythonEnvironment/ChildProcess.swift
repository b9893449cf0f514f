import Glibc
public import Subprocess
public import SystemPackage

extension PlatformOptions {
    /// For a child that leads a process group of its own: Ctrl-C is for this process alone, and whatever the child has
    /// started can be ended with it.
    ///
    /// - Parameter patience: how long it may take to end after SIGTERM, before its whole group is killed.
    public static func ownGroup(patience: Duration) -> PlatformOptions {
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [
            .gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: patience)
        ]
        return options
    }
}

extension Execution {
    /// Ends what the child, which has said all it will say, has started and left behind.
    ///
    /// To be called before `run` returns: until then nobody has waited for the child, so that its number, which is its
    /// group's too, can be no other's.
    public func killGroup() {
        kill(-processIdentifier.value, SIGKILL)
    }
}

/// A Python program that is given a text, answers with another, and ends.
public struct PythonProgram: Sendable {
    var interpreter: FilePath
    var arguments: [String]
    var environment: [String: String]

    public init(_ interpreter: FilePath, _ arguments: [String], environment: [String: String]) {
        self.interpreter = interpreter
        self.arguments = arguments
        self.environment = environment
    }

    /// How it ended and what it said.
    public struct Answer: Sendable {
        public var status: TerminationStatus
        public var output: String
        /// The last lines of its standard error.
        public var errors: [String]
    }

    /// Runs it to its end; fails only if it cannot be started.
    public func run(_ input: String) async throws -> Answer {
        let configuration = Configuration(
            executable: .path(interpreter), arguments: Arguments(arguments),
            environment: .custom(
                Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0), $1) })),
            platformOptions: .ownGroup(patience: .seconds(2)))
        let result = try await Subprocess.run(
            configuration, input: .string(input), output: .sequence, error: .sequence
        ) { execution in
            async let errors = Self.lines(execution.standardError, atMost: 200)
            let lines = try await Self.lines(execution.standardOutput, atMost: .max)
            let answer = (lines.joined(separator: "\n"), try await errors)
            execution.killGroup()
            return answer
        }
        return Answer(
            status: result.terminationStatus, output: result.closureResult.0, errors: result.closureResult.1)
    }

    private static func lines(_ output: SubprocessOutputSequence, atMost most: Int) async throws -> [String] {
        var lines: [String] = []
        for try await line in output.strings(
            separatedBy: .unicodeScalarSequence(["\n"]), bufferingPolicy: .unbounded)
        {
            lines.append(line)
            if lines.count > most { lines.removeFirst(most / 2) }
        }
        return lines
    }
}
