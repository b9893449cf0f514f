import SystemPackage
import Testing

extension EndToEndTests {
    /// Mistakes in what the user wrote: each is one clear line, and leaves nothing behind.
    @Suite struct WrongFilesTests {
        /// A mistake, where it stands, and what the message must speak of.
        struct Mistake: Sendable, CustomTestStringConvertible {
            let testDescription: String
            /// The experiment file; MODELS stands for the folder and the file of `models.py`.
            var yaml: String
            /// What the message begins with: file and line, and the key.
            var place: String
            var key: String
            /// Words that the message must hold.
            var words: [String]
            var arguments: [String] = []

            init(
                _ description: String, _ yaml: String, _ place: String, _ key: String, _ words: [String],
                arguments: [String] = []
            ) {
                testDescription = description
                self.yaml = yaml
                self.place = place
                self.key = key
                self.words = words
                self.arguments = arguments
            }
        }

        static let data = "data: {x: x.npy, y: y.npy}\n"
        static let model = "model: MODELS:regression\n"

        /// Mistakes that show without Keras.
        static let inFile: [Mistake] = [
            .init(
                "an unknown key", model + data + "fit:\n  epochs: 2\n  epoch_size: 3\n", "wrong.yaml:5",
                "fit.epoch_size",
                ["unknown", "epochs"]),
            .init(
                "a misspelt key", model + data + "trails: {seed: 3}\n", "wrong.yaml:3", "trails",
                ["did you mean 'trials'"]),
            .init("no YAML", model + data + "fit: {epochs: 2\n", "wrong.yaml:", "", []),
            .init("a key given twice", model + data + "data: {x: x.npy}\n", "wrong.yaml:", "", ["'data'", "twice"]),
            .init(
                "a text for a number", model + data + "fit: {epochs: many}\n", "wrong.yaml:3", "fit.epochs", ["many"]),
            .init("no model", data, "wrong.yaml:1", "model", ["missing"]),
            .init(
                "a missing data file", model + "data:\n  x: x.npy\n  y: absent.npy\n", "wrong.yaml:4", "data.y",
                ["absent.npy"]),
            .init(
                "a file that is no array", model + "data:\n  x: x.npy\n  y: wrong.yaml\n", "wrong.yaml:4", "data.y",
                ["wrong.yaml"]),
            .init(
                "x and y of different row counts", model + "data:\n  x: x.npy\n  y: short.npy\n", "wrong.yaml:4",
                "data.y",
                ["40", "30"]),
            .init("NaN in the data", model + "data:\n  x: nan.npy\n  y: y.npy\n", "wrong.yaml:3", "data.x", ["NaN"]),
            .init(
                "more partitions than rows", model + data + "partition: {count: 41}\n", "wrong.yaml:3", "partition",
                ["40"]),
            .init(
                "a partition with no rows", model + data + "partition: {folds: 50}\n", "wrong.yaml:3", "partition",
                ["40"]),
            .init(
                "partitions by a column that is not there", model + data + "partition: {by: store}\n", "wrong.yaml:3",
                "partition.by", ["store"]),
            .init(
                "validation that takes every row", model + data + "fit: {validation: 1.0}\n", "wrong.yaml:3",
                "fit.validation", []),
            .init("a missing Python file", "model: absent.py:build\n" + data, "wrong.yaml:1", "model", ["absent.py"]),
            .init(
                "a seed that is none", model + data + "trials: {seed: [-1]}\n", "wrong.yaml:3", "trials.seed", ["-1"]),
            .init(
                "an unknown choice of what to save", model + data + "save: everything\n", "wrong.yaml:3", "save",
                ["everything", "all"]),
            .init(
                "a wrong --set", model + data, "--set fit.epochs=0", "fit.epochs", ["0"],
                arguments: ["--set", "fit.epochs=0"]),
            .init(
                "CUDA asked for and absent", model + data, "", "", ["cuda", "--devices cpu"],
                arguments: ["--devices", "cuda"]),
            .init(
                "devices that mean nothing", model + data, "", "", ["tpu", "auto"], arguments: ["--devices", "tpu"]),
        ]

