import Glibc
public import SystemPackage

/// A lock that processes share through a file; released when the value goes, and by the system when the process dies.
public struct FileLock: ~Copyable, Sendable {
    private let file: Descriptor

    /// Takes the lock (`flock`), making its file if needed.
    ///
    /// Fails with ``FilesError/Code/locked`` when it is held elsewhere and `wait` is false. The file stays when the
    /// lock is released: removing it would let two processes lock two files of one name.
    public init(_ path: FilePath, exclusive: Bool = true, wait: Bool = true) throws(FilesError) {
        let file = try Descriptor(path, O_RDWR | O_CREAT, action: "lock")
        let operation = (exclusive ? LOCK_EX : LOCK_SH) | (wait ? 0 : LOCK_NB)
        guard retrying({ flock(file.number, operation) }) == 0 else {
            let errno = Errno.current
            guard errno == .wouldBlock else { throw FilesError("lock", path, errno) }
            throw FilesError(
                code: .locked, message: "cannot lock \(path): another process holds it", path: path, cause: errno)
        }
        self.file = file
    }
}
