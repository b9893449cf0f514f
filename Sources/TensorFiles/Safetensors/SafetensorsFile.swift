import Files
import FoundationEssentials
public import SystemPackage

/// A safetensors file, mapped, its header checked: every tensor is inside the data, none overlap, no byte is left over.
public struct SafetensorsFile: Sendable {
    /// The metadata key of the SHA-256 digest of the data, which ``Safetensors/write(_:metadata:to:durable:)`` adds.
    public static let digestKey = "sha256"

    private struct Place: Sendable {
        var dtype: DType
        var shape: [Int]
        var offset: Int
    }

    private let file: MappedFile
    private let places: [String: Place]
    private let dataStart: Int

    /// The names of the tensors, in the order of their data.
    public let names: [String]
    /// The file's own notes, text by text.
    public let metadata: [String: String]

    /// Maps a file and checks its header; the data is not read.
    public init(_ path: FilePath) throws(TensorFilesError) {
        let file = try MappedFile.open(path)
        let (header, start) = try file.withBytes { (bytes) throws(TensorFilesError) in
            try Self.header(bytes, path)
        }
        var places: [String: Place] = [:]
        // Tensors without elements share their place with the next one.
        let sorted = header.tensors.sorted { first, second in
            if first.value.offsets == second.value.offsets { return first.key < second.key }
            return first.value.offsets.lexicographicallyPrecedes(second.value.offsets)
        }
        var end = 0
        for (name, entry) in sorted {
            let label = "the tensor \"\(shown(name))\""
            guard let dtype = DType(safetensors: entry.dtype) else {
                throw TensorFilesError(
                    .unsupported, path, "\(label) has elements of type \(shown(entry.dtype)), which is not supported")
            }
            guard let count = dtype.byteCount(of: entry.shape) else {
                throw TensorFilesError(.malformed, path, "\(label) has an impossible shape")
            }
            guard entry.offsets.count == 2, entry.offsets[0] >= 0, entry.offsets[1] >= entry.offsets[0],
                entry.offsets[1] - entry.offsets[0] == count
            else {
                throw TensorFilesError(.malformed, path, "\(label) and its data offsets disagree about its size")
            }
            guard entry.offsets[0] == end else {
                throw TensorFilesError(.malformed, path, "\(label) overlaps another one or leaves a gap before it")
            }
            end = entry.offsets[1]
            guard end <= file.size - start else {
                throw TensorFilesError(.truncated, path, "the file ends before the end of \(label)")
            }
            places[name] = Place(dtype: dtype, shape: entry.shape, offset: start + entry.offsets[0])
        }
        guard end == file.size - start else {
            throw TensorFilesError(.malformed, path, "there are bytes that belong to no tensor")
        }
        self.file = file
        self.places = places
        dataStart = start
        names = sorted.map(\.key)
        metadata = header.metadata
    }

    private static func header(
        _ bytes: UnsafeRawBufferPointer, _ path: FilePath
    ) throws(TensorFilesError) -> (SafetensorsHeader, Int) {
        guard let declared = bytes.little(UInt64.self, at: 0) else {
            throw TensorFilesError(.notThisFormat, path, "this is not a safetensors file: it is too short")
        }
        guard declared <= UInt64(SafetensorsHeader.maximumLength) else {
            throw TensorFilesError(.notThisFormat, path, "this is not a safetensors file: its header is too long")
        }
        guard let text = bytes.part(8, Int(declared)) else {
            throw TensorFilesError(.truncated, path, "the file ends inside its header")
        }
        guard text.first == UInt8(ascii: "{") else {
            throw TensorFilesError(.notThisFormat, path, "this is not a safetensors file: its header is not JSON")
        }
        do {
            return (try JSONDecoder().decode(SafetensorsHeader.self, from: Data(text)), 8 + Int(declared))
        } catch {
            throw TensorFilesError(
                code: .malformed, message: "\(path): the header is not that of a safetensors file", cause: error)
        }
    }

    /// Whether there is a tensor of a name.
    public func contains(_ name: String) -> Bool { places[name] != nil }

    /// A tensor's elements, where they stand in the file.
    public func tensor(_ name: String) throws(TensorFilesError) -> MappedArray {
        guard let place = places[name] else {
            throw TensorFilesError(.notFound, file.path, "there is no tensor \"\(shown(name))\"")
        }
        return try MappedArray(file, offset: place.offset, dtype: place.dtype, shape: place.shape)
    }

    /// Reads all data and compares it with the digest in the metadata; false when there is none to compare with.
    @discardableResult
    public func verifyDigest() throws(TensorFilesError) -> Bool {
        guard let expected = metadata[Self.digestKey] else { return false }
        let found = file.withBytes { bytes in
            bytes.part(dataStart, bytes.count - dataStart).map { Digest.sha256($0) }
        }
        guard found == expected else {
            throw TensorFilesError(.damaged, file.path, "the data disagrees with its digest; use an older file")
        }
        return true
    }
}
