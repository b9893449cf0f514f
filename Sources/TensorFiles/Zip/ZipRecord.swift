/// The headers of one stored member of an archive that is being written.
///
/// Every time is the first that the format can express, so that equal contents give equal archives.
struct ZipRecord: Sendable {
    var name: [UInt8]
    var checksum: UInt32
    var size: Int
    /// Where the local header stands.
    var offset: Int
    /// Writes 64-bit numbers even where 32 bits are enough.
    var always64 = false

    private var isLong: Bool { always64 || size >= 0xffff_ffff || offset >= 0xffff_ffff }
    private var version: UInt16 { isLong ? 45 : 20 }
    private var flags: UInt16 { name.allSatisfy { $0 < 128 } ? 0 : 0x800 }
    private static let firstDay: UInt16 = 0x0021

    /// Bytes before the data.
    var headerLength: Int { 30 + name.count + (isLong ? 20 : 0) }

    func appendHeader(to bytes: inout [UInt8]) {
        bytes.append(little: UInt32(0x0403_4b50))
        appendCommon(to: &bytes, extra: isLong ? 20 : 0)
        bytes.append(contentsOf: name)
        if isLong {
            bytes.append(little: UInt16(1))
            bytes.append(little: UInt16(16))
            bytes.append(little: UInt64(size))
            bytes.append(little: UInt64(size))
        }
    }

    func appendDirectoryEntry(to bytes: inout [UInt8]) {
        bytes.append(little: UInt32(0x0201_4b50))
        // Written on Unix, so that the permissions below count.
        bytes.append(little: 3 << 8 | version)
        appendCommon(to: &bytes, extra: isLong ? 28 : 0)
        // No comment, first disk, no internal attributes.
        bytes.append(contentsOf: [0, 0, 0, 0, 0, 0])
        bytes.append(little: UInt32(0o600) << 16)
        bytes.append(little: isLong ? UInt32.max : UInt32(offset))
        bytes.append(contentsOf: name)
        if isLong {
            bytes.append(little: UInt16(1))
            bytes.append(little: UInt16(24))
            bytes.append(little: UInt64(size))
            bytes.append(little: UInt64(size))
            bytes.append(little: UInt64(offset))
        }
    }

    private func appendCommon(to bytes: inout [UInt8], extra: Int) {
        bytes.append(little: version)
        bytes.append(little: flags)
        bytes.append(little: UInt16(0))
        bytes.append(little: UInt16(0))
        bytes.append(little: Self.firstDay)
        bytes.append(little: checksum)
        bytes.append(little: isLong ? UInt32.max : UInt32(size))
        bytes.append(little: isLong ? UInt32.max : UInt32(size))
        bytes.append(little: UInt16(name.count))
        bytes.append(little: UInt16(extra))
    }

    /// The directory of all records and what ends an archive.
    static func directory(_ records: [ZipRecord], at offset: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(22 + records.reduce(0) { $0 + 74 + $1.name.count })
        for record in records { record.appendDirectoryEntry(to: &bytes) }
        let size = bytes.count
        let isLong = records.count >= 0xffff || offset + size >= 0xffff_ffff || records.contains { $0.always64 }
        if isLong {
            bytes.append(little: UInt32(0x0606_4b50))
            bytes.append(little: UInt64(44))
            bytes.append(little: 3 << 8 | UInt16(45))
            bytes.append(little: UInt16(45))
            bytes.append(little: UInt64(0))
            bytes.append(little: UInt64(records.count))
            bytes.append(little: UInt64(records.count))
            bytes.append(little: UInt64(size))
            bytes.append(little: UInt64(offset))
            bytes.append(little: UInt32(0x0706_4b50))
            bytes.append(little: UInt32(0))
            bytes.append(little: UInt64(offset + size))
            bytes.append(little: UInt32(1))
        }
        bytes.append(little: UInt32(0x0605_4b50))
        bytes.append(little: UInt32(0))
        bytes.append(little: isLong ? UInt16.max : UInt16(records.count))
        bytes.append(little: isLong ? UInt16.max : UInt16(records.count))
        bytes.append(little: isLong ? UInt32.max : UInt32(size))
        bytes.append(little: isLong ? UInt32.max : UInt32(offset))
        bytes.append(little: UInt16(0))
        return bytes
    }
}
