import Files
import FoundationEssentials
public import SystemPackage

/// The Python that describes models: Pronghorn's own, made on first use, or one that the user names.
public enum ManagedPython {
    /// Finds or makes the Python for an experiment.
    ///
    /// Without an interpreter (and without `PRONGHORN_PYTHON`) it is an environment in the cache, named by its requirements
    /// and made if it is not there; a second process that needs the same one waits. An interpreter of the user's is used as it
    /// is, after a check that it imports Keras and JAX; plugins that it lacks come from an environment of Pronghorn's own.
    /// When all is there, no process is started. `PRONGHORN_CPU_PLUGIN` and `PRONGHORN_CUDA_PLUGIN` name other plugins.
    ///
    /// - Parameters:
    ///   - requirements: What is needed besides Pronghorn's own packages.
    ///   - interpreter: The user's interpreter: its file, the folder of its virtual environment, or its name on `PATH`.
    ///   - progress: Is told what is done and how far it is, a line a call.
    public static func prepare(
        requirements: Requirements, interpreter: FilePath?, progress: @Sendable @escaping (String) -> Void
    ) async throws(PythonEnvironmentError) -> Python {
        try await prepare(
            requirements: requirements, interpreter: interpreter, progress: progress, surroundings: .current())
    }

    /// Finds the Python for an experiment as it is now, and makes nothing.
    ///
    /// - Throws: `notMade` when there would be an environment to make first.
    public static func find(
        requirements: Requirements, interpreter: FilePath?
    ) async throws(PythonEnvironmentError) -> Python {
        try await prepare(
            requirements: requirements, interpreter: interpreter, progress: { _ in }, surroundings: .current(),
            makes: false)
    }

    static func prepare(
        requirements: Requirements, interpreter: FilePath?, progress: @Sendable @escaping (String) -> Void,
        surroundings: Surroundings, makes: Bool = true
    ) async throws(PythonEnvironmentError) -> Python {
        let making = Making(surroundings: surroundings, makes: makes, progress: progress)
        if let named = interpreter ?? surroundings.variable("PRONGHORN_PYTHON").map({ FilePath($0) }) {
            return try await making.named(named, requirements)
        }
        return try await making.managed(requirements)
    }
}

/// One call of ``ManagedPython/prepare(requirements:interpreter:progress:)``.
struct Making {
    var surroundings: Surroundings
    /// Whether an environment that is not there is made.
    var makes: Bool
    var progress: @Sendable (String) -> Void

    // MARK: An environment of Pronghorn's own

    func managed(_ requirements: Requirements) async throws(PythonEnvironmentError) -> Python {
        let pinned = try surroundings.pinnedRequirements()
        var lines = pinned + Set(requirements.further).subtracting(pinned).sorted()
        var plugins: [String: String?] = [PluginDigests.cpuFile: surroundings.digests.cpu]
        var cuda: CUDAPlugin?
        if let driver = requirements.driver, surroundings.variable("PRONGHORN_CUDA_PLUGIN") == nil {
            let plugin = try CUDAPlugin(driver: driver)
            guard let jax = pinned.first(where: { $0.hasPrefix("jax==") })?.dropFirst("jax==".count) else {
                throw PythonEnvironmentError(
                    code: .noToolFolder,
                    message: "\(surroundings.toolFolder.appending("requirements.txt")) does not pin jax")
            }
            lines.append(plugin.requirement(jax: String(jax)))
            plugins.updateValue(
                surroundings.digests.jax == jax ? surroundings.digests.cuda[plugin] : nil, forKey: plugin.file)
            cuda = plugin
        }
        let key = String(Digest.sha256(lines.joined(separator: "\n")).prefix(16))
        let folder = surroundings.folder.appending(key)
        let checking = ChildEnvironment.lowering(surroundings.environment, toolFolder: surroundings.toolFolder)
        let marker = try await marker(at: folder, lines, plugins, checking: checking)

        let site = FilePath(marker.site)
        func plugin(_ file: String) throws(PythonEnvironmentError) -> PluginFile {
            guard let found = marker.plugins[file] else {
                throw PythonEnvironmentError(
                    code: .badPlugin, message: "the Python environment at \(folder) does not hold the plugin \(file)")
            }
            return PluginFile(path: site.appending(file), sha256: found.sha256)
        }
        let cpuFile: PluginFile
        if let own = try override("PRONGHORN_CPU_PLUGIN", true) {
            cpuFile = own
        } else {
            cpuFile = try plugin(PluginDigests.cpuFile)
        }
        var cudaFile = try override("PRONGHORN_CUDA_PLUGIN", requirements.driver != nil)
        if let cuda { cudaFile = try plugin(cuda.file) }
        return Python(
            interpreter: folder.appending("bin/python"), key: key, version: marker.python, sitePackages: site,
            toolFolder: surroundings.toolFolder, plugin: cpuFile, cudaPlugin: cudaFile,
            cudaDataFolder: cuda.map { site.appending($0.dataFolder) }, environment: checking)
    }

