import Bundles
import Files
import FoundationEssentials
import SystemPackage
import TensorFiles

/// How states are read from model files of one layout whose arrays stand beside them, without Python.
///
/// The lowering process has written it down (`starts/LAYOUT.json` in a bundle's folder), once it had Keras load such a file with all its numbers
/// altered: every leaf that a file gives is one of its arrays as it stands there.
struct StartReading: Decodable {
    /// The state of the file that it was found by, from which comes what files do not give.
    var base: String
    /// The SHA-256 digests of arrays that are no leaves, and must be what they were there.
    var fixed: [String: String]
    /// The array of each leaf that a file gives.
    var leaves: [String: String]
    /// The leaf that a file's configuration gives.
    var rate: Rate?
    /// The numbers of the program's parameters in the configuration; nil for those that are not there.
    var numbers: [String?]

    /// A leaf, and the path of its number in the configuration.
    struct Rate: Decodable {
        var leaf: String
        var number: String
    }

    /// Writes the state that a model file gives.
    ///
    /// - Parameters:
    ///   - digest: the model file's SHA-256 digest.
    ///   - folder: where the bundle keeps states.
    /// - Returns: whether it could be written; where not, Keras has to read the file.
    static func writeState(of file: FilePath, digest: String, in folder: FilePath) -> Bool {
        guard file.extension == "keras", let arrays = try? SafetensorsFile(Self.arrays(beside: file)),
            arrays.metadata["file"] == digest,
            let layout = arrays.metadata["layout"], layout.allSatisfy(\.isHexDigit),
            let text = FileManager.default.contents(atPath: folder.appending("\(layout).json").string),
            let reading = try? JSONDecoder().decode(StartReading.self, from: text)
        else { return false }
        return (try? reading.write(arrays, to: folder, digest)) ?? false
    }

    /// Where a model's arrays lie if they lie beside it.
    static func arrays(beside file: FilePath) -> FilePath {
        var place = file
        place.extension = "safetensors"
        return place
    }

    private func write(_ arrays: SafetensorsFile, to folder: FilePath, _ digest: String) throws -> Bool {
        guard let name = FilePath.Component(base), name.kind == .regular,
            let config = arrays.metadata["config"], let noted = arrays.metadata["numbers"]
        else { return false }
        let places = try JSONDecoder().decode([String: [Int]?].self, from: Data(noted.utf8))
        let spans = numbers.map { number in number.flatMap { places[$0] ?? nil } }
        guard zip(numbers, spans).allSatisfy({ ($0 == nil) == ($1 == nil) }) else { return false }
        for (name, digest) in fixed {
            guard Digest.sha256(try arrays.tensor(name).bytes) == digest else { return false }
        }
        var value: [UInt8] = []
        if let rate {
            guard let span = places[rate.number] ?? nil, let number = Self.number(at: span, of: config) else {
                return false
            }
            value = Self.bytes(of: number)
        }
        let first = try SafetensorsFile(folder.appending(name))
        // What is written gets a digest of its own, so that damage is found here or never.
        guard try arrays.verifyDigest(), try first.verifyDigest() else { return false }
        let encoded = String(decoding: try JSONEncoder().encode(spans), as: UTF8.self)
        return try value.withUnsafeBytes { value in
            var tensors: [(name: String, dtype: DType, shape: [Int], bytes: UnsafeRawBufferPointer)] = []
            for leaf in first.names {
                let state = try first.tensor(leaf)
                var bytes = state.bytes
                if let dataset = leaves[leaf] {
                    bytes = try arrays.tensor(dataset).bytes
                } else if leaf == rate?.leaf {
                    guard state.dtype == .float32 else { return false }
                    bytes = value
                }
                tensors.append((leaf, state.dtype, state.shape, bytes))
            }
            // Both files stay mapped until all is written.
            try withExtendedLifetime((first, arrays)) {
                try Safetensors.write(
                    tensors, metadata: ["config": config, "spans": encoded],
                    to: folder.appending("\(digest).safetensors"))
            }
            return true
        }
    }

    /// The number whose literal stands at [offset, length] in a text.
    private static func number(at span: [Int], of text: String) -> Float? {
        let bytes = Array(text.utf8)
        guard span.count == 2, span[0] >= 0, span[1] > 0, span[0] <= bytes.count - span[1] else { return nil }
        // As Python has it: a double, then rounded to the variable's type.
        return Double(String(decoding: bytes[span[0]..<span[0] + span[1]], as: UTF8.self)).map { Float($0) }
    }

    private static func bytes(of number: Float) -> [UInt8] {
        withUnsafeBytes(of: number.bitPattern.littleEndian) { Array($0) }
    }
}
