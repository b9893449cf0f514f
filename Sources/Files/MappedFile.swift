import Glibc
public import SystemPackage

/// A file mapped read-only into memory for as long as the object lives.
///
/// A file that someone else shortens while it is mapped ends the process with SIGBUS when the lost part is read: map
/// only files that are replaced by renaming, as ``AtomicFile`` does, never files that are written in place.
public final class MappedFile: Sendable {
    /// The contents; valid while the object lives, which ``withBytes(_:)`` ensures.
    ///
    /// Sendable because the pages are read-only and stay mapped until `deinit`.
    public nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
    /// The number of bytes.
    public let size: Int
    /// When the contents last changed, in nanoseconds since 1970.
    public let modified: Int64
    /// The path that was opened.
    public let path: FilePath

    /// Maps the regular file at a path; an empty file has no bytes.
    public init(_ path: FilePath) throws(FilesError) {
        // Opening a named pipe would otherwise wait for someone to write to it.
        let file = try Descriptor(path, O_RDONLY | O_NONBLOCK)
        let status = try file.status(path)
        guard status.isRegular else {
            throw FilesError(code: .wrongKind, message: "cannot read \(path): it is not a regular file", path: path)
        }
        let size = Int(status.st_size)
        if size == 0 {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
        } else {
            guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, file.number, 0), start != MAP_FAILED else {
                throw FilesError("map", path, .current)
            }
            bytes = UnsafeRawBufferPointer(start: start, count: size)
        }
        self.size = size
        modified = status.st_mtim.nanoseconds
        self.path = path
    }

    /// Reads the contents while keeping them mapped.
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(bytes)
    }

    deinit {
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
    }
}
