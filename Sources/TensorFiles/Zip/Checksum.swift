import CZlib

/// The CRC-32 of zip archives.
enum Checksum {
    /// The checksum of `bytes` appended to bytes whose checksum is `start`.
    static func crc32(_ bytes: UnsafeRawBufferPointer, after start: UInt32 = 0) -> UInt32 {
        var checksum = UInt(start)
        var rest = bytes[...]
        // zlib counts in 32 bits.
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            part.withMemoryRebound(to: UInt8.self) { words in
                checksum = CZlib.crc32(checksum, words.baseAddress, UInt32(words.count))
            }
            rest = rest.dropFirst(part.count)
        }
        return UInt32(truncatingIfNeeded: checksum)
    }
}
