import SystemPackage

/// Bytes that take the place of a range of an archive's bytes.
struct ArchiveEdit {
    let range: Range<Int>
    let bytes: UnsafeRawBufferPointer

    /// Overwrites as many bytes as it brings; nil when they are not all within `limits`.
    init?(at offset: Int, _ bytes: UnsafeRawBufferPointer, within limits: Range<Int>) {
        guard offset >= limits.lowerBound, offset <= limits.upperBound, bytes.count <= limits.upperBound - offset
        else { return nil }
        range = offset..<offset + bytes.count
        self.bytes = bytes
    }

    /// Replaces a span that counts from the first byte of `limits`; nil when it is not all within them.
    init?(replacing span: Range<Int>, by bytes: UnsafeRawBufferPointer, within limits: Range<Int>) {
        guard span.lowerBound >= 0, span.upperBound <= limits.count else { return nil }
        range = limits.lowerBound + span.lowerBound..<limits.lowerBound + span.upperBound
        self.bytes = bytes
    }

    /// The edits in order of place, without those that change nothing; fails when two overlap.
    static func sorted(_ edits: [ArchiveEdit], _ path: FilePath) throws(TensorFilesError) -> [ArchiveEdit] {
        let sorted = edits.filter { !$0.range.isEmpty || !$0.bytes.isEmpty }
            .sorted { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        for (first, second) in zip(sorted, sorted.dropFirst()) where second.range.lowerBound < first.range.upperBound {
            throw TensorFilesError(
                .invalid, path, "two patches overlap at byte \(second.range.lowerBound) of the template")
        }
        return sorted
    }

    /// Whether the edit belongs to the member whose data stands at `data`.
    func lies(within data: Range<Int>) -> Bool {
        range.lowerBound >= data.lowerBound && range.upperBound <= data.upperBound
    }

    /// What a member's data is once edited, piece by piece.
    static func pieces(
        of data: Range<Int>, in bytes: UnsafeRawBufferPointer, edits: [ArchiveEdit], _ path: FilePath
    ) throws(TensorFilesError) -> [UnsafeRawBufferPointer] {
        var pieces: [UnsafeRawBufferPointer] = []
        pieces.reserveCapacity(2 * edits.count + 1)
        var position = data.lowerBound
        for edit in edits {
            pieces.append(try kept(position..<edit.range.lowerBound))
            pieces.append(edit.bytes)
            position = edit.range.upperBound
        }
        pieces.append(try kept(position..<data.upperBound))
        return pieces

        func kept(_ range: Range<Int>) throws(TensorFilesError) -> UnsafeRawBufferPointer {
            guard let part = bytes.part(range.lowerBound, range.count) else {
                throw TensorFilesError(.truncated, path, "the template ends before byte \(range.upperBound)")
            }
            return part
        }
    }
}
