import Glibc
public import SystemPackage

/// What is done to whole folders.
public enum Folder {
    /// Makes a folder and those it stands in; one that is there already is no error.
    public static func create(_ path: FilePath) throws(FilesError) {
        var status = stat()
        if path.withPlatformString({ stat($0, &status) }) == 0 {
            guard status.isFolder else {
                throw FilesError(
                    code: .wrongKind, message: "cannot make the folder \(path): a file of that name is there",
                    path: path)
            }
            return
        }
        WriteBoundary.beforeFolder.pass()
        defer { WriteBoundary.afterFolder.pass() }
        if path.withPlatformString({ mkdir($0, 0o777) }) == 0 { return }
        switch Errno.current {
        case .fileExists:
            // Another process made it between the two calls, or a dangling link stands there.
            guard path.withPlatformString({ stat($0, &status) }) == 0, status.isFolder else {
                throw FilesError("make the folder", path, .fileExists)
            }
        case .noSuchFileOrDirectory where path.folder != path && !path.isEmpty:
            try create(path.folder)
            guard path.withPlatformString({ mkdir($0, 0o777) }) == 0 || Errno.current == .fileExists else {
                throw FilesError("make the folder", path, .current)
            }
        case let errno:
            throw FilesError("make the folder", path, errno)
        }
    }

    /// The names in a folder, sorted, without `.` and `..`.
    public static func list(_ path: FilePath) throws(FilesError) -> [String] {
        guard let stream = path.withPlatformString({ opendir($0) }) else {
            throw FilesError("list", path, .current)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            // Only errno tells the end of the folder from a failure.
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw FilesError("list", path, .current) }
        return names.sorted()
    }

    /// Brings a folder's entries (names made, renamed and removed) to the disk.
    public static func synchronize(_ path: FilePath) throws(FilesError) {
        WriteBoundary.beforeFolderSync.pass()
        try Descriptor(path, O_RDONLY | O_DIRECTORY).synchronize(path)
        WriteBoundary.afterFolderSync.pass()
    }

    /// Brings everything written to the file system that holds a path to the disk: one call for any number of files.
    public static func syncFileSystem(containing path: FilePath) throws(FilesError) {
        WriteBoundary.beforeFileSystemSync.pass()
        defer { WriteBoundary.afterFileSystemSync.pass() }
        let file = try Descriptor(path, O_RDONLY)
        guard let syncfs = Self.syncfs else {
            sync()
            return
        }
        guard retrying({ syncfs(file.number) }) == 0 else {
            throw FilesError("bring to the disk the file system of", path, .current)
        }
    }

    /// Looked up by name because the C headers show `syncfs` to GNU sources only; without it `sync` does more than is
    /// needed, which is right but slower.
    private static let syncfs: (@convention(c) (Int32) -> Int32)? = dlsym(nil, "syncfs").map {
        unsafeBitCast($0, to: (@convention(c) (Int32) -> Int32).self)
    }
}
