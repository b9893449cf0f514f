import Foundation
import Pronghorn
import Subprocess
import Testing

extension EndToEndTests {
    /// The Swift library: its models are Keras's own, and its runs can be watched and ended.
    @Suite struct LibraryTests {
        /// Models in Swift, and the same in Python.
        enum Pair: String, CaseIterable {
            case stack, graph

            var model: CompiledModel {
                switch self {
                case .stack:
                    return Sequential {
                        Input(6)
                        Dense(8, activation: .tanh, kernelInitializer: .heNormal, kernelRegularizer: .l2(0.01))
                        BatchNormalization(momentum: 0.9)
                        Layer("GroupNormalization", ["groups": 4])
                        Reshape([4, 2])
                        Bidirectional(GRU(3))
                        Dense(1)
                    }.compiled(
                        optimizer: .adam(learningRate: .cosineDecay(from: 0.01, steps: 20)).with(["clipnorm": 1.0]),
                        loss: .logCosh, metrics: [.meanAbsoluteError, .rootMeanSquaredError])
                case .graph:
                    let x = Input(6)
                    let shared = Dense(6, activation: .relu).shared()
                    let once = shared(x)
                    let twice = shared(LayerNormalization()(once))
                    let y = Concatenate()([once, Add()([twice, x])])
                    return Model(inputs: x, outputs: Dense(1)(y)).compiled(
                        optimizer: .sgd(learningRate: 0.05, momentum: 0.9), loss: .meanSquaredError)
                }
            }

            var python: String {
                switch self {
                case .stack:
                    """
                    model = keras.Sequential([
                        keras.Input((6,)),
                        layers.Dense(8, "tanh", kernel_initializer="he_normal", kernel_regularizer=keras.regularizers.L2(0.01)),
                        layers.BatchNormalization(momentum=0.9), layers.GroupNormalization(groups=4),
                        layers.Reshape((4, 2)), layers.Bidirectional(layers.GRU(3)), layers.Dense(1)])
                    rate = keras.optimizers.schedules.CosineDecay(0.01, 20)
                    model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), keras.losses.LogCosh(),
                        metrics=[keras.metrics.MeanAbsoluteError(), keras.metrics.RootMeanSquaredError()])
                    """
                case .graph:
                    """
                    x = keras.Input((6,))
                    shared = layers.Dense(6, "relu")
                    once = shared(x)
                    twice = shared(layers.LayerNormalization()(once))
                    y = layers.Concatenate()([once, layers.Add()([twice, x])])
                    model = keras.Model(x, layers.Dense(1)(y))
                    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), keras.losses.MeanSquaredError())
                    """
                }
            }

            /// Rows, the model as a configuration and as a build function, and an experiment on the configuration.
            func place(_ further: String = "") throws -> Workplace {
                let place = Workplace()
                try place.regression(seeds: 3, epochs: 3)
                let lines = python.split(separator: "\n").map { "    \($0)\n" }.joined()
                let head = "import keras\nfrom keras import layers\n\ndef build():\n"
                try place.write("built.py", "\(head)\(lines)    return model\n")
                try place.write("model.json", model.json)
                try place.write(
                    "experiment.yaml",
                    """
                    model: {config: model.json}
                    data: {x: x.npy, y: y.npy}
                    trials: {seed: {range: 3}}
                    fit: {epochs: 3, batch_size: 16, validation: 0.25, shuffle: false}
                    save: [initial, all]
                    \(further)
                    """)
                return place
            }
        }

        @Test(
            "A model of the library has the first weights and the history of the same model in Keras",
            arguments: Pair.allCases, ["", "engine: fit"])
        func agreement(_ pair: Pair, engine: String) async throws {
            let place = try pair.place(engine)
            var settings = AgreementTests.Settings(function: "build", validation: 0.25, epochs: 3, batchSize: 16)
            settings.file = place.path("built.py").string
            try await AgreementTests().compare(place, settings, trials: 3, cohorts: nil)
        }

        @Test("A layer that the installed Keras has not is refused with those that it has, before anything is made")
        func unknownLayer() async throws {
            let place = try Pair.stack.place()
            let model = Sequential {
                Input(6); Layer("Danse", ["units": 1])
            }
            .compiled(optimizer: .sgd(), loss: .meanSquaredError)
            try place.write("model.json", model.json)
            let outcome = try await Tool.run(["train", "experiment.yaml", "--output", "run"], in: place.root)
            #expect(outcome.status == 2, "\(outcome)")
            #expect(outcome.errors.contains("no layer 'Danse' (did you mean 'Dense'?)"), "\(outcome)")
            #expect(outcome.errors.contains("GroupNormalization") && !place.exists("run"), "\(outcome)")
        }

