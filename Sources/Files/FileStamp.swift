import Glibc
public import SystemPackage

/// What tells, without reading a file, whether it is still the one that was seen before.
public struct FileStamp: Codable, Hashable, Sendable {
    /// The number of bytes.
    public var size: Int64
    /// When the contents last changed (`st_mtim`), in nanoseconds since 1970.
    public var modified: Int64
    /// When the file or its metadata last changed (`st_ctim`), in nanoseconds since 1970; no program can set it back.
    public var changed: Int64
    /// The file's number on its file system: another one when the file was replaced.
    public var inode: UInt64

    /// The stamp of the file or folder at a path, symbolic links followed.
    public init(of path: FilePath) throws(FilesError) {
        var status = stat()
        guard path.withPlatformString({ stat($0, &status) }) == 0 else {
            throw FilesError("examine", path, .current)
        }
        size = Int64(status.st_size)
        modified = status.st_mtim.nanoseconds
        changed = status.st_ctim.nanoseconds
        inode = UInt64(status.st_ino)
    }
}
