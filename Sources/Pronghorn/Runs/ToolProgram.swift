import FoundationEssentials
import SystemPackage

/// The `pronghorn` program, whose verb `runner` trains: a program that uses this library holds no plugin and no trainer.
enum ToolProgram {
    /// Finds it: where it was said to be, at `PRONGHORN_BINARY`, beside this program, or in `PATH`.
    static func find(
        named: FilePath?, environment: [String: String] = ProcessInfo.processInfo.environment,
        executable: FilePath? = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            .map { FilePath($0) }
    ) throws(PronghornError) -> FilePath {
        if let named {
            guard isProgram(named) else { throw PronghornError(.noProgram, "there is no program \(named)") }
            return absolute(named)
        }
        if let path = environment["PRONGHORN_BINARY"], !path.isEmpty {
            guard isProgram(FilePath(path)) else {
                throw PronghornError(.noProgram, "PRONGHORN_BINARY is \(path), where there is no program")
            }
            return absolute(FilePath(path))
        }
        let folders =
            [executable?.removingLastComponent()].compactMap(\.self)
            + (environment["PATH"] ?? "").split(separator: ":").map { FilePath(String($0)) }
        for folder in folders where isProgram(folder.appending("pronghorn")) {
            return absolute(folder.appending("pronghorn"))
        }
        throw PronghornError(
            .noProgram,
            "the program `pronghorn`, which trains, is neither beside \(executable?.string ?? "this program") nor in PATH: "
                + "build it (`swift build --product pronghorn`), install it, or name it in PRONGHORN_BINARY")
    }

    private static func absolute(_ path: FilePath) -> FilePath {
        FilePath(FileManager.default.currentDirectoryPath).pushing(path).lexicallyNormalized()
    }

    private static func isProgram(_ path: FilePath) -> Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: path.string, isDirectory: &isFolder) && !isFolder
            && FileManager.default.isExecutableFile(atPath: path.string)
    }
}
