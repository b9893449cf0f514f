import Files
import FoundationEssentials
import Subprocess
import SystemPackage

/// What surrounds the making of an environment: a test makes one of its own.
struct Surroundings: Sendable {
    /// The variables that this process inherited.
    var environment: [String: String]
    /// The folder of the environments.
    var folder: FilePath
    /// The folder of Python files that ships with Pronghorn.
    var toolFolder: FilePath
    /// The digests that plugins must have.
    var digests: PluginDigests

    /// This process's own.
    static func current() throws(PythonEnvironmentError) -> Surroundings {
        Surroundings(
            environment: ProcessInfo.processInfo.environment, folder: CacheFolder.path("python"),
            toolFolder: try ToolFolder.find(), digests: .pinned)
    }

    /// A variable that is set and not empty.
    func variable(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The program that `PATH` leads to, if any.
    func program(_ name: String) async -> FilePath? {
        try? await Executable.name(name).resolveExecutablePath(
            in: .custom(["PATH": environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"]))
    }

    /// The pinned requirements that ship with Pronghorn, without comments.
    func pinnedRequirements(
        _ name: FilePath.Component = "requirements.txt"
    ) throws(PythonEnvironmentError) -> [String] {
        let file = toolFolder.appending(name)
        guard let data = FileManager.default.contents(atPath: file.string) else {
            throw PythonEnvironmentError(
                code: .noToolFolder, message: "cannot read \(file), which says what Pronghorn's Python needs")
        }
        return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { $0.split(separator: " #").first.map(String.init) ?? "" }
            .filter { !$0.isEmpty && !$0.hasPrefix("#") }
    }

    /// The digest of a plugin's file, which must be the expected one where one is expected.
    func digest(of path: FilePath, expected: String?) throws(PythonEnvironmentError) -> String {
        let digest: String
        do {
            digest = try Digest.sha256(file: path)
        } catch {
            throw PythonEnvironmentError(
                code: .badPlugin, message: "cannot read the plugin: \(error.message)", cause: error)
        }
        if let expected, expected != digest {
            throw PythonEnvironmentError(
                code: .badPlugin,
                message: "the plugin \(path) is not the one that Pronghorn was made for: its SHA-256 is \(digest), "
                    + "expected was \(expected); the package may be damaged or another version: remove the folder that "
                    + "it lies in, or name the plugin yourself (PRONGHORN_CPU_PLUGIN, PRONGHORN_CUDA_PLUGIN)")
        }
        return digest
    }
}
