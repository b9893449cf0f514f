import Glibc
import SystemPackage

/// An open file descriptor, closed when it goes out of scope.
struct Descriptor: ~Copyable, Sendable {
    let number: Int32

    /// Opens a path; the descriptor is never inherited by a process that is started later.
    init(_ path: FilePath, _ flags: Int32, mode: mode_t = 0o666, action: String = "open") throws(FilesError) {
        let opened = retrying { path.withPlatformString { open($0, flags | O_CLOEXEC, mode) } }
        guard opened >= 0 else { throw FilesError(action, path, .current) }
        number = opened
    }

    /// The file's metadata.
    func status(_ path: FilePath) throws(FilesError) -> stat {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw FilesError("examine", path, .current) }
        return status
    }

    /// Brings what was written to the disk.
    func synchronize(_ path: FilePath) throws(FilesError) {
        guard retrying({ fsync(number) }) == 0 else { throw FilesError("bring to the disk", path, .current) }
    }

    deinit { _ = close(number) }
}

extension Errno {
    /// What the last system call of this thread failed with.
    static var current: Errno { Errno(rawValue: errno) }
}

/// Repeats a system call that a signal interrupted.
func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result == -1, errno == EINTR { continue }
        return result
    }
}

extension stat {
    var isRegular: Bool { st_mode & S_IFMT == S_IFREG }
    var isFolder: Bool { st_mode & S_IFMT == S_IFDIR }
}

extension timespec {
    /// Nanoseconds since 1970; years that do not fit are clamped.
    var nanoseconds: Int64 {
        let (seconds, overflow) = Int64(tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return tv_sec < 0 ? .min : .max }
        let (sum, carried) = seconds.addingReportingOverflow(Int64(tv_nsec))
        return carried ? .max : sum
    }
}
