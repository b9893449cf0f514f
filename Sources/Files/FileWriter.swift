import Glibc
import SystemPackage

/// Where the contents of a new file go; small writes are gathered, large ones go straight to the system.
public struct FileWriter: ~Copyable {
    private static let gathered = 1 << 16

    private let path: FilePath
    private let number: Int32
    private var pending: [UInt8] = []
    private var flushed = 0

    init(_ path: FilePath, descriptor: Int32) {
        self.path = path
        number = descriptor
    }

    /// The number of bytes written so far.
    public var count: Int { flushed + pending.count }

    /// Appends bytes.
    public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FilesError) {
        if bytes.count + pending.count > Self.gathered { try flush() }
        if bytes.count >= Self.gathered {
            try put(bytes)
        } else {
            if pending.isEmpty { pending.reserveCapacity(Self.gathered) }
            pending.append(contentsOf: bytes)
        }
    }

    /// Appends bytes.
    public mutating func write(_ bytes: [UInt8]) throws(FilesError) {
        try bytes.span.withUnsafeBytes { (raw) throws(FilesError) in try write(raw) }
    }

    /// Appends a string as UTF-8.
    public mutating func write(_ text: String) throws(FilesError) {
        try write(Array(text.utf8))
    }

    mutating func flush() throws(FilesError) {
        guard !pending.isEmpty else { return }
        let bytes = pending
        pending.removeAll(keepingCapacity: true)
        try bytes.span.withUnsafeBytes { (raw) throws(FilesError) in try put(raw) }
    }

    private mutating func put(_ bytes: UnsafeRawBufferPointer) throws(FilesError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let written = retrying { Glibc.write(number, part.baseAddress, part.count) }
            guard written >= 0 else { throw FilesError("write", path, .current) }
            rest = rest.dropFirst(written)
            flushed += written
        }
    }
}