        /// Puts this process, which is an exit test's, where the tests' program finds its Python.
        static func settle() {
            for (key, value) in Tool.environment() { setenv(key.rawValue, value, 1) }
        }

        @Test(
            "adapting() of an experiment has each fold's model adapted to its own training rows, as layer.adapt would")
        func adapting() async {
            await #expect(processExitsWith: .success) {
                LibraryTests.settle()
                let place = try await AdaptationTests.place("")
                // The model of `adaptation.py`.
                let model = Sequential {
                    Input(13)
                    Normalization().named("scale")
                    Dense(8, activation: .relu)
                    Dense(3, activation: .softmax)
                }.compiled(
                    optimizer: .sgd(learningRate: 0.05, momentum: 0.9), loss: .sparseCategoricalCrossentropy(),
                    metrics: [.accuracy])
                let experiment = Experiment("adapted", model: model, data: .npy(x: "x.npy", y: "y.npy"))
                    .partitioned(by: .folds(3)).adapting("scale").fitted(epochs: 4, batchSize: 16, shuffle: .none)
                    .saving(SavePolicy(initial: true))
                let run = try await experiment.train(
                    in: place.path("run"), devices: .cpu(runners: 1), relativeTo: place.root,
                    program: FilePath(Tool.binary ?? ""))
                let summary = try await run.wait()
                try #require(summary.finished == 3, "\(summary)")
                try await AdaptationTests().compareTrained(place, trials: 3, partitions: 3, packed: 2)
            }
        }

