import Glibc
import Synchronization
public import SystemPackage

/// Files that are either there as a whole or not at all.
///
/// The contents go to a temporary file in the same folder, which is then renamed over the path: a reader, and a run
/// that goes on after a crash, sees the old file or the new one. A write that fails leaves the old file alone.
public enum AtomicFile {
    /// Writes a file whole; `durable` also brings it and its folder's entry to the disk before returning.
    public static func write(_ bytes: [UInt8], to path: FilePath, durable: Bool = false) throws(FilesError) {
        try bytes.span.withUnsafeBytes { (raw) throws(FilesError) in try write(raw, to: path, durable: durable) }
    }

    /// Writes a file whole; `durable` also brings it and its folder's entry to the disk before returning.
    public static func write(
        _ bytes: UnsafeRawBufferPointer, to path: FilePath, durable: Bool = false
    ) throws(FilesError) {
        try replace(path, durable) { (writer) throws(FilesError) in try writer.write(bytes) }
    }

    /// Writes a file whole from what `body` writes; when `body` throws, the path is left as it was.
    public static func write(
        to path: FilePath, durable: Bool = false, _ body: (inout FileWriter) throws -> Void
    ) throws {
        // A typed throw of the body's own error would make every caller spell the type of its closure.
        var raised: (any Error)?
        do {
            try replace(path, durable) { (writer) throws(FilesError) in
                do {
                    try body(&writer)
                } catch let error as FilesError {
                    throw error
                } catch {
                    raised = error
                    throw FilesError(code: .system, message: "\(error)", path: path, cause: error)
                }
            }
        } catch {
            throw raised ?? error
        }
    }

    private static func replace(
        _ path: FilePath, _ durable: Bool, _ body: (inout FileWriter) throws(FilesError) -> Void
    ) throws(FilesError) {
        let temporary = try Temporary(beside: path)
        do throws(FilesError) {
            var writer = FileWriter(path, descriptor: temporary.file.number)
            try body(&writer)
            try writer.flush()
            if durable {
                WriteBoundary.beforeFileSync.pass()
                try temporary.file.synchronize(path)
                WriteBoundary.afterFileSync.pass()
            }
            WriteBoundary.beforeReplacing.pass()
            let renamed = temporary.path.withPlatformString { from in path.withPlatformString { rename(from, $0) } }
            guard renamed == 0 else { throw FilesError("write", path, .current) }
            WriteBoundary.afterReplacing.pass()
        } catch {
            _ = temporary.path.withPlatformString { unlink($0) }
            throw error
        }
        if durable { try Folder.synchronize(path.folder) }
    }
}

/// A new, open file of a name that no other process or thread uses.
private struct Temporary: ~Copyable {
    private static let count = Atomic<UInt64>(0)

    let path: FilePath
    let file: Descriptor

    init(beside target: FilePath) throws(FilesError) {
        guard let name = target.lastComponent?.string, target.lastComponent?.kind == .regular else {
            throw FilesError(code: .wrongKind, message: "cannot write \(target): it names no file", path: target)
        }
        let folder = target.folder
        // The name is cut so that the longest name a file may have still leaves room for what is added.
        let stem = name.utf8.count <= 180 ? name : String(name.prefix(40))
        while true {
            let serial = Self.count.add(1, ordering: .relaxed).newValue
            // Machines that share a folder may share process numbers too, hence the random part.
            let chance = UInt32.random(in: 0 ... .max)
            let candidate = folder.appending(".\(stem).\(getpid())-\(serial)-\(chance).tmp")
            do {
                file = try Descriptor(candidate, O_WRONLY | O_CREAT | O_EXCL)
                path = candidate
                return
            } catch {
                if error.cause as? Errno == .fileExists { continue }
                guard let errno = error.cause as? Errno else { throw error }
                throw FilesError("write", target, errno)
            }
        }
    }
}

extension FilePath {
    /// The folder that the last component stands in; `.` for a bare name.
    var folder: FilePath {
        let parent = removingLastComponent()
        return parent.isEmpty ? "." : parent
    }
}
