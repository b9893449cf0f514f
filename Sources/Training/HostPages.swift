import Glibc
import Synchronization

/// Memory for large batches, in pages of its own: what one call has used is given to the next, and nothing is left in an
/// allocator's stock, so that no more is held than two calls' batches.
enum HostPages {
    /// Smaller batches are the allocator's.
    static let leastBytes = 1 << 20
    /// Blocks that wait to be used again: while a call is computed, the next one's rows are gathered.
    private static let mostKept = 2

    private struct Block: @unchecked Sendable {
        // Safe: nobody else knows of a block that is kept.
        var bytes: UnsafeMutableRawBufferPointer
    }

    private static let kept = Mutex<[Block]>([])

    /// A block of so many bytes, whose contents are unspecified; nil where the system gives none.
    static func take(_ byteCount: Int) -> UnsafeMutableRawBufferPointer? {
        let known = kept.withLock { blocks -> Block? in
            if let index = blocks.firstIndex(where: { $0.bytes.count == byteCount }) { return blocks.remove(at: index) }
            // Calls of another size have begun.
            blocks.forEach(free)
            blocks = []
            return nil
        }
        if let known { return known.bytes }
        let start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let start, start != MAP_FAILED else { return nil }
        return UnsafeMutableRawBufferPointer(start: start, count: byteCount)
    }

    /// Gives a block back.
    static func give(_ bytes: UnsafeMutableRawBufferPointer) {
        let block = Block(bytes: bytes)
        kept.withLock { blocks in
            if blocks.count < mostKept { blocks.append(block) } else { free(block) }
        }
    }

    private static func free(_ block: Block) { munmap(block.bytes.baseAddress, block.bytes.count) }
}
