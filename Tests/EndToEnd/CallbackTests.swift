import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// Callbacks act on each trial of a cohort as Keras's own act on its model.
    @Suite struct CallbackTests {
        /// A list of callbacks, as an experiment file has it and as Keras's classes take it.
        struct List: Sendable, CustomTestStringConvertible {
            var testDescription: String
            var yaml: String
            var keras: String
            /// How many of the trials must be ended by one, so that the comparison is of something.
            var stopped: ClosedRange<Int>
        }

        struct Findings: Decodable {
            var trials: Int
            var problems: [String]
            var worst: [String: Double]
        }

        static let lists = [
            List(
                testDescription: "a plateau, a table, the best model and early stopping",
                yaml: """
                      - reduce_lr_on_plateau: {factor: 0.3, patience: 2, cooldown: 1, min_lr: 0.0005}
                      - csv_logger: {separator: ";"}
                      - model_checkpoint: {monitor: val_accuracy, save_best_only: true}
                      - early_stopping: {patience: 5, min_delta: 0.0002, restore_best_weights: true}
                    """,
                keras: """
                    [["ReduceLROnPlateau", {"factor": 0.3, "patience": 2, "cooldown": 1, "min_lr": 0.0005}],
                    ["CSVLogger", {"separator": ";"}],
                    ["ModelCheckpoint", {"monitor": "val_accuracy", "save_best_only": true}],
                    ["EarlyStopping", {"patience": 5, "min_delta": 0.0002, "restore_best_weights": true}]]
                    """, stopped: 15...24),
            List(
                testDescription: "every epoch's model, a table before the plateau, stopping by a baseline",
                yaml: """
                      - csv_logger: {separator: ";"}
                      - early_stopping: {monitor: accuracy, baseline: 0.5, patience: 6, start_from_epoch: 2}
                      - model_checkpoint
                      - reduce_lr_on_plateau: {monitor: loss, mode: min, min_delta: 0.01, patience: 1, factor: 0.5}
                    """,
                keras: """
                    [["CSVLogger", {"separator": ";"}],
                    ["EarlyStopping", {"monitor": "accuracy", "baseline": 0.5, "patience": 6, "start_from_epoch": 2}],
                    ["ModelCheckpoint", {}], ["ReduceLROnPlateau",
                    {"monitor": "loss", "mode": "min", "min_delta": 0.01, "patience": 1, "factor": 0.5}]]
                    """, stopped: 2...24),
        ]

        @Test(
            "25 trials in one cohort stop, reduce, save and restore in the epochs in which Keras's own callbacks do",
            arguments: lists)
        func asKeras(list: List) async throws {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [131, 6])
            try place.writeClasses("y.npy", rows: 131, classes: 3)
            let epochs = 12 + list.stopped.lowerBound
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):dense
                data: {x: x.npy, y: y.npy}
                trials: {learning_rate: [0.003, 0.006, 0.01, 0.03, 0.1], seed: {range: 5}}
                fit: {epochs: \(epochs), batch_size: 16, validation: 0.25, shuffle: false}
                save: [initial, all]
                callbacks:
                \(list.yaml)
                """)
            let train = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run", "--json"], in: place.root)
            try #require(train.status == 0, "\(train)")
            #expect(try place.list("run/units").count == 1)
            try place.write("results.json", try await Tool.run(["results", "run", "--json"], in: place.root).output)
            try place.write(
                "settings.json",
                """
                {"x": "x.npy", "y": "y.npy", "epochs": \(epochs), "batch_size": 16, "validation": 0.25,
                "callbacks": \(list.keras)}
                """)
            let findings = try await Tool.python(
                "callbacks.py", ["run", "results.json", "settings.json"], in: place.root, as: Findings.self)
            #expect(findings.trials == 25)
            #expect(findings.problems == [])
            for (kind, tolerance) in ["history": 1e-5, "csv": 1e-5, "weights": 1e-4, "saved": 1e-4] {
                #expect(try #require(findings.worst[kind]) <= tolerance, "\(kind)")
            }
            let status = try CommandTests.object(
                try await Tool.run(["status", "run", "--json"], in: place.root).output)
            #expect(list.stopped.contains(try #require(status["stopped_early"] as? Int)))
            #expect(status["epochs_done"] as? Int == status["epochs_planned"] as? Int)
        }

        // MARK: Interruptions

        /// Two cohorts a program, in each of which some trials end early and others never.
        private static func place() throws -> Workplace {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [512, 6], stream: 1)
            try place.writeNumbers("y.npy", shape: [512, 1], stream: 2)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):regression
                data: {x: x.npy, y: y.npy}
                trials: {units: [4, 6], seed: {range: 3}, learning_rate: [0.01, 0.00001]}
                fit: {epochs: 400, batch_size: 16, validation: 0.25}
                save: [initial, all, best]
                callbacks:
                  - csv_logger
                  - early_stopping: {patience: 12, restore_best_weights: true}
                  - reduce_lr_on_plateau: {factor: 0.5, patience: 4, cooldown: 2}
                  - model_checkpoint: {monitor: loss, save_best_only: true}
                """)
            return place
        }

        /// Every file that a run leaves for the user, and its results without what hangs on the machine.
        private static func outcome(_ place: Workplace) async throws -> (files: [String: Data], results: [TrialObject])
        {
            var files: [String: Data] = [:]
            for folder in ["run/models", "run/csv"] {
                for name in try place.list(folder) { files[name] = try place.contents("\(folder)/\(name)") }
            }
            let results = try await ResumeTests.results(place).map { result in
                var result = result
                result.device = nil
                return result
            }
            return (files, results)
        }

        @Test("A run that is stopped when some trials have ended, then killed, goes on to the same files bit for bit")
        func interrupted() async throws {
            let undisturbed = try Self.place()
            let train = try await Tool.run(ResumeTests.train, in: undisturbed.root)
            try #require(train.status == 0, "\(train)")
            let expected = try await Self.outcome(undisturbed)
            #expect(expected.files.count == 12 * 5)
            #expect(Set(expected.results.map { $0.history["loss"]?.count }).count > 3)

            let place = try Self.place()
            let stopped = try await Self.disturb(ResumeTests.train, place, SIGINT)
            #expect(stopped.status == 1, "\(stopped)")
            #expect(try Self.checkpoints(place).contains { $0.contains("early_stopping") })
            // What goes on from a checkpoint says again which of its trials have ended.
            let killed = try await Self.disturb(ResumeTests.resume, place, SIGKILL)
            #expect(killed.status == -Int(SIGKILL), "\(killed)")
            let resumed = try await Self.resume(place)
            #expect(resumed.status == 0, "\(resumed)")

            let found = try await Self.outcome(place)
            #expect(found.files.keys.sorted() == expected.files.keys.sorted())
            let different = expected.files.keys.sorted().filter { found.files[$0] != expected.files[$0] }
            #expect(different == [], "these files are not those of an undisturbed run")
            for (one, two) in zip(found.results, expected.results) {
                #expect(one.history == two.history && one.bestEpoch == two.bestEpoch, "trial \(one.trial)")
                #expect(one.status == "finished")
            }
        }

        /// Carries out a verb, and sends a signal to the process once a unit says that a callback has ended a trial.
        private static func disturb(_ arguments: [String], _ place: Workplace, _ signal: Int32) async throws -> Outcome
        {
            var isSent = false
            let outcome = try await Tool.follow(arguments, in: place.root) { line, control in
                let words = line.split(separator: " ").map(String.init)
                guard !isSent, words.count >= 3, words[0].hasPrefix("cpu:"), words[1] == "unit", words[2].hasSuffix(",")
                else { return }
                isSent = true
                let unit = String(words[2].dropLast())
                for _ in 0..<2400 {
                    let events = try? place.contents("run/units/\(unit)/events.ndjson")
                    if String(decoding: events ?? Data(), as: UTF8.self).contains("\"ended\":{") { break }
                    try await Task.sleep(for: .milliseconds(5))
                }
                #expect(kill(control, signal) == 0)
            }
            #expect(isSent, "no unit was ever at work: \(outcome)")
            return outcome
        }

        /// Goes on, waiting for the runners of a process that was killed to be gone.
        private static func resume(_ place: Workplace) async throws -> Outcome {
            var outcome = try await Tool.run(ResumeTests.resume, in: place.root)
            for _ in 0..<100 where outcome.errors.contains("another pronghorn") {
                try await Task.sleep(for: .milliseconds(100))
                outcome = try await Tool.run(ResumeTests.resume, in: place.root)
            }
            return outcome
        }

        /// The beginnings of the checkpoints of a run, which hold their metadata.
        private static func checkpoints(_ place: Workplace) throws -> [String] {
            try place.list("run/units").flatMap { unit in
                try place.list("run/units/\(unit)").filter { $0.hasPrefix("checkpoint-") }.map { name in
                    String(decoding: try place.contents("run/units/\(unit)/\(name)").prefix(100_000), as: UTF8.self)
                }
            }
        }
    }
}
