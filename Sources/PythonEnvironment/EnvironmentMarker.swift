import Files
import FoundationEssentials
import SystemPackage

/// The file `complete.json`, written last, that says that an environment is whole.
struct EnvironmentMarker: Codable, Sendable {
    static let currentVersion = 1

    var version = EnvironmentMarker.currentVersion
    /// The version of Python.
    var python: String
    /// The folder of packages.
    var site: String
    /// The plugins, by their path in the folder of packages.
    var plugins: [String: Plugin]
    var requirements: [String]
    var installer: String

    struct Plugin: Codable, Sendable {
        var sha256: String
        var size: Int64
    }

    private static let name = "complete.json"

    /// The marker of a folder whose environment is whole and can still be used.
    static func read(in folder: FilePath) -> EnvironmentMarker? {
        guard let data = FileManager.default.contents(atPath: folder.appending(name).string),
            let marker = try? JSONDecoder().decode(EnvironmentMarker.self, from: data),
            marker.version == currentVersion,
            // The interpreter is a link to the system's Python, which an upgrade may have removed.
            FileManager.default.isExecutableFile(atPath: folder.appending("bin/python").string),
            marker.plugins.allSatisfy({ file, plugin in
                (try? FileStamp(of: FilePath(marker.site).appending(file)))?.size == plugin.size
            })
        else { return nil }
        return marker
    }

    func write(in folder: FilePath) throws(PythonEnvironmentError) {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try AtomicFile.write(Array(encoder.encode(self)), to: folder.appending(Self.name), durable: true)
        } catch {
            throw PythonEnvironmentError(
                code: .cache, message: "cannot finish the Python environment at \(folder): \(error)", cause: error)
        }
    }
}
