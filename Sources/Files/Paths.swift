import Glibc
public import SystemPackage

extension Folder {
    /// Gives a file another place in the same file system, over one that is there; readers see the one or the other.
    public static func rename(_ source: FilePath, to target: FilePath) throws(FilesError) {
        WriteBoundary.beforeMove.pass()
        let renamed = source.withPlatformString { from in target.withPlatformString { Glibc.rename(from, $0) } }
        guard renamed == 0 else { throw FilesError("rename to \(target)", source, .current) }
        WriteBoundary.afterMove.pass()
    }

    /// Removes a file that Pronghorn itself has made; one that is gone already is no error.
    public static func remove(own file: FilePath) throws(FilesError) {
        WriteBoundary.beforeRemoval.pass()
        guard file.withPlatformString({ unlink($0) }) == 0 || errno == ENOENT else {
            throw FilesError("remove", file, .current)
        }
        WriteBoundary.afterRemoval.pass()
    }
}

extension Folder {
    /// A path from the root, of one that may be relative to the current folder.
    public static func absolute(_ path: FilePath) -> FilePath {
        guard path.isRelative, let current = getcwd(nil, 0) else { return path.lexicallyNormalized() }
        defer { free(current) }
        return FilePath(platformString: current).pushing(path).lexicallyNormalized()
    }
}