        @Test("A task that reads the events and is cancelled ends the run after its epoch; the same call goes on")
        func cancellation() async {
            await #expect(processExitsWith: .success) {
                LibraryTests.settle()
                let place = Workplace()
                try place.regression(seeds: 2)
                let experiment = Experiment(
                    "cancelled", model: Pair.graph.model,
                    data: .npy(x: place.path("x.npy").string, y: place.path("y.npy").string)
                ).trials(seeds: 0..<2).fitted(epochs: 20_000, batchSize: 16)
                let program = FilePath(Tool.binary ?? "")
                let first = try await experiment.train(
                    in: place.path("run"), devices: .cpu(runners: 1), program: program)
                let reader = Task {
                    for try await event in first.events {
                        if case .epoch = event { withUnsafeCurrentTask { $0?.cancel() } }
                    }
                }
                try await reader.value
                let summary = try await first.wait()
                try #require(summary.trials == 2 && summary.finished == 0, "\(summary)")
                let trained = try await first.results.compactMap { $0.history["loss"]?.count }
                try #require(trained.count == 2 && trained.allSatisfy { $0 > 0 && $0 < 20_000 }, "\(trained)")
                // A checkpoint was left: what was trained is not trained again.
                let second = try await experiment.fitted(epochs: 20_000, batchSize: 16).train(
                    in: place.path("run"), devices: .cpu(runners: 1), program: program)
                let reader2 = Task {
                    for try await event in second.events {
                        if case .epoch(_, _, let epoch, _) = event { return epoch }
                    }
                    return 0
                }
                let epoch = try await reader2.value
                second.stop()
                try await second.wait()
                try #require(epoch >= trained[0], "went on with epoch \(epoch) after \(trained)")
            }
        }

        @Test("Results of a run whose closed ledger was changed are those of its units")
        func changedLedger() async {
            await #expect(processExitsWith: .success) {
                LibraryTests.settle()
                let place = Workplace()
                try place.regression(seeds: 2)
                let run = try await Experiment(
                    "changed", model: Pair.graph.model,
                    data: .npy(x: place.path("x.npy").string, y: place.path("y.npy").string)
                ).trials(seeds: 0..<2).fitted(epochs: 2, batchSize: 16).train(
                    in: place.path("run"), devices: .cpu(runners: 1), program: FilePath(Tool.binary ?? ""))
                let results = try await run.results
                let best = try await run.best("loss")
                let ledger = place.path("run/ledger.sqlite")
                try LedgerLossTests.changeUnseen(ledger)
                try #require(try await run.results == results)
                try #require(try place.list("run").contains("ledger.sqlite.unreadable-1"))
                try LedgerLossTests.changeUnseen(ledger)
                try #require(try await run.best("loss") == best)
                try #require(try place.list("run").contains("ledger.sqlite.unreadable-2"))
            }
        }

        @Test("What is wrong with a model ends the run's events with an error that says what, and leaves no folder")
        func wrongModel() async {
            await #expect(processExitsWith: .success) {
                LibraryTests.settle()
                let place = Workplace()
                try place.regression(seeds: 1)
                let model = Sequential {
                    Input(5); Dense(1).with(["unitss": 3])
                }
                .compiled(optimizer: .sgd(), loss: .meanSquaredError)
                let run = try await Experiment("wrong", model: model, data: .npy(x: "x.npy", y: "y.npy")).train(
                    in: place.path("run"), devices: .cpu(runners: 1), relativeTo: place.root,
                    program: FilePath(Tool.binary ?? ""))
                var found: PronghornError?
                do { for try await _ in run.events {} } catch { found = error as? PronghornError }
                let error = try #require(found)
                try #require(error.code == .request && error.message.contains("no argument 'unitss'"), "\(error)")
                try #require(!place.exists("run"))
            }
        }

        @Test("Three models of one script of under 20 lines train and are loaded by Keras")
        func oneScript() async throws {
            let place = Workplace()
            let script = FilePath(Tool.binary ?? "").removingLastComponent().appending("OneScript")
            let source = ExampleTests.root.appending("OneScript/main.swift").string
            let lines = try String(contentsOfFile: source, encoding: .utf8).split(separator: "\n")
            #expect(lines.filter { !$0.hasPrefix("//") }.count < 20)
            let outcome = try await Tool.run(program: script, [], in: place.root)
            #expect(outcome.status == 0, "\(outcome)")
            for name in ["small", "medium", "large"] { #expect(outcome.output.contains("\n\(name) "), "\(outcome)") }
            #expect(outcome.output.contains("best: "), "\(outcome)")
            let trials = try await Tool.run(["results", "runs/diabetes", "--json"], in: place.root)
            #expect(trials.output.contains("\"val_mean_absolute_error\""), "\(trials)")
            #expect(trials.output.contains("\"finished\"") && !trials.output.contains("\"failed\""), "\(trials)")
            #expect(try place.list("runs/diabetes/models") == ["0000.keras", "0001.keras", "0002.keras"])
        }

        @Test("Arrays in memory train as the files of the same numbers do")
        func arrays() async throws {
            let place = Workplace()
            let x: [[Float]] = (0..<60).map { row in (0..<4).map { column in Float((row * 7 + column * 3) % 11) } }
            let y: [Float] = x.map { $0[0] - 2 * $0[3] }
            try place.writeNumbers("x.npy", shape: [60, 4], x.flatMap { $0 })
            try place.writeNumbers("y.npy", shape: [60], y)
            let model = Sequential {
                Input(4); Dense(3, activation: .relu); Dense(1)
            }
            .compiled(optimizer: .adam(), loss: .meanSquaredError)
            let groups = Rows((0..<60).map { $0 % 2 })
            var losses: [[Double]] = []
            for data in [
                try .arrays(x: Rows(x), y: Rows(y), columns: ["shop": groups]),
                DataDescription.npy(x: "x.npy", y: "y.npy", columns: ["shop": "shop.npy"]),
            ] {
                try place.writeNumbers("shop.npy", shape: [60], (0..<60).map { Float($0 % 2) })
                let run = try await Experiment("memory", model: model, data: data).partitioned(by: .by(column: "shop"))
                    .fitted(epochs: 2).train(
                        in: place.root.appending("run-\(losses.count)"), devices: .cpu(runners: 1),
                        relativeTo: place.root,
                        program: FilePath(Tool.binary ?? ""))
                losses.append(try await run.results.map { $0.metrics["loss"] ?? .nan })
            }
            #expect(losses[0].count == 2 && losses[0] == losses[1])
            #expect(throws: PronghornError.self) { try DataDescription.arrays(x: Rows(x), y: Rows([1.0, 2.0])) }
            #expect(throws: PronghornError.self) { try Rows([[1, 2], [3]]) }
            #expect(throws: PronghornError.self) { try Rows([1.0, 2.0], shape: [3]) }
        }
    }
}
