import Foundation
import Subprocess
import SystemPackage

/// The built program that these tests drive, and what it is driven with.
///
/// `PRONGHORN_TEST_BINARY` names the program, `PRONGHORN_TEST_PYTHON` an interpreter with Keras and JAX, and
/// `PRONGHORN_TEST_PLUGIN` the CPU plugin; `make test` sets all three, `PRONGHORN_TEST_TENSORFLOW_PYTHON` and
/// `PRONGHORN_TEST_DATA_PYTHON`.
enum Tool {
    static let binary = variable("PRONGHORN_TEST_BINARY")
    static let python = variable("PRONGHORN_TEST_PYTHON")
    static let plugin = variable("PRONGHORN_TEST_PLUGIN")
    /// An interpreter with Keras and TensorFlow; without one the tests that need it are shown as disabled.
    static let tensorFlow = variable("PRONGHORN_TEST_TENSORFLOW_PYTHON")
    /// An interpreter with pyarrow; without one the program makes an environment for the tests.
    static let dataPython = variable("PRONGHORN_TEST_DATA_PYTHON")

    /// Without all three there is nothing to test: the tests are then shown as disabled, with this reason.
    static let isThere = binary != nil && python != nil && plugin != nil
    static let needed = "needs PRONGHORN_TEST_BINARY, PRONGHORN_TEST_PYTHON and PRONGHORN_TEST_PLUGIN"

    /// One cache for all tests of the process, so that each program is lowered and compiled once.
    static let cache = temporaryFolder("cache")

    /// The folder of the Python files that belong to these tests.
    static let support = FilePath(URL(filePath: #filePath).deletingLastPathComponent().path).appending("Support")
    static let models = support.appending("models.py")
    static let regressions = support.appending("regressions.py")

    /// The variables that the program is given, and no others of this process's.
    static func environment(_ further: [String: String] = [:]) -> [Environment.Key: String] {
        var variables = ["PRONGHORN_CACHE": cache.string, "NO_COLOR": "1"]
        for name in ["PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH"] { variables[name] = variable(name) }
        variables["PRONGHORN_PYTHON"] = python
        variables["PRONGHORN_CPU_PLUGIN"] = plugin
        variables["PRONGHORN_TENSORFLOW_PYTHON"] = tensorFlow
        variables["PRONGHORN_DATA_PYTHON"] = dataPython
        // The tests' own packages hold what draws reports.
        variables["PRONGHORN_REPORT_PYTHON"] = python
        variables.merge(further) { $1 }
        return Dictionary(
            uniqueKeysWithValues: variables.map { (Environment.Key(stringLiteral: $0.key), $0.value) })
    }

    /// Runs a verb in a folder and waits for its end.
    static func run(
        _ arguments: [String], in folder: FilePath, variables: [String: String] = [:]
    ) async throws -> Outcome {
        try await run(FilePath(binary ?? ""), arguments, in: folder, environment: environment(variables))
    }

    /// Runs another program of this package in a folder, which finds the program under test.
    static func run(program: FilePath, _ arguments: [String], in folder: FilePath) async throws -> Outcome {
        try await run(program, arguments, in: folder, environment: environment())
    }

    /// Runs one of the Python programs of `Support`, and decodes the object that it prints last.
    static func python<Answer: Decodable>(
        _ program: String, _ arguments: [String], in folder: FilePath, as type: Answer.Type
    ) async throws -> Answer {
        let outcome = try await run(
            FilePath(python ?? ""), [support.appending(program).string] + arguments, in: folder,
            environment: environment(["JAX_PLATFORMS": "cpu"]))
        guard outcome.status == 0, let line = outcome.output.split(separator: "\n").last else {
            throw Failed(outcome: outcome)
        }
        return try JSONDecoder().decode(type, from: Data(line.utf8))
    }

    /// Has a runner of the CPU work on one unit, as a person would who looks for a fault: its input stays open until it is done.
    static func runner(on unit: FilePath, in folder: FilePath) async throws {
        let script = """
            events=$1/events.ndjson
            { echo "$1"; until grep -qsE '"(finished|failed)":' "$events"; do sleep 0.1; done; } |
                timeout 300 "$2" runner --plugin "$3"
            """
        let outcome = try await run(
            "/bin/sh", ["-c", script, "sh", unit.string, binary ?? "", plugin ?? ""], in: folder,
            environment: environment())
        guard outcome.status == 0 else { throw Failed(outcome: outcome) }
    }

    private static func run(
        _ program: FilePath, _ arguments: [String], in folder: FilePath, environment: [Environment.Key: String]
    ) async throws -> Outcome {
        let result = try await Subprocess.run(
            .path(program), arguments: Arguments(arguments), environment: .custom(environment),
            workingDirectory: folder, output: .string(limit: 64 << 20), error: .string(limit: 16 << 20))
        return Outcome(result.terminationStatus, result.standardOutput, result.standardError)
    }

    /// Runs a verb in a folder and hands over each line of its output as it comes, with the process's number.
    static func follow(
        _ arguments: [String], in folder: FilePath, variables: [String: String] = [:],
        _ body: (String, Int32) async throws -> Void
    ) async throws -> Outcome {
        var lines: [String] = []
        let result = try await Subprocess.run(
            .path(FilePath(binary ?? "")), arguments: Arguments(arguments),
            environment: .custom(environment(variables)),
            workingDirectory: folder, input: .none, output: .sequence, error: .combinedWithOutput
        ) { execution in
            for try await line in execution.standardOutput.strings() {
                lines.append(line)
                try await body(line, execution.processIdentifier.value)
            }
        }
        return Outcome(result.terminationStatus, lines.joined(separator: "\n"), "")
    }

    /// Runs a verb in a folder and looks at its process, by its number, again and again until it ends.
    static func follow(
        _ arguments: [String], in folder: FilePath, variables: [String: String],
        looking look: @escaping @Sendable (Int32) -> Void
    ) async throws -> Outcome {
        let result = try await Subprocess.run(
            .path(FilePath(binary ?? "")), arguments: Arguments(arguments),
            environment: .custom(environment(variables)),
            workingDirectory: folder, input: .none, output: .sequence, error: .combinedWithOutput
        ) { execution in
            let process = execution.processIdentifier.value
            let watch = Task {
                while !Task.isCancelled {
                    look(process)
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            defer { watch.cancel() }
            var lines: [String] = []
            for try await line in execution.standardOutput.strings() { lines.append(line) }
            return lines
        }
        return Outcome(result.terminationStatus, result.closureResult.joined(separator: "\n"), "")
    }

    /// A program that ended otherwise than the test needs.
    struct Failed: Error, CustomStringConvertible {
        var outcome: Outcome
        var description: String { "status \(outcome.status)\n\(outcome.output)\n\(outcome.errors)" }
    }

    static func variable(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    static func temporaryFolder(_ name: String) -> FilePath {
        let folder = FileManager.default.temporaryDirectory.appending(path: "pronghorn-\(name)-\(UUID().uuidString)")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return FilePath(folder.path)
    }
}

/// How a program ended and what it wrote.
struct Outcome: Sendable, CustomStringConvertible {
    /// The exit status; the negative number of the signal that ended it.
    var status: Int
    var output: String
    var errors: String

    init(_ status: TerminationStatus, _ output: String, _ errors: String) {
        switch status {
        case .exited(let code): self.status = Int(code)
        case .signaled(let signal): self.status = -Int(signal)
        }
        self.output = output
        self.errors = errors
    }

    /// Decodes what was written to standard output.
    func json<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(output.utf8))
    }

    var description: String { "status \(status)\n\(output)\n\(errors)" }
}
