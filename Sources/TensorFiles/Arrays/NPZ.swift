import Files
public import SystemPackage

/// The arrays of an NPZ archive.
///
/// Those that `numpy.savez` stored are mapped where they stand; those that `numpy.savez_compressed` deflated are
/// inflated each time they are asked for, or once into a file with ``extract(_:to:durable:)``.
public struct NPZ: Sendable {
    private let archive: ZipArchive

    /// The names of the arrays, in the archive's order: labels, never to be used as paths.
    public let names: [String]

    /// Reads the directory of an archive.
    public init(_ path: FilePath) throws(TensorFilesError) {
        archive = try ZipArchive(path)
        names = archive.members.map(\.name).filter { $0.hasSuffix(".npy") }.map { String($0.dropLast(4)) }
    }

    /// Whether an array stands in the archive as it is, so that it can be mapped.
    public func isStored(_ name: String) throws(TensorFilesError) -> Bool { try member(name).method == .stored }

    /// Where a stored array stands in the archive; fails for a deflated one.
    public func file(_ name: String) throws(TensorFilesError) -> ArrayFile {
        let member = try member(name)
        guard member.method == .stored else {
            throw TensorFilesError(
                .unsupported, archive.file.path, "\(shown(name)) is compressed and cannot be mapped; extract it")
        }
        return try ArrayFile(
            archive.file, from: member.data.lowerBound, count: member.data.count, source: source(name))
    }

    /// An array: mapped if it is stored (its checksum is not read), in memory if it is deflated (checksum checked).
    public func array(_ name: String) throws(TensorFilesError) -> MappedArray {
        let member = try member(name)
        guard member.method == .deflated else { return try MappedArray(archive.file, file(name)) }
        return try MappedArray(npy: archive.contents(member), source: source(name))
    }

    /// Writes an array, inflated and with its checksum checked, to an NPY file of the caller's naming.
    public func extract(_ name: String, to path: FilePath, durable: Bool = false) throws(TensorFilesError) {
        let member = try member(name)
        do {
            try AtomicFile.write(to: path, durable: durable) { writer in
                try archive.read(member) { try writer.write($0) }
            }
        } catch {
            throw TensorFilesError.wrapping(error, path)
        }
    }

    private func source(_ name: String) -> String { "\(archive.file.path), array \(shown(name))" }

    private func member(_ name: String) throws(TensorFilesError) -> ZipArchive.Member {
        guard let member = archive.member(name + ".npy") else {
            throw TensorFilesError(
                .notFound, archive.file.path,
                "there is no array \"\(shown(name))\"; there are \(names.map(shown).joined(separator: ", "))")
        }
        return member
    }
}
