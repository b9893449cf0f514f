import Crypto
public import SystemPackage

/// SHA-256 digests, written as 64 lower-case hexadecimal digits.
public enum Digest {
    /// The digest of some bytes.
    public static func sha256(_ bytes: UnsafeRawBufferPointer) -> String {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        return hexadecimal(hash.finalize())
    }

    /// The digest of some bytes.
    public static func sha256(_ bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { sha256($0) }
    }

    /// The digest of a string's UTF-8.
    public static func sha256(_ string: String) -> String {
        sha256(Array(string.utf8))
    }

    /// The digest of a file's contents.
    public static func sha256(file: FilePath) throws(FilesError) -> String {
        let mapped = try MappedFile(file)
        return mapped.withBytes { sha256($0) }
    }

    fileprivate static func hexadecimal(_ digest: SHA256Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in digest {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// A SHA-256 digest of bytes that come piece by piece.
public struct RunningDigest {
    private var hash = SHA256()

    /// Begins with no bytes.
    public init() {}

    /// Appends bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        hash.update(bufferPointer: bytes)
    }

    /// The digest of all bytes so far, in 64 lower-case hexadecimal digits.
    public func finish() -> String { Digest.hexadecimal(hash.finalize()) }
}
