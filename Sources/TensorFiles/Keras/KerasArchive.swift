import Files
public import SystemPackage

/// A `.keras` file from elsewhere, checked as an archive before anything is made of it.
public struct KerasArchive: Sendable {
    private static let weights = "model.weights.h5"
    private static let configuration = "config.json"

    private let archive: ZipArchive

    /// Maps an archive; refuses what is no model of Keras's, and names that would lead out of a folder.
    public init(_ path: FilePath) throws(TensorFilesError) {
        let start = try MappedFile.open(path).withBytes { Array($0.prefix(8)) }
        if start.isEmpty {
            throw TensorFilesError(.notThisFormat, path, "the file is empty; fetch or save it again")
        }
        if start == [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a] {
            throw TensorFilesError(
                .notThisFormat, path, "this is a whole-model HDF5 file; load it in Keras and save it as .keras")
        }
        archive = try ZipArchive(path)
        for name in [Self.configuration, Self.weights] where archive.member(name) == nil {
            throw TensorFilesError(
                .notThisFormat, path, "this is not a Keras model: it has no \(name); save the model as .keras")
        }
    }

    /// The text of `config.json`: the layers, the compile settings.
    public func configuration() throws(TensorFilesError) -> [UInt8] {
        guard let member = archive.member(Self.configuration) else { return [] }
        return try archive.contents(member)
    }

    /// What else belongs to the architecture: the checksums of files that layers keep, such as vocabularies, by name.
    public var assets: [(name: String, checksum: UInt32)] {
        archive.members.filter { $0.name.hasPrefix("assets/") }.map { ($0.name, $0.checksum) }
            .sorted { $0.name < $1.name }
    }
}
