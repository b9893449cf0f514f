import Files
import FoundationEssentials
public import SystemPackage

/// Writes safetensors files.
public enum Safetensors {
    /// Writes tensors atomically: elements in C order, little-endian.
    ///
    /// The data stands by falling size of element, so that every tensor is aligned to its elements, and otherwise in the
    /// order given. The metadata gains the data's SHA-256 digest under ``SafetensorsFile/digestKey``.
    public static func write(
        _ tensors: [(name: String, dtype: DType, shape: [Int], bytes: UnsafeRawBufferPointer)],
        metadata: [String: String] = [:], to path: FilePath, durable: Bool = false
    ) throws(TensorFilesError) {
        var header = SafetensorsHeader()
        var digest = RunningDigest()
        var end = 0
        let order = tensors.indices.sorted {
            (-tensors[$0].dtype.size, $0) < (-tensors[$1].dtype.size, $1)
        }
        for index in order {
            let tensor = tensors[index]
            let label = "the tensor \"\(shown(tensor.name))\""
            guard tensor.dtype.byteCount(of: tensor.shape) == tensor.bytes.count else {
                throw TensorFilesError(
                    .invalid, path,
                    "\(label) of shape \(tensor.shape) and type \(tensor.dtype.rawValue) does not take "
                        + "\(tensor.bytes.count) bytes")
            }
            guard tensor.name != SafetensorsHeader.metadataKey, header.tensors[tensor.name] == nil else {
                throw TensorFilesError(.invalid, path, "\(label) has a name that is reserved or there twice")
            }
            header.tensors[tensor.name] = SafetensorsHeader.Entry(
                dtype: tensor.dtype.safetensorsName, shape: tensor.shape, offsets: [end, end + tensor.bytes.count])
            end += tensor.bytes.count
            digest.update(tensor.bytes)
        }
        header.metadata = metadata
        header.metadata[SafetensorsFile.digestKey] = digest.finish()
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            var text = Array(try encoder.encode(header))
            text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - text.count % 8) % 8))
            var start: [UInt8] = []
            start.append(little: UInt64(text.count))
            try AtomicFile.write(to: path, durable: durable) { writer in
                try writer.write(start)
                try writer.write(text)
                for index in order { try writer.write(tensors[index].bytes) }
            }
        } catch {
            throw TensorFilesError.wrapping(error, path)
        }
    }

    /// Writes tensors that are in memory, as the other does.
    public static func write(
        _ tensors: [(name: String, dtype: DType, shape: [Int], bytes: [UInt8])],
        metadata: [String: String] = [:], to path: FilePath, durable: Bool = false
    ) throws(TensorFilesError) {
        let all = tensors.flatMap(\.bytes)
        try all.span.withUnsafeBytes { (bytes) throws(TensorFilesError) in
            var end = 0
            let parts = tensors.map { tensor in
                let range = end..<(end + tensor.bytes.count)
                end = range.upperBound
                return (tensor.name, tensor.dtype, tensor.shape, UnsafeRawBufferPointer(rebasing: bytes[range]))
            }
            try write(parts, metadata: metadata, to: path, durable: durable)
        }
    }
}
