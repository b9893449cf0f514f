import Files
import SystemPackage

/// The members of a zip archive (PKWARE's APPNOTE 6.3.10), checked against the file before any is read.
///
/// What is refused: members that overlap, names that are there twice or would lead out of a folder, links, encryption,
/// archives in several parts, local headers that disagree with the directory.
struct ZipArchive: Sendable {
    /// How a member's data is kept.
    enum Method: Sendable {
        case stored
        case deflated
    }

    /// One member.
    struct Member: Sendable {
        /// A label, never a path to write to.
        var name: String
        var method: Method
        var checksum: UInt32
        /// Where its data stands in the archive.
        var data: Range<Int>
        /// Bytes of the data once inflated.
        var size: Int
    }

    let file: MappedFile
    let members: [Member]

    init(_ path: FilePath) throws(TensorFilesError) {
        let file = try MappedFile.open(path)
        self.file = file
        members = try file.withBytes { (bytes) throws(TensorFilesError) in
            try ZipDirectory(bytes, path).members()
        }
    }

    /// The member of a name.
    func member(_ name: String) -> Member? { members.first { $0.name == name } }

    /// A member's data as it stands in the archive.
    func rawBytes(_ member: Member) throws(TensorFilesError) -> UnsafeRawBufferPointer {
        guard let part = file.bytes.part(member.data.lowerBound, member.data.count) else {
            throw TensorFilesError(.truncated, file.path, "the archive ends inside \(shown(member.name))")
        }
        return part
    }

    /// Hands out a member's contents piece by piece, then checks their checksum.
    func read(_ member: Member, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let source = try rawBytes(member)
        var checksum: UInt32 = 0
        defer { withExtendedLifetime(file) {} }
        switch member.method {
        case .stored:
            checksum = Checksum.crc32(source)
            try body(source)
        case .deflated:
            do {
                try Inflation.inflate(source, size: member.size) { part in
                    checksum = Checksum.crc32(part, after: checksum)
                    try body(part)
                }
            } catch let failure as Inflation.Failure {
                throw TensorFilesError(
                    .damaged, file.path, "\(shown(member.name)) cannot be inflated (\(failure)); fetch the file again")
            }
        }
        guard checksum == member.checksum else {
            throw TensorFilesError(
                .damaged, file.path, "\(shown(member.name)) disagrees with its checksum; fetch the file again")
        }
    }

    /// A member's contents in memory, checksum checked.
    func contents(_ member: Member) throws(TensorFilesError) -> [UInt8] {
        var contents: [UInt8] = []
        // A small archive may declare a huge size: memory is taken as the data really comes.
        contents.reserveCapacity(min(member.size, 1 << 26))
        do {
            try read(member) { contents.append(contentsOf: $0) }
        } catch {
            throw TensorFilesError.wrapping(error, file.path)
        }
        return contents
    }
}