    /// The marker of the environment, which is made if it is not there or not whole.
    func marker(
        at folder: FilePath, _ lines: [String], _ plugins: [String: String?], modules: [String] = ["keras", "jax"],
        checking: [String: String]
    ) async throws(PythonEnvironmentError) -> EnvironmentMarker {
        if let marker = EnvironmentMarker.read(in: folder) { return marker }
        guard makes else {
            throw PythonEnvironmentError(
                code: .notMade,
                message: "the Python environment \(folder) has not been made yet; training makes it, or "
                    + "`pronghorn doctor --prepare` does now")
        }
        let lock = try await lock(FilePath(folder.string + ".lock"))
        defer { extendLifetime(lock) }
        // Another process may have made it while this one waited.
        if let marker = EnvironmentMarker.read(in: folder) { return marker }
        try setAside(folder)
        do throws(PythonEnvironmentError) {
            return try await EnvironmentMaker(
                surroundings: surroundings, folder: folder, requirements: lines, plugins: plugins,
                modules: modules, checking: checking, progress: progress
            ).make()
        } catch {
            // It is known here what made the folder and that nothing in it is of use.
            try? FileManager.default.removeItem(atPath: folder.string)
            throw error
        }
    }

    /// Renames what a process that was killed (or an upgrade of Python) left in the folder's place.
    private func setAside(_ folder: FilePath) throws(PythonEnvironmentError) {
        guard FileManager.default.fileExists(atPath: folder.string) else { return }
        var number = 1
        while FileManager.default.fileExists(atPath: "\(folder).set-aside-\(number)") { number += 1 }
        do {
            try FileManager.default.moveItem(atPath: folder.string, toPath: "\(folder).set-aside-\(number)")
        } catch {
            throw PythonEnvironmentError(
                code: .cache, message: "cannot rename the half-made Python environment \(folder): \(error)",
                cause: error)
        }
        progress(
            "a Python environment at \(folder) is not whole; it was renamed to \(folder).set-aside-\(number), "
                + "which can be removed")
    }

    private func lock(_ path: FilePath) async throws(PythonEnvironmentError) -> FileLock {
        do {
            try Folder.create(surroundings.folder)
            return try await PatientLock.take(path) {
                progress("another process is making the same Python environment; waiting for it")
            }
        } catch let error as FilesError {
            throw PythonEnvironmentError(code: .cache, message: error.message, cause: error)
        } catch {
            throw PythonEnvironmentError(
                code: .cache, message: "waiting for another process's Python environment was given up", cause: error)
        }
    }

    // MARK: An interpreter of the user's

