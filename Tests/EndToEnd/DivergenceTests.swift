import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// A trial whose loss becomes NaN or infinite ends there, with its last good weights, and its neighbours go on.
    @Suite struct DivergenceTests {
        /// Linear regressions, every second of which grows thirtyfold a step until its numbers overflow.
        static func place(batchSize: Int = 16, epochs: Int = 8, further: String = "") throws -> Workplace {
            let place = Workplace()
            try place.write(
                "linear.py",
                """
                import keras

                def build(learning_rate=0.05, eager=False):
                    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
                    optimizer = keras.optimizers.SGD(learning_rate, momentum=0.1)
                    model.compile(optimizer, "mse", metrics=["mae"], run_eagerly=eager)
                    return model
                """)
            try place.writeNumbers("x.npy", shape: [64, 6], stream: 1)
            try place.writeNumbers("y.npy", shape: [64, 1], stream: 2)
            try place.write(
                "experiment.yaml",
                """
                model: linear.py:build
                data: {x: x.npy, y: y.npy}
                trials: {learning_rate: [0.05, 50.0], seed: {range: 3}}
                fit: {epochs: \(epochs), batch_size: \(batchSize)}
                \(further)
                """)
            return place
        }

        static func train(_ place: Workplace, _ output: String, _ further: [String] = []) async throws -> Outcome {
            try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", output, "--json"] + further,
                in: place.root)
        }

        static func results(_ place: Workplace, _ run: String) async throws -> [TrialObject] {
            try await Tool.run(["results", run, "--json"], in: place.root).json([TrialObject].self)
        }

        /// The epoch of `… after epoch 2`, counted from 0.
        static func keptEpoch(_ result: TrialObject) throws -> Int {
            try #require(
                result.message?.split(separator: " ").last.flatMap { Int($0) }, "\(result.message ?? "no message")")
        }

        @Test(
            "Diverged trials say so everywhere, keep the weights of their last good epoch to the bit, and disturb no neighbour",
            arguments: ["native", "fit"])
        func diverges(engine: String) async throws {
            let place = try Self.place(further: "engine: \(engine)\nsave: [all, {best: mae}]")
            let outcome = try await Self.train(place, "run")
            #expect(outcome.status == 0, "\(outcome)")
            let summary = try outcome.json(SummaryObject.self)
            #expect(summary.finished == 3 && summary.diverged == 3 && summary.failed == 0)
            let results = try await Self.results(place, "run")
            let diverged = results.filter { $0.status == "diverged" }
            #expect(diverged.map { $0.parameters["learning_rate"] } == [50, 50, 50])
            let status = try await Tool.run(["status", "run"], in: place.root)
            #expect(status.output.contains("3 finished, 3 diverged of 6"), "\(status)")
            #expect(status.output.contains(": finished, "), "\(status)")
            let csv = try await Tool.run(["results", "run", "--format", "csv"], in: place.root).output
            #expect(csv.split(separator: "\r\n").count { $0.contains(",diverged,") } == 3, "\(csv)")

            // Told to go on, the same trials train into NaN as Keras does, and the others come to the same bits.
            let other = try await Self.train(place, "on", ["--set", "fit.on_divergence=continue"])
            #expect(other.status == 0, "\(other)")
            let on = try await Self.results(place, "on")
            #expect(on.map(\.status) == Array(repeating: "finished", count: 6))
            for (result, went) in zip(results, on) where result.status == "finished" {
                #expect(result.history == went.history)
                if engine == "native" {
                    #expect(
                        try place.contents("run/\(result.model ?? "")") == place.contents("on/\(went.model ?? "")"))
                }
            }
            for result in diverged {
                let kept = try Self.keptEpoch(result)
                let losses = try #require(result.history["loss"])
                #expect(losses.count < 8 && losses.last == .some(nil) && losses.dropLast().allSatisfy { $0 != nil })
                #expect(result.bestEpoch.map { $0 <= kept } ?? false)
                // A run that ends with that epoch leaves the same model.
                let short = "short-\(result.trial)"
                let ended = try await Self.train(
                    place, short, ["--set", "fit.epochs=\(kept + 1)", "--set", "fit.on_divergence=continue"])
                #expect(ended.status == 0, "\(ended)")
                let compared = try await Tool.python(
                    "same_weights.py", ["run/\(result.model ?? "")", "\(short)/models/\(result.name).keras"],
                    in: place.root, as: Double.self)
                #expect(compared == (engine == "native" ? 0 : min(compared, 1e-6)))
            }
        }

        @Test("Where weights are NaN an epoch before the loss tells, those of the epoch before that are kept")
        func earlier() async throws {
            let place = try Self.place(batchSize: 64, epochs: 40)
            // Once the weight is below 0 the loss is finite and its gradient is not.
            try place.write(
                "linear.py",
                """
                import keras

                class Root(keras.layers.Layer):
                    def build(self, shape):
                        self.w = self.add_weight(shape=(1,), initializer="ones")

                    def call(self, x):
                        root = keras.ops.where(self.w > 0, keras.ops.sqrt(self.w), 0.0)
                        return 0 * x[:, :1] + root + 0 * self.w

                def build():
                    model = keras.Sequential([keras.Input((6,)), Root()])
                    model.compile(keras.optimizers.SGD(0.05), keras.losses.MeanSquaredError())
                    return model
                """)
            try place.writeNumbers("y.npy", shape: [64, 1], Array(repeating: -5, count: 64))
            let text = String(decoding: try place.contents("experiment.yaml"), as: UTF8.self)
            try place.write("experiment.yaml", text.replacing("learning_rate: [0.05, 50.0], ", with: ""))
            #expect(try await Self.train(place, "run").status == 0)
            let result = try #require(try await Self.results(place, "run").first)
            #expect(result.status == "diverged")
            let kept = try Self.keptEpoch(result)
            let losses = try #require(result.history["loss"])
            #expect(losses.count > 3 && losses.last == .some(nil) && losses.dropLast().allSatisfy { $0 != nil })
            #expect(kept == losses.count - 3)
            let ended = try await Self.train(
                place, "short", ["--set", "fit.epochs=\(kept + 1)", "--set", "fit.on_divergence=continue"])
            #expect(ended.status == 0, "\(ended)")
            #expect(try place.contents("run/models/0000.keras") == place.contents("short/models/0000.keras"))
        }

        @Test("A trial that diverges in its first epoch leaves no model")
        func firstEpoch() async throws {
            let place = try Self.place(batchSize: 1, epochs: 2, further: "save: {top: 2}")
            #expect(try await Self.train(place, "run").status == 0)
            let diverged = try await Self.results(place, "run").filter { $0.status == "diverged" }
            #expect(diverged.count == 3)
            #expect(diverged.allSatisfy { $0.model == nil && $0.message?.contains("no epoch before") ?? false })
            let models = try place.list("run/models")
            #expect(models.count == 2 && !diverged.contains { models.contains("\($0.name).keras") })
        }

        @Test("terminate_on_nan keeps Keras's rule: the trial is finished, stopped by it")
        func terminateOnNaN() async throws {
            let place = try Self.place(further: "callbacks: [terminate_on_nan]")
            #expect(try await Self.train(place, "run").status == 0)
            let stopped = try await Self.results(place, "run").filter { $0.parameters["learning_rate"] == 50 }
            #expect(stopped.allSatisfy { $0.status == "finished" && $0.stoppedBy == "terminate_on_nan" })
        }
    }
}
