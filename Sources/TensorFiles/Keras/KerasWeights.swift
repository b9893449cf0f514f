import Files
public import SystemPackage

/// The weights of a `.keras` file that was made from a template: the same HDF5 file but for the bytes of the tensors, so that
/// each stands where it stands in the template.
public struct KerasWeights: Sendable {
    private let archive: ZipArchive
    private let member: ZipArchive.Member
    /// What to add to a place in the template.
    private let shift: Int

    /// Maps a file and checks that it was made from the template.
    ///
    /// - Parameter tensors: where tensors stand in the template, counted from its first byte; all other bytes of the weights
    ///   are the template's.
    /// - Throws: `notThisFormat` for a file that is of another architecture or was written by Keras itself.
    public init(_ path: FilePath, madeFrom template: KerasTemplate, tensors: [Range<Int>]) throws(TensorFilesError) {
        archive = try ZipArchive(path)
        guard let member = archive.member(KerasTemplate.weights), member.method == .stored else {
            throw Self.other(path)
        }
        self.member = member
        shift = member.data.lowerBound - template.weightsRange.lowerBound
        let own = try archive.rawBytes(member)
        let model = try template.weightBytes()
        guard own.count == model.count else { throw Self.other(path) }
        var position = 0
        for tensor in tensors.sorted(by: { $0.lowerBound < $1.lowerBound }) where !tensor.isEmpty {
            let start = tensor.lowerBound - template.weightsRange.lowerBound
            guard start >= position, start + tensor.count <= model.count else {
                throw TensorFilesError(.invalid, path, "a tensor of the template is not inside its weights")
            }
            guard own[position..<start].elementsEqual(model[position..<start]) else { throw Self.other(path) }
            position = start + tensor.count
        }
        guard own[position...].elementsEqual(model[position...]) else { throw Self.other(path) }
        defer { withExtendedLifetime(archive) {} }
        guard Checksum.crc32(own) == member.checksum else {
            throw TensorFilesError(.damaged, path, "its weights disagree with their checksum")
        }
    }

    /// Copies the tensor that stands at a place in the template.
    public func copy(_ tensor: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws(TensorFilesError) {
        let start = tensor.lowerBound + shift
        guard tensor.count == target.count, start >= member.data.lowerBound,
            start + tensor.count <= member.data.upperBound, let bytes = archive.file.bytes.part(start, tensor.count)
        else {
            throw TensorFilesError(.invalid, archive.file.path, "a tensor of the template is not inside the weights")
        }
        target.copyMemory(from: bytes)
        withExtendedLifetime(archive) {}
    }

    private static func other(_ path: FilePath) -> TensorFilesError {
        TensorFilesError(.notThisFormat, path, "its weights are not laid out as the program's template lays them out")
    }
}
