import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Whether a file system lets the processes of this machine share memory through a file, as SQLite's WAL mode must.
enum SharedMemory {
    /// False for a folder on a network file system that is known by its type.
    ///
    /// SQLite may well switch to WAL there and lose writes later, so that its own answer is not enough.
    static func isReliable(in folder: String) -> Bool {
        guard let table = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8) else { return true }
        var resolved = folder
        if let real = realpath(folder, nil) {
            resolved = String(cString: real)
            free(real)
        }
        return fileSystem(of: resolved, mounts: table).map { !isNetwork($0) } ?? true
    }

    /// The type of the file system that holds a path, from the text of proc(5)'s `mountinfo`.
    static func fileSystem(of path: String, mounts: String) -> String? {
        var found: (length: Int, type: String)?
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 5, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { continue }
            let point = unescaped(fields[4])
            let isAbove = point == "/" || path == point || path.hasPrefix(point + "/")
            // Of two mounts on one point the later hides the earlier.
            if isAbove, point.utf8.count >= found?.length ?? 0 {
                found = (point.utf8.count, String(fields[dash + 1]))
            }
        }
        return found?.type
    }

    static func isNetwork(_ type: String) -> Bool {
        if type.hasPrefix("fuse.") { return type != "fuse.fuse-overlayfs" }
        return networkTypes.contains(type)
    }

    private static let networkTypes: Set<String> = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "9p", "virtiofs", "ceph", "afs", "coda", "lustre", "gpfs",
        "beegfs", "glusterfs", "pvfs2", "orangefs", "wekafs", "panfs",
    ]

    /// A mount point as it is: `mountinfo` writes space, tab, newline and backslash as three octal digits.
    private static func unescaped(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = field.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
