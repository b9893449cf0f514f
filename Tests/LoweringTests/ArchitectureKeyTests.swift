import Foundation
import SystemPackage
import TensorFiles
import Testing

@testable import Lowering

/// Which `.keras` files may share a program, told from their configurations.
@Suite struct ArchitectureKeyTests {
    /// A configuration as Keras writes it, as short as it can be.
    struct Model {
        var name = "store_1"
        var dense = "dense"
        var seed = "7"
        var dropout = "0.2"
        var dropoutSeed = "null"
        var rate = "0.001"
        var optimizer = "adam"
        var shared = "1405"
        var outputs = #"["DENSE", 0, 0]"#
        var assets: [String: String] = [:]

        var text: String {
            """
            {"module": "keras", "class_name": "Functional", "config": {"name": "\(name)", "layers": [
            {"class_name": "InputLayer", "config": {"name": "in", "dtype": {"shared_object_id": \(shared)}}, "name": "in"},
            {"class_name": "Dense", "config": {"name": "\(dense)", "units": 4, "activation": "relu",
             "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": \(seed)}},
             "dtype": {"shared_object_id": \(shared)}}, "name": "\(dense)",
             "inbound_nodes": [{"args": [{"config": {"keras_history": ["in", 0, 0]}}]}]},
            {"class_name": "Dropout", "config": {"name": "dropout", "rate": \(dropout), "seed": \(dropoutSeed)},
             "name": "dropout", "inbound_nodes": [{"args": [{"config": {"keras_history": ["\(dense)", 0, 0]}}]}]}],
            "input_layers": ["in", 0, 0], "output_layers": \(outputs.replacing("DENSE", with: dense))},
            "compile_config": {"optimizer": {"class_name": "Adam",
             "config": {"name": "\(optimizer)", "learning_rate": \(rate), "beta_1": 0.9}}, "loss": "mse"}}
            """
        }
    }

    func key(_ model: Model) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "architecture-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = FilePath(folder.path).appending("model.keras")
        let members = [("config.json", model.text), ("model.weights.h5", "weights")] + model.assets.sorted { $0 < $1 }
        let bytes = members.flatMap { Array($0.1.utf8) }
        try bytes.withUnsafeBytes { all in
            var start = 0
            let parts = members.map { name, text in
                defer { start += text.utf8.count }
                return (name, UnsafeRawBufferPointer(rebasing: all[start..<start + text.utf8.count]))
            }
            try StoredArchive.write(parts, to: file)
        }
        return try Architecture.key(of: file)
    }

    @Test("Names, seeds of initializers, learning rates and addresses in memory make no other program")
    func alike() throws {
        let key = try key(Model())
        for change in [
            Model(name: "store_2"), Model(dense: "dense_9"), Model(seed: "8"), Model(rate: "0.5"),
            Model(optimizer: "adam_3"), Model(shared: "99"),
        ] {
            #expect(try self.key(change) == key, "\(change)")
        }
    }

    @Test("What a step computes with, or what the logs and the data are called by, makes another program")
    func different() throws {
        var models = [
            Model(), Model(dropout: "0.3"), Model(dropoutSeed: "3"), Model(dropoutSeed: "4"), Model(seed: "null"),
            Model(rate: #"{"class_name": "ExponentialDecay", "config": {"decay_rate": 0.9}}"#),
            Model(rate: #"{"class_name": "ExponentialDecay", "config": {"decay_rate": 0.8}}"#),
            Model(assets: ["assets/layers/lookup/vocabulary.txt": "a\nb"]),
            Model(assets: ["assets/layers/lookup/vocabulary.txt": "a\nc"]),
        ]
        let several = #"[["DENSE", 0, 0], ["dropout", 0, 0]]"#
        models += [Model(outputs: several), Model(dense: "dense_9", outputs: several)]
        let keys = try models.map { try key($0) }
        #expect(Set(keys).count == models.count)
    }

    @Test("A layer that takes another one's name in a configuration is not taken for it")
    func exchangedNames() throws {
        #expect(try key(Model(dense: "relu")) == key(Model(dense: "tanh")))
        #expect(try key(Model(dense: "dropout")) != key(Model(dense: "dense")))
    }
}
