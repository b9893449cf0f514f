import Files
public import SystemPackage

/// Writes zip archives whose members are stored as they are.
public enum StoredArchive {
    /// Writes an archive atomically; equal members give equal bytes.
    ///
    /// Archives over 4 GiB are written as zip64.
    public static func write(
        _ members: [(name: String, bytes: UnsafeRawBufferPointer)], to path: FilePath, durable: Bool = false
    ) throws(TensorFilesError) {
        try write(members, to: path, durable: durable, always64: false)
    }

    static func write(
        _ members: [(name: String, bytes: UnsafeRawBufferPointer)], to path: FilePath, durable: Bool, always64: Bool
    ) throws(TensorFilesError) {
        var names: Set<String> = []
        for (name, _) in members {
            guard !name.isEmpty, name.utf8.count < 0xffff, names.insert(name).inserted else {
                throw TensorFilesError(.invalid, path, "the member name \"\(shown(name))\" is empty or there twice")
            }
        }
        do {
            try AtomicFile.write(to: path, durable: durable) { writer in
                var records: [ZipRecord] = []
                for (name, bytes) in members {
                    let record = ZipRecord(
                        name: Array(name.utf8), checksum: Checksum.crc32(bytes), size: bytes.count,
                        offset: writer.count, always64: always64)
                    var header: [UInt8] = []
                    record.appendHeader(to: &header)
                    try writer.write(header)
                    try writer.write(bytes)
                    records.append(record)
                }
                try writer.write(ZipRecord.directory(records, at: writer.count))
            }
        } catch {
            throw TensorFilesError.wrapping(error, path)
        }
    }
}
