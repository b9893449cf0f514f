import Files
import Foundation
import SystemPackage
import TensorFiles
import Testing

@testable import Lowering

@Suite("States that are read of models without Python")
struct StartReadingTests {
    /// A model whose arrays lie beside it, and a bundle's folder in which the reading of its layout is written down.
    private struct Place: ~Copyable {
        let root: FilePath
        var model: FilePath { root.appending("1.keras") }
        var arrays: FilePath { root.appending("1.safetensors") }
        var starts: FilePath { root.appending("starts") }
        var base: FilePath { starts.appending("base.safetensors") }

        init() throws {
            root = FilePath(FileManager.default.temporaryDirectory.path).appending("starts-\(UUID().uuidString)")
            try Folder.create(starts)
            try Data("a model".utf8).write(to: URL(filePath: model.string))
            try Self.write(
                [("layers/dense/vars/0", [1, 2])],
                [
                    "layout": "ab", "file": digest, "config": "{}",
                    "numbers": "{}",
                ], to: arrays)
            try Self.write([("state/0000", [7, 8]), ("state/0001", [9])], [:], to: base)
            let reading = """
                {"base": "base.safetensors", "fixed": {}, "leaves": {"state/0000": "layers/dense/vars/0"}, "rate": null,
                 "numbers": []}
                """
            try Data(reading.utf8).write(to: URL(filePath: starts.appending("ab.json").string))
        }

        deinit { try? FileManager.default.removeItem(atPath: root.string) }

        var digest: String { Digest.sha256("a model") }

        func state() throws -> [[Float]]? {
            guard StartReading.writeState(of: model, digest: digest, in: starts) else { return nil }
            let file = try SafetensorsFile(starts.appending("\(digest).safetensors"))
            return try file.names.sorted().map { name in
                try file.tensor(name).bytes.withMemoryRebound(to: Float.self) { Array($0) }
            }
        }

        private static func write(
            _ tensors: [(name: String, values: [Float])], _ metadata: [String: String], to path: FilePath
        ) throws {
            // One after another in one buffer, which stays until all are written.
            try tensors.flatMap(\.values).withUnsafeBytes { bytes in
                var end = 0
                try Safetensors.write(
                    tensors.map { tensor in
                        let start = end
                        end += 4 * tensor.values.count
                        return (
                            tensor.name, .float32, [tensor.values.count],
                            UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                        )
                    }, metadata: metadata, to: path)
            }
        }
    }

    @Test("Leaves that a file gives come from its arrays, the others from the state of the first")
    func read() throws {
        #expect(try Place().state() == [[1, 2], [9]])
    }

    @Test("Damage in the arrays or in the first state is for Keras to see", arguments: [true, false])
    func damaged(isBase: Bool) throws {
        let place = try Place()
        let path = isBase ? place.base : place.arrays
        var data = try Data(contentsOf: URL(filePath: path.string))
        data[data.count - 1] ^= 1
        try data.write(to: URL(filePath: path.string))
        #expect(try place.state() == nil)
        #expect(!FileManager.default.fileExists(atPath: place.starts.appending("\(place.digest).safetensors").string))
    }

    @Test("What belongs to another model is not read")
    func others() throws {
        let place = try Place()
        #expect(!StartReading.writeState(of: place.model, digest: Digest.sha256("another"), in: place.starts))
    }
}
