extension UnsafeRawBufferPointer {
    /// The bytes from `offset`, `count` of them, or nil when that is not wholly inside.
    func part(_ offset: Int, _ count: Int) -> UnsafeRawBufferPointer? {
        guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else { return nil }
        return UnsafeRawBufferPointer(rebasing: self[offset..<offset + count])
    }

    /// The little-endian integer at `offset`, aligned or not, or nil when that is not wholly inside.
    func little<Integer: FixedWidthInteger>(_ type: Integer.Type, at offset: Int) -> Integer? {
        part(offset, MemoryLayout<Integer>.size).map { Integer(littleEndian: $0.loadUnaligned(as: type)) }
    }
}

extension [UInt8] {
    /// Appends an integer, least significant byte first.
    mutating func append<Integer: FixedWidthInteger>(little value: Integer) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}

/// Bytes of our own that keep their place for as long as the object lives.
final class OwnedBytes: Sendable {
    /// Sendable because nothing writes to the memory after `init`, and it lives until `deinit`.
    nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    init(_ contents: [UInt8]) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: contents.count, alignment: 64)
        memory.copyBytes(from: contents)
        bytes = UnsafeRawBufferPointer(memory)
    }

    deinit { bytes.deallocate() }
}
