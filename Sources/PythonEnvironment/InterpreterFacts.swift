import FoundationEssentials
import Subprocess
import SystemPackage

/// What an interpreter says about itself.
struct InterpreterFacts: Codable, Sendable, Hashable {
    /// The version of Python.
    var python: String
    /// The interpreter's own file, whatever script or link led to it.
    var executable: String
    /// The folder that packages are installed to.
    var site: String
    /// Every folder of packages that it looks in.
    var sites: [String]
    /// The versions of the packages that are needed, as imported.
    var versions: [String: String]
    /// Why packages that are needed could not be imported.
    var problems: [String: String]
    /// Every package that is installed, as `name==version`.
    var distributions: [String]
    /// Where the plugins lie, by their path within a folder of packages.
    var plugins: [String: String]
    /// The digests of the plugins' files, by the same; the interpreter does not know them.
    var digests: [String: String]?

    /// The program that prints the facts as the last line of its output.
    private static let program = """
        import importlib.metadata, json, os, sys, sysconfig
        versions, problems, plugins = {}, {}, {}
        modules, files = sys.argv[1].split(","), sys.argv[2:]
        for name in modules:
            try:
                versions[name] = str(__import__(name).__version__)
            except BaseException as error:
                problems[name] = "%s: %s" % (type(error).__name__, error)
        sites = [path for path in sys.path if path.rstrip("/").endswith(("site-packages", "dist-packages"))]
        for file in files:
            for path in sites:
                if file not in plugins and os.path.isfile(os.path.join(path, file)):
                    plugins[file] = os.path.join(path, file)
        installed = {"%s==%s" % (d.metadata["Name"], d.version) for d in importlib.metadata.distributions()}
        print()
        print("FACTS " + json.dumps({
            "python": "%d.%d.%d" % sys.version_info[:3], "executable": sys.executable,
            "site": sysconfig.get_path("purelib"), "sites": sites, "versions": versions, "problems": problems,
            "distributions": sorted(installed), "plugins": plugins}))
        """

    /// Asks an interpreter, which imports Keras and what it computes with to answer.
    static func ask(
        _ interpreter: FilePath, environment: [String: String], modules: [String] = ["keras", "jax"]
    ) async throws(PythonEnvironmentError) -> InterpreterFacts {
        let files = [PluginDigests.cpuFile] + CUDAPlugin.allCases.map(\.file)
        let outcome: ToolProcess.Outcome
        do {
            outcome = try await ToolProcess(
                program: interpreter, arguments: ["-c", program, modules.joined(separator: ",")] + files,
                environment: environment
            ).runGuarded()
        } catch {
            throw PythonEnvironmentError(
                code: .badInterpreter,
                message:
                    "the Python interpreter \(interpreter) cannot be started; name one that is there and may be run",
                cause: error)
        }
        guard outcome.succeeded, let line = outcome.tail.last(where: { $0.hasPrefix("FACTS ") }),
            let facts = try? JSONDecoder().decode(InterpreterFacts.self, from: Data(line.dropFirst(6).utf8))
        else {
            throw PythonEnvironmentError(
                code: .badInterpreter,
                message: "\(interpreter) does not work as a Python interpreter; it said:\n\(outcome.report)")
        }
        return facts
    }

    /// Throws unless all that was asked for could be imported and Python is new enough.
    func check(_ interpreter: FilePath) throws(PythonEnvironmentError) {
        guard problems.isEmpty else {
            let list = problems.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }.joined(separator: "\n")
            throw PythonEnvironmentError(
                code: .missingPackages,
                message:
                    "the Python interpreter \(interpreter) (\(python)) cannot import what Pronghorn needs:\n\(list)\n"
                    + "install it there (\(interpreter) -m pip install "
                    + "\(problems.keys.sorted().joined(separator: " "))), or name no interpreter, so that Pronghorn makes "
                    + "an environment of its own")
        }
        if let keras = versions["keras"], (Int(keras.prefix(while: \.isNumber)) ?? 0) < 3 {
            throw PythonEnvironmentError(
                code: .missingPackages,
                message: "the Python interpreter \(interpreter) has keras \(keras); Pronghorn needs Keras 3: "
                    + "\(interpreter) -m pip install --upgrade keras")
        }
    }
}
