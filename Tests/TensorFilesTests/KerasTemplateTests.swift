import Files
import Foundation
import SystemPackage
import Testing

@testable import TensorFiles

struct KerasTemplateTests {
    private struct Leaf: Codable {
        var name: String
        var offset: Int
        var count: Int
    }

    private struct Saved: Codable {
        var leaves: [Leaf]
        var span: [Int]
    }

    private struct Loaded: Codable {
        var leaves: [String: [Float]]
        var rate: Float
        var configured: Float
        var members: [String]
    }

    @Test(.enabled(if: Python.has("keras", "jax", "h5py")))
    func `A patched template loads in Keras with the new weights and learning rate`() throws {
        let scratch = try Scratch()
        let template = scratch.path.appending("template.keras")
        let saved = try Python.run(
            Saved.self,
            """
            import io, json, sys, zipfile
            import h5py, keras, numpy as np
            keras.utils.set_random_seed(1)
            m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)])
            m.compile(keras.optimizers.Adam(0.001), 'mse')
            m.fit(np.ones((8, 4)), np.ones(8), verbose=0)
            m.save(sys.argv[1])
            leaves = []
            with zipfile.ZipFile(sys.argv[1]) as z:
                info = z.getinfo('model.weights.h5')
                head = open(sys.argv[1], 'rb').read()[info.header_offset:][:30]
                start = info.header_offset + 30 + int.from_bytes(head[26:28], 'little') + int.from_bytes(head[28:30], 'little')
                def visit(name, d):
                    if isinstance(d, h5py.Dataset) and d.dtype == np.float32:
                        leaves.append(dict(name=name, offset=start + d.id.get_offset(), count=d.size))
                with h5py.File(io.BytesIO(z.read(info))) as f: f.visititems(visit)
                config = z.read('config.json')
            literal = str(float(np.float32(0.001))).encode()
            assert config.count(literal) == 1, config
            print(json.dumps(dict(leaves=leaves, span=[config.index(literal), len(literal)])))
            """, template.string)
        #expect(saved.leaves.count > 8)
        // Every leaf gets numbers of its own; the learning rate is the optimizer's only leaf of one element.
        var expected: [String: [Float]] = [:]
        for (index, leaf) in saved.leaves.enumerated() {
            expected[leaf.name] = (0..<leaf.count).map { Float(index) + Float($0) / 64 }
        }
        let rate = try #require(saved.leaves.first { $0.name.hasPrefix("optimizer/") && $0.count == 1 })
        expected[rate.name] = [0.25]
        let kept = try saved.leaves.map { leaf in
            OwnedBytes(try #require(expected[leaf.name]).flatMap { withUnsafeBytes(of: $0, Array.init) })
        }
        let path = scratch.path.appending("patched.keras")
        let count = try KerasTemplate(template).write(
            to: path, patches: zip(saved.leaves, kept).map { ($0.offset, $1.bytes) }.reversed(),
            configPatches: [(saved.span[0]..<saved.span[0] + saved.span[1], "0.25")], durable: true)
        #expect(try MappedFile(path).size == count)

        // The weights are read back from where they stand, though the configuration before them has another length.
        let places = saved.leaves.map { $0.offset..<$0.offset + 4 * $0.count }
        let weights = try KerasWeights(path, madeFrom: KerasTemplate(template), tensors: places)
        for (leaf, place) in zip(saved.leaves, places) {
            var numbers = [Float](repeating: -1, count: leaf.count)
            try numbers.withUnsafeMutableBytes { try weights.copy(place, into: $0) }
            #expect(numbers == expected[leaf.name])
        }
        // A tensor that is not said to be one is a byte that may not differ.
        #expect(throws: TensorFilesError.self) {
            try KerasWeights(path, madeFrom: KerasTemplate(template), tensors: Array(places.dropFirst()))
        }
        let loaded = try Python.run(
            Loaded.self,
            """
            import io, json, sys, zipfile
            import h5py, keras, numpy as np
            m = keras.saving.load_model(sys.argv[1])
            m.predict(np.ones((2, 4)), verbose=0)
            leaves = {}
            with zipfile.ZipFile(sys.argv[1]) as z:
                assert z.testzip() is None
                def visit(name, d):
                    if isinstance(d, h5py.Dataset) and d.dtype == np.float32: leaves[name] = d[()].ravel().tolist()
                with h5py.File(io.BytesIO(z.read('model.weights.h5'))) as f: f.visititems(visit)
                configured = json.loads(z.read('config.json'))['compile_config']['optimizer']['config']['learning_rate']
                members = z.namelist()
            for layer, name in zip(m.layers, ['dense', 'dense_1']):
                for i, w in enumerate(layer.get_weights()):
                    assert w.ravel().tolist() == leaves['layers/%s/vars/%d' % (name, i)], name
            print(json.dumps(dict(leaves=leaves, rate=float(m.optimizer.learning_rate), configured=configured, members=members)))
            """, path.string)
        #expect(loaded.leaves == expected)
        #expect(loaded.rate == 0.25 && loaded.configured == 0.25)
        #expect(loaded.members == ["metadata.json", "config.json", "model.weights.h5"])
    }

