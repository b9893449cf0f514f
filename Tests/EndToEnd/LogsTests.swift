import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// What runners write is kept by unit, and found by trial.
    @Suite struct LogsTests {
        /// Three trials by `Model.fit`, the second of which raises while it trains.
        static func place(engine: String = "fit") throws -> Workplace {
            let place = Workplace()
            try place.write(
                "talking.py",
                """
                import os
                import sys

                import keras

                class Talks(keras.callbacks.Callback):
                    def __init__(self, seed):
                        super().__init__()
                        self.seed = seed

                    def on_epoch_end(self, epoch, logs=None):
                        print(f"trial of seed {self.seed} says hello")
                        os.system(f"echo a child of seed {self.seed} too")

                class Model(keras.Sequential):
                    seed = None

                    def fit(self, *arguments, callbacks=(), **named):
                        return super().fit(*arguments, callbacks=[Talks(self.seed), *callbacks], **named)

                    def train_step(self, *arguments):
                        if self.seed == 1:
                            raise RuntimeError("the scale is broken")
                        return super().train_step(*arguments)

                def build(seed):
                    model = Model([keras.Input((6,)), keras.layers.Dense(1)])
                    model.compile("sgd", "mse")
                    model.seed = seed
                    return model
                """)
            try place.writeNumbers("x.npy", shape: [64, 6], stream: 1)
            try place.writeNumbers("y.npy", shape: [64, 1], stream: 2)
            try place.write(
                "experiment.yaml",
                """
                model: talking.py:build
                data: {x: x.npy, y: y.npy}
                trials: {seed: {range: 3}}
                fit: {epochs: 2, batch_size: 16}
                engine: \(engine)
                """)
            return place
        }

        @Test("logs prints what was written for a trial and no other, exceptions whole; a failure shows its last lines")
        func fit() async throws {
            let place = try Self.place()
            let train = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"], in: place.root)
            #expect(train.status == 1, "\(train)")
            #expect(train.output.contains("its log: pronghorn logs"), "\(train)")
            #expect(train.output.contains("the scale is broken"), "\(train)")
            for trial in [0, 2] {
                let logs = try await Tool.run(["logs", "run", "\(trial)"], in: place.root)
                #expect(logs.status == 0)
                #expect(logs.output.contains("on cpu:0, 1 trial, began 20"), "\(logs)")
                #expect(logs.output.contains(": finished\n"), "\(logs)")
                #expect(logs.output.contains("trial of seed \(trial) says hello"), "\(logs)")
                #expect(logs.output.contains("a child of seed \(trial) too"), "\(logs)")
                for other in [0, 1, 2] where other != trial {
                    #expect(!logs.output.contains("of seed \(other)"), "\(logs)")
                }
            }
            let logs = try await Tool.run(["logs", "run", "1"], in: place.root)
            #expect(logs.output.contains("Traceback (most recent call last):"), "\(logs)")
            #expect(logs.output.contains("raise RuntimeError(\"the scale is broken\")"), "\(logs)")
            #expect(logs.output.contains("trial 1 failed: "), "\(logs)")
            let last = try await Tool.run(["logs", "run", "1", "--lines", "1"], in: place.root)
            #expect(!last.output.contains("Traceback") && last.output.contains("the scale is broken"), "\(last)")
            let none = try await Tool.run(["logs", "run", "3"], in: place.root)
            #expect(none.status == 2 && none.errors.contains("there is no trial 3 in run"), "\(none)")
        }

        @Test("Every attempt at a trial of a runner that was killed has its own heading")
        func attempts() async throws {
            let place = try RunnerTests().place()
            var killed = false
            let outcome = try await Tool.follow(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"], in: place.root
            ) { line, _ in
                let words = line.split(separator: " ")
                if words.count == 4, words[1] == "runner", words[3] == "started", !killed {
                    killed = true
                    let unit = place.path("run/units/0000/events.ndjson").string
                    for _ in 0..<600 {
                        if let text = try? String(contentsOfFile: unit, encoding: .utf8), text.contains("\"epoch\"") {
                            break
                        }
                        try await Task.sleep(for: .milliseconds(50))
                    }
                    #expect(kill(Int32(words[2]) ?? 0, SIGKILL) == 0)
                }
            }
            #expect(killed && outcome.status == 0, "\(outcome)")
            let results = try await Tool.run(["results", "run", "--json"], in: place.root).json([TrialObject].self)
            var headings = 0
            for trial in results.map(\.trial) {
                let logs = try await Tool.run(["logs", "run", "\(trial)"], in: place.root)
                headings = max(headings, logs.output.split(separator: "\n").count { $0.hasPrefix("── unit ") })
            }
            #expect(headings == 2)
        }
    }
}