        /// Mistakes that show when the model is built.
        static let inModel: [Mistake] = [
            .init(
                "no such function", "model: MODELS:absent\n" + data, "wrong.yaml:1", "model", ["absent", "models.py"]),
            .init(
                "a build function that raises", "model: MODELS:raises\n" + data, "wrong.yaml:1", "model",
                ["the store has no such shelf", "models.py:", "ValueError"]),
            .init("a build that returns no model", "model: MODELS:text\n" + data, "wrong.yaml:1", "model", ["str"]),
            .init(
                "a build that returns no compiled model", "model: MODELS:uncompiled\n" + data, "wrong.yaml:1", "model",
                ["compile"]),
            .init(
                "shapes that disagree between model and data", model + "data: {x: wide.npy, y: y.npy}\n",
                "wrong.yaml:1",
                "model", ["6", "9"]),
            .init(
                "an argument that the build function does not take", model + data + "trials: {layers: [1, 2]}\n",
                "wrong.yaml:3:10", "trials.layers",
                ["regression() takes no argument 'layers'", "accepted: ", "learning_rate"]),
            .init(
                "an argument of one trial that the build function does not take",
                model + data + "trials:\n  - {seed: 2, learning_rat: 0.1}\n  - {seed: 1}\n", "wrong.yaml:4:29",
                "trials[0].learning_rat", ["models.py:", "did you mean 'learning_rate'"]),
            .init(
                "a learning rate for a model with a schedule",
                "model: MODELS:scheduled\n" + data + "trials:\n  learning_rate: [0.1, 0.01]\n", "wrong.yaml:", "",
                ["learning_rate", "schedule"]),
            .init(
                "an unknown metric in save", model + data + "save: {best: f1}\n", "wrong.yaml:3", "save",
                ["f1", "loss"]),
            .init(
                "a metric of validation without any", model + data + "save: {best: val_loss}\n", "wrong.yaml:3", "save",
                ["val_loss", "fit.validation"]),
            .init(
                "a callback that watches a metric which is not measured",
                model + data + "callbacks:\n  - early_stopping: {monitor: mae}\n", "wrong.yaml:4:31",
                "callbacks[0].early_stopping.monitor", ["mae", "accepted: loss"]),
            .init(
                "a plateau for a model with a schedule",
                "model: MODELS:scheduled\n" + data + "callbacks:\n  - reduce_lr_on_plateau: {monitor: loss}\n",
                "wrong.yaml:4:5", "callbacks[0].reduce_lr_on_plateau", ["learning rate", "schedule"]),
            .init(
                "averages that no optimizer keeps", model + data + "callbacks: [swap_ema_weights]\n",
                "wrong.yaml:3:13", "callbacks[0].swap_ema_weights", ["use_ema"]),
            .init(
                "an unknown layer",
                "model:\n  layers: [Dance: {units: 3}]\n  compile: {optimizer: adam, loss: mse}\n" + data,
                "wrong.yaml:2:12", "model.layers[0]", ["Dance"]),
            .init(
                "an argument that a layer does not take",
                "model:\n  layers:\n    - Flatten\n    - Dense: {unit: 3}\n  compile: {optimizer: adam, loss: mse}\n"
                    + data,
                "wrong.yaml:4:7", "model.layers[1]", ["did you mean 'units'"]),
            .init(
                "an argument that an optimizer does not take",
                "model:\n  layers: [Dense: {units: 1}]\n  compile: {optimizer: {SGD: {rate: 3}}, loss: mse}\n" + data,
                "wrong.yaml:3:13", "model.compile.optimizer", ["rate"]),
        ]

        @Test("A mistake in the file or the data is told in one line", arguments: inFile)
        func inTheFile(mistake: Mistake) async throws { try await check(mistake) }

        @Test("A mistake in the model is told in one line that names the experiment's", arguments: inModel)
        func inTheModel(mistake: Mistake) async throws { try await check(mistake) }

        func check(_ mistake: Mistake) async throws {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [40, 6])
            try place.writeNumbers("wide.npy", shape: [40, 9])
            try place.writeNumbers("y.npy", shape: [40, 1])
            try place.writeNumbers("short.npy", shape: [30, 1])
            try place.writeNumbers("nan.npy", shape: [40, 6], [Float](repeating: 1, count: 239) + [.nan])
            try place.write("wrong.yaml", mistake.yaml.replacing("MODELS", with: Tool.models.string))

            let outcome = try await Tool.run(["train", "wrong.yaml"] + mistake.arguments, in: place.root)
            #expect(outcome.status == 2, "\(outcome)")
            let errors = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("error: ") }
            #expect(errors.count == 1, "\(outcome)")
            let message = String(errors.first ?? "")
            #expect(message.hasPrefix("error: \(mistake.place)"), "\(outcome)")
            if !mistake.key.isEmpty { #expect(message.contains(": \(mistake.key)"), "\(outcome)") }
            for word in mistake.words {
                #expect(message.lowercased().contains(word.lowercased()), "\(word) is not in \(outcome)")
            }
            for word in ["Traceback", "Fatal error", "thread", "Optional(", "LoweringError"] {
                #expect(!outcome.errors.contains(word) && !outcome.output.contains(word), "\(outcome)")
            }
            #expect(!place.exists("runs"), "a run's folder was left")
        }

        @Test("A wrong experiment given to plan is told in the same words, with the same status")
        func plan() async throws {
            let place = Workplace()
            try place.write(
                "wrong.yaml", Self.model.replacing("MODELS", with: Tool.models.string) + "data: {x: absent.npy}\n")
            let train = try await Tool.run(["train", "wrong.yaml"], in: place.root)
            let plan = try await Tool.run(["plan", "wrong.yaml"], in: place.root)
            #expect(plan.status == 2)
            #expect(plan.errors == train.errors)
        }

        @Test(
            "A missing experiment file, an unknown option and an unknown verb are bad requests",
            arguments: [
                ["train", "absent.yaml"], ["train"], ["train", "wrong.yaml", "--gpus", "3"], ["teach", "wrong.yaml"],
                ["results", "absent"], ["status", "absent"],
            ])
        func badCommandLine(arguments: [String]) async throws {
            let place = Workplace()
            let outcome = try await Tool.run(arguments, in: place.root)
            #expect(outcome.status == 2, "\(outcome)")
            #expect(outcome.errors.hasPrefix("error: ") || outcome.errors.hasPrefix("Error: "), "\(outcome)")
        }
    }
}
