import CZlib

/// Undoes the compression of zip archives (raw deflate).
enum Inflation {
    /// Why the data could not be inflated.
    enum Failure: Error {
        case outOfMemory
        case damaged
        case sizesDisagree
    }

    private static let piece = 1 << 18

    /// Deflate reaches a factor of 1032; a declared size beyond it is a lie.
    static func isPossible(size: Int, from compressed: Int) -> Bool {
        size <= 1024 || (size - 1024) / 1032 <= compressed
    }

    /// Hands out the inflated data piece by piece, never more than the declared size.
    static func inflate(
        _ source: UnsafeRawBufferPointer, size: Int, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var stream = z_stream()
        // Negative window bits: no zlib header.
        guard inflateInit2_(&stream, -15, zlibVersion(), Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw Failure.outOfMemory
        }
        defer { inflateEnd(&stream) }
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: piece, alignment: 16)
        defer { output.deallocate() }
        var rest = source[...]
        var produced = 0
        var status = Z_OK
        while status != Z_STREAM_END {
            let input = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            status = input.withMemoryRebound(to: UInt8.self) { words in
                stream.next_in = UnsafeMutablePointer(mutating: words.baseAddress)
                stream.avail_in = UInt32(words.count)
                stream.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.avail_out = UInt32(output.count)
                return CZlib.inflate(&stream, Z_NO_FLUSH)
            }
            guard status == Z_OK || status == Z_STREAM_END else { throw Failure.damaged }
            let made = output.count - Int(stream.avail_out)
            rest = rest.dropFirst(input.count - Int(stream.avail_in))
            produced += made
            guard produced <= size else { throw Failure.sizesDisagree }
            try body(UnsafeRawBufferPointer(rebasing: output[..<made]))
            // zlib asks for more input forever when the data ends early.
            guard made > 0 || Int(stream.avail_in) < input.count || status == Z_STREAM_END else {
                throw Failure.damaged
            }
        }
        guard produced == size, rest.isEmpty else { throw Failure.sizesDisagree }
    }
}
