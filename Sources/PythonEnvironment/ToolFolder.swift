import FoundationEssentials
public import SystemPackage

/// Finds the folder of Python files that ships with Pronghorn.
public enum ToolFolder {
    /// The folder that holds `requirements.txt` and the package `pronghorn`.
    ///
    /// Looked for at `PRONGHORN_PYTHON_PATH`; then at `../share/pronghorn/python` from the executable, where an installation
    /// has it; then at `python` in the folders above the executable, where a checkout has it; at last beside the source that
    /// this was compiled from.
    public static func find() throws(PythonEnvironmentError) -> FilePath {
        try find(
            environment: ProcessInfo.processInfo.environment,
            executable: (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
                .map { FilePath($0) },
            source: FilePath(URL(filePath: #filePath).resolvingSymlinksInPath().path))
    }

    static func find(
        environment: [String: String], executable: FilePath?, source: FilePath
    ) throws(PythonEnvironmentError) -> FilePath {
        if let named = environment["PRONGHORN_PYTHON_PATH"], !named.isEmpty {
            let folder = FilePath(named)
            guard isToolFolder(folder) else {
                throw PythonEnvironmentError(
                    code: .badToolFolder,
                    message:
                        "PRONGHORN_PYTHON_PATH is \(named), but there is no pronghorn/lowering and requirements.txt "
                        + "in it; name the folder python of a checkout or an installation, or unset it")
            }
            return folder
        }
        var candidates: [FilePath] = []
        if let executable {
            let bin = executable.removingLastComponent()
            candidates.append(bin.removingLastComponent().appending("share/pronghorn/python"))
            candidates += above(bin).map { $0.appending("python") }
        }
        candidates += above(source.removingLastComponent()).map { $0.appending("python") }
        if let found = candidates.first(where: isToolFolder) { return found }
        throw PythonEnvironmentError(
            code: .noToolFolder,
            message: "Pronghorn's own Python files were not found, neither at ../share/pronghorn/python from "
                + "\(executable?.string ?? "the executable") nor in a folder python above it; install Pronghorn whole, or set "
                + "PRONGHORN_PYTHON_PATH to the folder python of a checkout")
    }

    private static func isToolFolder(_ folder: FilePath) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending("pronghorn/lowering").string)
            && FileManager.default.fileExists(atPath: folder.appending("requirements.txt").string)
    }

    private static func above(_ folder: FilePath) -> [FilePath] {
        var folders: [FilePath] = []
        var folder = folder
        while !folder.components.isEmpty {
            folders.append(folder)
            folder.removeLastComponent()
        }
        return folders
    }
}