    func named(_ name: FilePath, _ requirements: Requirements) async throws(PythonEnvironmentError) -> Python {
        let interpreter = try await resolve(name)
        let variables = ChildEnvironment.lowering(surroundings.environment, toolFolder: surroundings.toolFolder)
        let memory = InterpreterMemory(folder: surroundings.folder.appending("interpreters"))
        let facts: InterpreterFacts
        if let remembered = memory.recall(interpreter) {
            facts = remembered
        } else {
            progress("checking the Python interpreter \(interpreter)")
            var asked = try await InterpreterFacts.ask(interpreter, environment: variables)
            try asked.check(interpreter)
            asked.digests = [:]
            for (file, path) in asked.plugins { asked.digests?[file] = try? Digest.sha256(file: FilePath(path)) }
            memory.remember(interpreter, asked)
            facts = asked
        }
        if !requirements.further.isEmpty {
            progress(
                "\(interpreter) is used as it is: \(requirements.further.joined(separator: ", ")) must be there already"
            )
        }

        var cpu = try override("PRONGHORN_CPU_PLUGIN", true)
        if cpu == nil, let found = plugin(PluginDigests.cpuFile, facts) {
            if found.sha256 == surroundings.digests.cpu ?? found.sha256 {
                cpu = found
            } else {
                progress("\(found.path) is not the version of the plugin that Pronghorn was made for")
            }
        }
        var cuda = try override("PRONGHORN_CUDA_PLUGIN", requirements.driver != nil)
        var data: FilePath?
        if cuda == nil, let driver = requirements.driver,
            let kind = CUDAPlugin.allCases.first(where: { $0.fits(driver: driver) && facts.plugins[$0.file] != nil })
        {
            cuda = plugin(kind.file, facts)
            data = FilePath(facts.site).appending(kind.dataFolder)
        }
        if cpu == nil || (cuda == nil && requirements.driver != nil) {
            progress("\(interpreter) lacks the plugins that train; taking them from an environment of Pronghorn's own")
            let managed = try await managed(Requirements(accelerators: cuda == nil ? requirements.accelerators : []))
            cpu = cpu ?? managed.plugin
            if cuda == nil { (cuda, data) = (managed.cudaPlugin, managed.cudaDataFolder) }
        }
        guard let cpu else {
            throw PythonEnvironmentError(code: .badPlugin, message: "there is no plugin for the CPU")
        }
        let key = Digest.sha256(([facts.executable, facts.python] + facts.distributions).joined(separator: "\n"))
        return Python(
            interpreter: interpreter, key: String(key.prefix(16)), version: facts.python,
            sitePackages: FilePath(facts.site), toolFolder: surroundings.toolFolder, plugin: cpu, cudaPlugin: cuda,
            cudaDataFolder: data, environment: variables)
    }

    func resolve(_ name: FilePath) async throws(PythonEnvironmentError) -> FilePath {
        if name.components.count == 1, name.isRelative, let found = await surroundings.program(name.string) {
            return found
        }
        for candidate in [name, name.appending("bin/python")] {
            var isFolder: Bool = false
            let path = candidate.string
            if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder,
                FileManager.default.isExecutableFile(atPath: path)
            {
                return candidate
            }
        }
        throw PythonEnvironmentError(
            code: .badInterpreter,
            message: "there is no Python interpreter at \(name); name the interpreter's file, or the folder of its "
                + "virtual environment, or nothing, so that Pronghorn makes an environment of its own")
    }

    private func plugin(_ file: String, _ facts: InterpreterFacts) -> PluginFile? {
        guard let path = facts.plugins[file], let digest = facts.digests?[file] else { return nil }
        return PluginFile(path: FilePath(path), sha256: digest)
    }

    /// The plugin that a variable names, whose digest is taken as it is: the user vouches for it.
    private func override(_ name: String, _ isNeeded: Bool) throws(PythonEnvironmentError) -> PluginFile? {
        guard isNeeded, let path = surroundings.variable(name) else { return nil }
        do {
            return PluginFile(path: FilePath(path), sha256: try surroundings.digest(of: FilePath(path), expected: nil))
        } catch {
            throw PythonEnvironmentError(code: .noPlugin, message: "\(name): \(error.message)", cause: error)
        }
    }
}

extension Requirements {
    /// The version of the NVIDIA driver, if there is a GPU to train on.
    var driver: String? {
        for case .cuda(let driver) in accelerators { return driver }
        return nil
    }
}
