internal import Files
internal import Glibc
internal import SystemPackage

/// The digest of a plugin's file, remembered while the file stays as it is.
///
/// Hashing hundreds of megabytes at each start costs more than training a small model. So the digest is kept beside
/// the file's size, times and inode number; any write to the file changes at least its change time.
struct PluginDigest {
    /// Where digests are remembered.
    var folder: FilePath

    /// A file that changed less than this many seconds ago may change again within the clock's resolution.
    private static let settled: Int64 = 2

    /// The SHA-256 digest of a file, in lower-case hexadecimal.
    func digest(of path: FilePath) throws(PJRTError) -> String {
        do {
            let stamp = try FileStamp(of: path)
            let memory = folder.appending(Digest.sha256(path.string) + ".txt")
            if let known = recall(memory, stamp) { return known }
            let digest = try Digest.sha256(file: path)
            if isSettled(stamp), try FileStamp(of: path) == stamp { remember(digest, memory, stamp) }
            return digest
        } catch {
            throw PJRTError(.pluginMissing, "cannot read the plugin \(path)", cause: error)
        }
    }

    private func isSettled(_ stamp: FileStamp) -> Bool {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) - stamp.changed / 1_000_000_000 >= Self.settled
    }

    private func line(_ stamp: FileStamp) -> String {
        "\(stamp.size) \(stamp.modified) \(stamp.changed) \(stamp.inode)"
    }

    private func recall(_ memory: FilePath, _ stamp: FileStamp) -> String? {
        guard let file = try? MappedFile(memory) else { return nil }
        let text = file.withBytes { String(decoding: $0, as: UTF8.self) }
        let lines = text.split(separator: "\n")
        guard lines.count == 2, lines[0] == line(stamp), lines[1].utf8.count == 64 else { return nil }
        return String(lines[1])
    }

    /// A cache that cannot be written costs time at the next start, and nothing else.
    private func remember(_ digest: String, _ memory: FilePath, _ stamp: FileStamp) {
        try? Folder.create(folder)
        try? AtomicFile.write(Array("\(line(stamp))\n\(digest)\n".utf8), to: memory)
    }
}