    /// A template of the right form that no Keras wrote: 64 bytes of weights, and assets behind them.
    private func template(_ scratch: Scratch) throws -> (path: FilePath, weights: Int) {
        let path = scratch.path.appending("template.keras")
        let weights: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a] + [UInt8](repeating: 7, count: 56)
        let members = [
            ("metadata.json", Array("{}".utf8)), ("config.json", Array(#"{"rate": 0.001}"#.utf8)),
            ("model.weights.h5", weights), ("assets/words.txt", Array("a\nb\n".utf8)),
        ].map { ($0.0, OwnedBytes($0.1)) }
        try StoredArchive.write(members.map { ($0.0, $0.1.bytes) }, to: path)
        let archive = try ZipArchive(path)
        return (path, try #require(archive.member("model.weights.h5")).data.lowerBound)
    }

    @Test func `Only what is patched changes`() throws {
        let scratch = try Scratch()
        let (path, weights) = try template(scratch)
        let template = try KerasTemplate(path)
        let same = scratch.path.appending("same.keras")
        let count = try template.write(to: same, patches: [])
        #expect(try Digest.sha256(file: same) == Digest.sha256(file: path))
        #expect(try MappedFile(path).size == count)
        let other = scratch.path.appending("other.keras")
        let patch = OwnedBytes([1, 2, 3, 4])
        try template.write(
            to: other, patches: [(weights + 60, patch.bytes), (weights + 8, patch.bytes), (weights + 12, patch.bytes)],
            configPatches: [(9..<14, "0.25e-10"), (15..<15, "\n"), (0..<0, " ")])
        let archive = try ZipArchive(other)
        let contents = try archive.members.map { try archive.contents($0) }
        #expect(String(decoding: contents[1], as: UTF8.self) == " {\"rate\": 0.25e-10}\n")
        let expected: [UInt8] = [1, 2, 3, 4, 1, 2, 3, 4] + [UInt8](repeating: 7, count: 44) + [1, 2, 3, 4]
        #expect(Array(contents[2].dropFirst(8)) == expected)
        #expect(contents[3] == Array("a\nb\n".utf8))
    }

    @Test func `A patch that would spoil the file is refused and nothing is written`() throws {
        let scratch = try Scratch()
        let (path, weights) = try template(scratch)
        let template = try KerasTemplate(path)
        let four = OwnedBytes([1, 2, 3, 4])
        let out = scratch.path.appending("out.keras")
        for offsets in [[-1], [0], [weights - 1], [weights + 61], [weights + 64], [Int.max], [Int.min]]
            + [[weights, weights + 3], [weights + 20, weights + 20]]
        {
            let error = #expect(throws: TensorFilesError.self, "\(offsets)") {
                try template.write(to: out, patches: offsets.map { ($0, four.bytes) })
            }
            #expect(error?.code == .invalid)
        }
        for spans in [[-1..<2], [14..<16], [100..<101], [Int.min..<Int.max], [2..<6, 5..<7]] {
            let error = #expect(throws: TensorFilesError.self, "\(spans)") {
                try template.write(to: out, patches: [], configPatches: spans.map { ($0, "x") })
            }
            #expect(error?.code == .invalid)
        }
        #expect(try scratch.names() == ["template.keras"])
    }

    @Test func `A template that is damaged or no Keras model is refused`() throws {
        let scratch = try Scratch()
        let (path, weights) = try template(scratch)
        var bytes = try MappedFile(path).withBytes { Array($0) }
        bytes[weights + 30] ^= 1
        try AtomicFile.write(bytes, to: path)
        #expect(throws: TensorFilesError.self) { try KerasTemplate(path) }
        try AtomicFile.write(Fixtures.deflated(), to: path)
        #expect(throws: TensorFilesError.self) { try KerasTemplate(path) }
        try AtomicFile.write(Fixtures.long(), to: path)
        let error = #expect(throws: TensorFilesError.self) { try KerasTemplate(path) }
        #expect(error?.code == .notThisFormat)
    }

    @Test func `Several threads write from one template`() async throws {
        let scratch = try Scratch()
        let (path, weights) = try template(scratch)
        let template = try KerasTemplate(path)
        let folder = scratch.path
        try await withThrowingTaskGroup(of: Void.self) { group in
            for value in UInt8(0)..<8 {
                group.addTask {
                    let bytes = OwnedBytes([UInt8](repeating: value, count: 8))
                    for index in 0..<20 {
                        try template.write(
                            to: folder.appending("\(value)-\(index).keras"),
                            patches: [(weights + 16, bytes.bytes)])
                    }
                }
            }
            try await group.waitForAll()
        }
        for value in UInt8(0)..<8 {
            for index in 0..<20 {
                let archive = try ZipArchive(scratch.path.appending("\(value)-\(index).keras"))
                let contents = try archive.contents(archive.members[2])
                #expect(contents[16..<24].allSatisfy { $0 == value })
            }
        }
    }
}
