import Foundation
import Testing

@testable import Pronghorn

/// What models become, where no Keras is needed to tell.
@Suite struct ModelTests {
    @Test("Layers that Keras would number are named as Keras names them")
    func automaticNames() {
        let names = [
            "Dense": "dense", "Conv2D": "conv2d", "Conv2DTranspose": "conv2d_transpose", "LSTM": "lstm",
            "GlobalAveragePooling2D": "global_average_pooling2d", "MultiHeadAttention": "multi_head_attention",
            "PReLU": "p_re_lu", "LeakyReLU": "leaky_re_lu", "SpatialDropout1D": "spatial_dropout1d",
            "InputLayer": "input_layer", "UpSampling2D": "up_sampling2d", "ReLU": "re_lu",
        ]
        for (name, expected) in names { #expect(KerasNames.snakeCase(name) == expected) }
    }

    @Test("A stack takes layers from conditions and loops, and what is not given is left to Keras")
    func builder() {
        let widths = [8, 4]
        let isDeep = false
        let model = Sequential {
            Input(3)
            for width in widths { Dense(width, activation: .relu) }
            if isDeep { Dense(2) } else { Layer("GroupNormalization", ["groups": 2]) }
            Dense(1).named("out").with(["trainable": false])
        }
        let classes = model.layers.map(\.object.className)
        #expect(classes == ["InputLayer", "Dense", "Dense", "GroupNormalization", "Dense"])
        #expect(model.layers[1].object.arguments == ["units": 8, "activation": "relu"])
        #expect(model.layers[4].object.arguments == ["units": 1, "name": "out", "trainable": false])
        #expect(model.layers[0].object.arguments == ["batch_shape": [nil, 3]])
    }

    @Test("Numbers keep their kind, so that Python tells 1 from 1.0")
    func numbers() {
        let model = Sequential {
            Input(1); Dense(1)
        }
        .compiled(optimizer: .sgd(learningRate: 1, momentum: 0.5), loss: .huber(delta: 2))
        #expect(model.json.contains(#""learning_rate": 1.0"#) && model.json.contains(#""delta": 2.0"#))
        #expect(model.json.contains(#""units": 1,"#) || model.json.contains(#""units": 1}"#))
    }

    @Test("A metric by its class is that class with Keras's own name for it, one by a name is told from the loss")
    func metrics() {
        let model = Sequential { Dense(1) }.compiled(
            optimizer: .sgd(), loss: .poisson,
            metrics: [.meanAbsoluteError, .accuracy, Metric("F1Score", ["average": "macro"])])
        #expect(model.json.contains(#""class_name": "MeanAbsoluteError", "config": {}, "module": "keras.metrics""#))
        #expect(model.json.contains(#""accuracy","#))
        #expect(model.json.contains(#""class_name": "F1Score", "config": {"average": "macro"}"#))
    }

    @Test("What an experiment's layers are adapted to is a part of what is written of it")
    func adapting() throws {
        let model = Sequential {
            Input(2); Normalization(axis: 1).named("scale"); Dense(1)
        }.compiled(optimizer: .sgd(), loss: .meanSquaredError)
        let plain = Experiment("e", model: model, data: .npy(x: "x.npy", y: "y.npy"))
        for (experiment, expected) in [
            (plain, nil), (plain.adapting(), "true"), (plain.adapting("scale"), #"["scale"]"#),
            (plain.adapting("scale", "other"), #"["scale","other"]"#),
        ] {
            try experiment.validate()
            let written = try JSONEncoder().encode(experiment)
            let fields = try #require(try JSONSerialization.jsonObject(with: written) as? [String: Any])
            let adapt = try fields["adapt"].map {
                String(
                    decoding: try JSONSerialization.data(withJSONObject: $0, options: .fragmentsAllowed), as: UTF8.self)
            }
            #expect(adapt == expected)
            #expect(try JSONDecoder().decode(Experiment.self, from: written).adapt == experiment.adapt)
        }
        #expect {
            try plain.adapting("scale", "scale").validate()
        } throws: {
            "\($0)".contains("adapt[1]: the layer 'scale' is there already")
        }
    }

    @Test("A trial of an experiment on several models that names none of them is refused")
    func choices() throws {
        let model = Sequential {
            Input(1); Dense(1)
        }.compiled(optimizer: .sgd(), loss: .meanSquaredError)
        var experiment = Experiment("e", models: ["a": model, "b": model], data: .npy(x: "x.npy", y: "y.npy"))
            .trials(seeds: 0..<3)
        #expect(try experiment.trials(partitions: ["all"]).count == 6)
        try experiment.validate()
        experiment.space = .product([Axis("seed", 0..<3)])
        #expect(throws: ExperimentError.self) { try experiment.validate() }
        experiment.space = .product([Axis("model", ["a", "c"])])
        #expect { try experiment.validate() } throws: { error in
            "\(error)" == "trials.model: must be the name of one of the models; accepted: a, b (did you mean 'a'?)"
        }
    }

    @Test("The program that trains is found where it is named, beside the caller or in PATH; else the error says how")
    func program() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "pronghorn-program-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["beside", "path", "named"] {
            let place = folder.appending(path: name)
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            try Data().write(to: place.appending(path: "pronghorn"))
            chmod(place.appending(path: "pronghorn").path, 0o755)
        }
        func path(_ name: String) -> FilePath { FilePath(folder.appending(path: name).path) }
        let variables = ["PATH": "/nowhere:\(path("path"))", "PRONGHORN_BINARY": "\(path("named/pronghorn"))"]
        let own = path("beside/script")
        #expect(try ToolProgram.find(named: nil, environment: variables, executable: own) == path("named/pronghorn"))
        let fewer = ["PATH": variables["PATH"] ?? ""]
        #expect(try ToolProgram.find(named: nil, environment: fewer, executable: own) == path("beside/pronghorn"))
        let elsewhere = path("script")
        #expect(try ToolProgram.find(named: nil, environment: fewer, executable: elsewhere) == path("path/pronghorn"))
        #expect { try ToolProgram.find(named: nil, environment: [:], executable: elsewhere) } throws: { error in
            (error as? PronghornError)?.code == .noProgram && "\(error)".contains("PRONGHORN_BINARY")
        }
        #expect(throws: PronghornError.self) { try ToolProgram.find(named: "/nowhere/pronghorn") }
    }
}
