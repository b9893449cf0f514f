import Files
public import SystemPackage

/// A `.keras` archive that others are made from: the same but for some bytes of the weights and some text of
/// `config.json`.
///
/// Offsets of weights count from the template's first byte; spans of text from the first byte of its `config.json`.
/// Several threads may write from one template.
public struct KerasTemplate: Sendable {
    static let weights = "model.weights.h5"
    private static let configuration = "config.json"

    private let archive: ZipArchive
    let weightsRange: Range<Int>
    private let configurationRange: Range<Int>

    /// Maps a template and checks it: every member stored, its checksum right, weights and configuration there.
    public init(_ path: FilePath) throws(TensorFilesError) {
        archive = try ZipArchive(path)
        for member in archive.members {
            guard member.method == .stored else {
                throw TensorFilesError(
                    .unsupported, path, "\(shown(member.name)) is compressed: write the template with Keras again")
            }
            do {
                try archive.read(member) { _ in }
            } catch {
                throw TensorFilesError.wrapping(error, path)
            }
        }
        guard let weights = archive.member(Self.weights), let configuration = archive.member(Self.configuration) else {
            throw TensorFilesError(
                .notThisFormat, path,
                "this is not a model that Keras saved: \(Self.weights) or \(Self.configuration) is missing")
        }
        let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]
        guard let start = try archive.rawBytes(weights).part(0, 8), start.elementsEqual(signature) else {
            throw TensorFilesError(.malformed, path, "\(Self.weights) is not an HDF5 file")
        }
        weightsRange = weights.data
        configurationRange = configuration.data
    }

    /// The bytes of the weights; valid while the template lives.
    func weightBytes() throws(TensorFilesError) -> UnsafeRawBufferPointer {
        guard let part = archive.file.bytes.part(weightsRange.lowerBound, weightsRange.count) else {
            throw TensorFilesError(.truncated, archive.file.path, "the template ends inside its weights")
        }
        return part
    }

    /// The whole text of `config.json`, as a span of it.
    public var configurationSpan: Range<Int> { 0..<configurationRange.count }

    /// Writes the template to another path, atomically, with bytes of its weights and text of its configuration
    /// replaced.
    ///
    /// Fails, and writes nothing, when a patch is not wholly inside the weights, or a span inside the configuration, or
    /// when two overlap. Returns the number of bytes written.
    @discardableResult
    public func write(
        to path: FilePath, patches: [(offset: Int, bytes: UnsafeRawBufferPointer)],
        configPatches: [(span: Range<Int>, text: String)] = [], durable: Bool = false
    ) throws(TensorFilesError) -> Int {
        // One buffer for all texts, so that edits of both kinds are pieces of memory that stay in place.
        let texts = configPatches.flatMap { Array($0.text.utf8) }
        return try texts.span.withUnsafeBytes { (texts) throws(TensorFilesError) in
            var edits: [ArchiveEdit] = []
            edits.reserveCapacity(patches.count + configPatches.count)
            for (offset, bytes) in patches {
                guard let edit = ArchiveEdit(at: offset, bytes, within: weightsRange) else {
                    throw TensorFilesError(
                        .invalid, path,
                        "\(bytes.count) bytes at byte \(offset) of the template are not inside its weights, "
                            + "which stand at \(weightsRange)")
                }
                edits.append(edit)
            }
            var position = 0
            for (span, text) in configPatches {
                let length = text.utf8.count
                guard let text = texts.part(position, length),
                    let edit = ArchiveEdit(replacing: span, by: text, within: configurationRange)
                else {
                    throw TensorFilesError(
                        .invalid, path,
                        "the span \(span) is not inside the template's \(Self.configuration), "
                            + "which is \(configurationRange.count) bytes long")
                }
                position += length
                edits.append(edit)
            }
            return try write(to: path, edits: ArchiveEdit.sorted(edits, path), durable: durable)
        }
    }

    private func write(to path: FilePath, edits: [ArchiveEdit], durable: Bool) throws(TensorFilesError) -> Int {
        defer { withExtendedLifetime(archive) {} }
        do {
            var count = 0
            try AtomicFile.write(to: path, durable: durable) { writer in
                var records: [ZipRecord] = []
                records.reserveCapacity(archive.members.count)
                var header: [UInt8] = []
                for member in archive.members {
                    let own = edits.filter { $0.lies(within: member.data) }
                    let pieces = try ArchiveEdit.pieces(of: member.data, in: archive.file.bytes, edits: own, path)
                    let record = ZipRecord(
                        name: Array(member.name.utf8),
                        // What did not change keeps its checksum: reading it again would be most of the time.
                        checksum: own.isEmpty
                            ? member.checksum : pieces.reduce(0) { Checksum.crc32($1, after: $0) },
                        size: pieces.reduce(0) { $0 + $1.count }, offset: writer.count)
                    header.removeAll(keepingCapacity: true)
                    record.appendHeader(to: &header)
                    try writer.write(header)
                    for piece in pieces { try writer.write(piece) }
                    records.append(record)
                }
                try writer.write(ZipRecord.directory(records, at: writer.count))
                count = writer.count
            }
            return count
        } catch {
            throw TensorFilesError.wrapping(error, path)
        }
    }
}
