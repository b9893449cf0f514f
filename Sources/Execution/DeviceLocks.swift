import Devices
import Files
import FoundationEssentials
import Glibc
import SystemPackage

/// The accelerators that a run holds: no second run of this user takes one of them meanwhile.
///
/// Each has a file in the cache, by the name that CUDA knows it by, which is locked for as long as this process lives and
/// says who holds it. Shares of the CPU are not held: runs on one CPU slow each other down and do no harm.
final class DeviceLocks: Sendable {
    private let locks: [Lock]

    /// A lock is let go when this object goes.
    private final class Lock: Sendable {
        private let lock: FileLock
        init(_ lock: consuming FileLock) { self.lock = lock }
    }

    /// Takes all or none.
    ///
    /// - Parameters:
    ///   - folder: where the files are.
    ///   - holder: who takes them, for others to read.
    init(_ devices: [Device], in folder: FilePath, holder: String) throws(RunError) {
        var locks: [Lock] = []
        for device in devices {
            guard case .cuda(let uuid, _) = device.kind else { continue }
            // A name from a driver is not trusted to be a file's.
            let name = uuid.map { $0.isLetter || $0.isNumber || $0 == "-" ? String($0) : "_" }.joined()
            let file = folder.appending("\(name).lock")
            do throws(FilesError) {
                try Folder.create(folder)
                locks.append(Lock(try FileLock(file, wait: false)))
                try Self.write(holder, to: file)
            } catch {
                guard error.code == .locked else {
                    throw RunError(.machine, "\(device.name) cannot be held", cause: error)
                }
                let other = FileManager.default.contents(atPath: file.string).map {
                    String(decoding: $0, as: UTF8.self)
                }
                throw RunError(
                    .request,
                    "\(device.name) (\(uuid)) is held by \(other.flatMap { $0.isEmpty ? nil : $0 } ?? "another pronghorn"); "
                        + "wait for its end, or name other devices with --devices")
            }
        }
        self.locks = locks
    }

    /// Written in place: the file that is locked must stay the same file.
    private static func write(_ holder: String, to file: FilePath) throws(FilesError) {
        do {
            let open = try FileDescriptor.open(file, .writeOnly, options: .truncate)
            defer { try? open.close() }
            try open.writeAll(Array(holder.utf8))
        } catch {
            throw FilesError(code: .system, message: "cannot write \(file): \(error)", path: file)
        }
    }
}
