import Files
import FoundationEssentials
import Subprocess
import Synchronization
import SystemPackage

/// Makes one environment in one folder, with `uv` if there is one, else with `venv` and `pip`.
struct EnvironmentMaker {
    var surroundings: Surroundings
    /// Where it is to be; nothing is there yet.
    var folder: FilePath
    /// The lines of its requirements.
    var requirements: [String]
    /// Where each plugin that it must hold lies in its folder of packages, with the digest that it must have, if one is known.
    var plugins: [String: String?]
    /// What must be importable once it is made.
    var modules = ["keras", "jax"]
    /// The environment of the process that imports it.
    var checking: [String: String]
    var progress: @Sendable (String) -> Void

    /// What the oldest Python that the pinned packages support is.
    private static let oldest = (3, 11)

    private var variables: [String: String] { ChildEnvironment.installing(surroundings.environment) }
    private var interpreter: FilePath { folder.appending("bin/python") }

    /// Makes it, and leaves the marker that says that it is whole.
    func make() async throws(PythonEnvironmentError) -> EnvironmentMarker {
        let uv = await surroundings.program("uv")
        progress("making a Python environment at \(folder) with \(uv == nil ? "venv and pip" : "uv") (once)")
        if let uv {
            try await step("uv venv", uv, ["venv", "--python", ">=\(Self.oldest.0).\(Self.oldest.1)", folder.string])
        } else {
            let python = try await basePython()
            try await step("making the environment", python, ["-m", "venv", folder.string])
        }
        let list = folder.appending("requirements.txt")
        do {
            try AtomicFile.write(Array((requirements.joined(separator: "\n") + "\n").utf8), to: list)
        } catch {
            throw PythonEnvironmentError(code: .cache, message: error.message, cause: error)
        }
        if let uv {
            try await step(
                "installing the packages", uv,
                ["pip", "install", "--python", interpreter.string, "--requirements", list.string])
        } else {
            try await step(
                "installing the packages", interpreter, ["-m", "pip", "install", "--requirement", list.string])
        }
        return try await finish(installer: uv == nil ? "pip" : "uv")
    }

    /// Checks what was made and writes the marker, last.
    private func finish(installer: String) async throws(PythonEnvironmentError) -> EnvironmentMarker {
        progress("checking the Python environment")
        let facts: InterpreterFacts
        do {
            facts = try await InterpreterFacts.ask(interpreter, environment: checking, modules: modules)
            try facts.check(interpreter)
        } catch {
            // Nobody named this one: it is what was installed that does not work.
            throw PythonEnvironmentError(code: .installFailed, message: error.message, cause: error)
        }
        var found: [String: EnvironmentMarker.Plugin] = [:]
        for (file, expected) in plugins {
            let path = FilePath(facts.site).appending(file)
            let digest = try surroundings.digest(of: path, expected: expected)
            let size = (try? FileStamp(of: path).size) ?? 0
            found[file] = EnvironmentMarker.Plugin(sha256: digest, size: size)
        }
        let marker = EnvironmentMarker(
            python: facts.python, site: facts.site, plugins: found, requirements: requirements, installer: installer)
        try marker.write(in: folder)
        let main = facts.versions["keras"].map { "Keras \($0)" } ?? facts.versions["pyarrow"].map { "pyarrow \($0)" }
        progress("the Python environment is ready (Python \(facts.python), \(main ?? "no packages"))")
        return marker
    }

    private func step(
        _ what: String, _ program: FilePath, _ arguments: [String]
    ) async throws(PythonEnvironmentError) {
        let lines = Mutex(InstallProgress(expected: requirements.count))
        let outcome: ToolProcess.Outcome
        do {
            outcome = try await ToolProcess(
                program: program, arguments: arguments, environment: variables
            ).runGuarded { line in
                if let message = lines.withLock({ $0.message(for: line) }) { progress(message) }
            }
        } catch {
            throw PythonEnvironmentError(
                code: .installFailed, message: "\(what) failed: \(program) cannot be run", cause: error)
        }
        guard outcome.succeeded else { throw InstallFailure.error(what, outcome) }
    }

    /// A Python on `PATH` that is new enough and can make environments.
    private func basePython() async throws(PythonEnvironmentError) -> FilePath {
        let program =
            "import importlib.util as u, sys; "
            + "print(*sys.version_info[:2], int(bool(u.find_spec('venv') and u.find_spec('ensurepip'))))"
        var seen: [String] = []
        var withoutVenv: FilePath?
        for name in ["python3", "python3.13", "python3.12", "python3.14", "python3.11", "python"] {
            guard let python = await surroundings.program(name),
                let answer = try? await ToolProcess(
                    program: python, arguments: ["-c", program], environment: variables
                ).run(),
                let numbers = answer.tail.last?.split(separator: " ").compactMap({ Int($0) }), numbers.count == 3
            else { continue }
            guard (numbers[0], numbers[1]) >= Self.oldest else {
                seen.append("\(python) is Python \(numbers[0]).\(numbers[1])")
                continue
            }
            if numbers[2] == 1 { return python }
            withoutVenv = withoutVenv ?? python
        }
        if let withoutVenv {
            throw PythonEnvironmentError(
                code: .noVenv,
                message: "\(withoutVenv) cannot make environments, as its modules venv and ensurepip are missing; "
                    + "install them (Debian, Ubuntu: apt install python3-venv), or install uv, or set PRONGHORN_PYTHON "
                    + "to an interpreter that has keras, jax and xla-cpu-pjrt installed")
        }
        let found = seen.isEmpty ? "there is no python3 on PATH" : seen.joined(separator: ", ")
        throw PythonEnvironmentError(
            code: .noPython,
            message: "Keras needs Python \(Self.oldest.0).\(Self.oldest.1) or later, but \(found); install one, or uv "
                + "(which brings its own), or set PRONGHORN_PYTHON to an interpreter")
    }
}
