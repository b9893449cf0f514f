import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// A run can be given more epochs, seeds and partitions: what it has stays as it is, and goes on where it ended.
    @Suite struct ExtensionTests {
        private static let train = ["train", "experiment.yaml", "--devices", "cpu:1", "--output"]
        private static let resume = ["resume", "run", "--devices", "cpu:1"]

        /// Trials with random layers, an optimizer with slots, and callbacks that remember: all that a longer run must find again.
        private static func place(_ epochs: Int, further: String = "") throws -> Workplace {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [200, 6], stream: 1)
            try place.writeNumbers("y.npy", shape: [200, 1], stream: 2)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):searched
                data: {x: x.npy, y: y.npy}
                trials: {learning_rate: [0.01, 0.003], dropout: 0.2, weight_decay: 0.01, seed: {range: 3}}
                fit: {epochs: \(epochs), batch_size: 16, validation: 0.25}
                callbacks:
                  - reduce_lr_on_plateau: {monitor: loss, patience: 4, min_delta: 0.001, factor: 0.9, min_lr: 0.002}
                  - early_stopping: {monitor: loss, patience: 40, restore_best_weights: true}
                save: [initial, all, best]
                \(further)
                """)
            return place
        }

        /// A run of 140 epochs that nothing disturbed.
        private struct Undisturbed: Sendable {
            static let epochs = 140
            let results: [TrialObject]
            let models: [String: Data]

            static let shared = Task { try await Undisturbed() }

            private init() async throws {
                let place = try ExtensionTests.place(Self.epochs)
                let outcome = try await Tool.run(ExtensionTests.train + ["run", "--json"], in: place.root)
                try #require(outcome.status == 0, "\(outcome)")
                results = try await LedgerLossTests.results("run", place)
                models = try LedgerLossTests.models("run", place)
                // Some are stopped by a callback, and not all.
                let stopped = results.count { $0.stoppedBy != nil }
                try #require(
                    stopped > 0 && stopped < results.count, "\(stopped) trials were stopped: the test tests less")
            }
        }

        private func expectUndisturbed(_ place: Workplace) async throws {
            let undisturbed = try await Undisturbed.shared.value
            let results = try await LedgerLossTests.results("run", place)
            #expect(results.map(\.status) == undisturbed.results.map(\.status))
            for (result, expected) in zip(results, undisturbed.results) {
                #expect(result.history == expected.history, "trial \(expected.trial)")
                #expect(result.metrics == expected.metrics && result.model == expected.model, "trial \(expected.trial)")
                #expect(result.bestEpoch == expected.bestEpoch, "trial \(expected.trial)")
                #expect(result.stoppedEpoch == expected.stoppedEpoch, "trial \(expected.trial)")
            }
            let models = try LedgerLossTests.models("run", place)
            #expect(models.keys.sorted() == undisturbed.models.keys.sorted())
            let different = models.keys.sorted().filter { models[$0] != undisturbed.models[$0] }
            #expect(different == [], "these models are not those of a run that was as long from the beginning")
        }

        @Test("Epochs that are added to a finished run give what a run of as many gives, bit for bit, and repeat none")
        func epochs() async throws {
            let place = try Self.place(20)
            #expect(try await Tool.run(Self.train + ["run"], in: place.root).status == 0)
            let longer = try await Tool.run(
                Self.resume + ["--set", "fit.epochs=\(Undisturbed.epochs)"], in: place.root)
            #expect(longer.status == 0, "\(longer)")
            try await expectUndisturbed(place)
            for (trial, epochs) in try CheckpointIntervalTests.trainings(place) {
                #expect(epochs.values.allSatisfy { $0 == 1 }, "trial \(trial) was trained twice for an epoch")
            }
            #expect(try place.list("run").contains("experiment-1.yaml"))
            let status = try CommandTests.object(
                try await Tool.run(["status", "run", "--json"], in: place.root).output)
            #expect(status["epochs_done"] as? Int == status["epochs_planned"] as? Int)
        }

        @Test("A run that is killed while it trains added epochs goes on with them; a lost ledger changes nothing")
        func killed() async throws {
            let place = try Self.place(20)
            #expect(try await Tool.run(Self.train + ["run"], in: place.root).status == 0)
            let text = String(decoding: try place.contents("experiment.yaml"), as: UTF8.self)
            try place.write(
                "experiment.yaml", text.replacing("epochs: 20", with: "epochs: \(Undisturbed.epochs)"))
            let before = Set(try place.list("run/units"))
            var isKilled = false
            let killed = try await Tool.follow(Self.train + ["run"], in: place.root) { line, control in
                guard !isKilled, line.hasPrefix("cpu:0: unit "), line.contains("trial") else { return }
                isKilled = true
                let unit = try #require(try place.list("run/units").first { !before.contains($0) })
                try await waitUntil("unit \(unit) trains") { ResumeTests.epochs(of: unit, place) >= 5 }
                #expect(kill(control, SIGKILL) == 0)
            }
            #expect(killed.status == -Int(SIGKILL), "\(killed)")
            for name in try place.list("run") where name.hasPrefix("ledger.sqlite") {
                try FileManager.default.removeItem(atPath: place.path("run/\(name)").string)
            }
            let resumed = try await Tool.run(Self.resume, in: place.root)
            #expect(resumed.status == 0, "\(resumed)")
            try await expectUndisturbed(place)
        }

        @Test("Without a state at the end trials begin anew for more epochs, and come to the same")
        func withoutEnds() async throws {
            let place = try Self.place(20, further: "checkpoint: {at_end: false}")
            #expect(try await Tool.run(Self.train + ["run"], in: place.root).status == 0)
            let longer = try await Tool.run(
                Self.resume + ["--set", "fit.epochs=\(Undisturbed.epochs)"], in: place.root)
            #expect(longer.status == 0, "\(longer)")
            try await expectUndisturbed(place)
        }

        @Test(
            "Seeds, other values and partitions that are added get the numbers that follow; what there was stays as it was"
        )
        func trials() async throws {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [200, 6], stream: 1)
            try place.writeNumbers("y.npy", shape: [200, 1], stream: 2)
            func write(_ samples: Int, _ units: String, _ seeds: Int) throws {
                try place.write(
                    "experiment.yaml",
                    """
                    model: \(Tool.models):regression
                    data: {x: x.npy, y: y.npy}
                    partition: {bootstrap: \(samples)}
                    trials: {units: \(units), seed: {range: \(seeds)}}
                    fit: {epochs: 3, batch_size: 16}
                    """)
            }
            try write(2, "[4]", 2)
            #expect(try await Tool.run(Self.train + ["run"], in: place.root).status == 0)
            let before = try await LedgerLossTests.results("run", place)
            let models = try LedgerLossTests.models("run", place)
            try write(3, "[6, 4]", 3)
            let outcome = try await Tool.run(Self.train + ["run", "--json"], in: place.root)
            #expect(try outcome.json(SummaryObject.self).trials == 18, "\(outcome)")
            let fresh = try await Tool.run(Self.train + ["fresh"], in: place.root)
            #expect(fresh.status == 0, "\(fresh)")

            let after = try await LedgerLossTests.results("run", place)
            #expect(after.count == 18 && after.allSatisfy { $0.status == "finished" })
            for (one, other) in zip(before, after) {
                #expect(one.name == other.name && one.seed == other.seed && one.parameters == other.parameters)
                #expect(one.history == other.history && one.model == other.model && one.rows == other.rows)
            }
            let all = try LedgerLossTests.models("run", place)
            #expect(all.count == 18 && models.allSatisfy { all[$0.key] == $0.value })
            // Whatever their numbers, the trials are those of the experiment as it is now.
            func key(_ trial: TrialObject) -> String {
                "\(trial.partition ?? -1) \(trial.parameters.sorted { $0.key < $1.key })"
            }
            let expected = Dictionary(
                uniqueKeysWithValues: try await LedgerLossTests.results("fresh", place).map { (key($0), $0) })
            for trial in after {
                let other = try #require(expected[key(trial)])
                for (one, other) in zip(trial.history["loss"] ?? [], other.history["loss"] ?? []) {
                    #expect(abs((one ?? 0) - (other ?? 9)) <= 1e-5 * abs(other ?? 0), "trial \(trial.trial)")
                }
            }
            let again = try await Tool.run(Self.resume + ["--json"], in: place.root)
            #expect(try again.json(SummaryObject.self).finished == 18, "\(again)")
            let fewer = try await Tool.run(Self.resume + ["--set", "trials.seed={range: 2}"], in: place.root)
            #expect(fewer.status == 2 && fewer.errors.contains("trial 0006 ("), "\(fewer)")
            #expect(fewer.errors.contains("is in it no more"), "\(fewer)")
        }

        @Test("Any other change of the experiment is refused with what differs, and changes nothing")
        func refused() async throws {
            let place = try Self.place(2)
            #expect(try await Tool.run(Self.train + ["run"], in: place.root).status == 0)
            let before = try place.contents("run/run.json")
            let refused = try await Tool.run(
                Self.resume + ["--set", "fit.batch_size=8", "--set", "fit.epochs=1", "--set", "save=all"],
                in: place.root)
            #expect(refused.status == 2)
            #expect(refused.errors.contains("error: \(place.path("run")) holds a run already"), "\(refused)")
            #expect(refused.errors.contains("  fit.batch_size: was 16, is 8\n"), "\(refused)")
            #expect(refused.errors.contains("  fit.epochs: was 2, is 1\n"), "\(refused)")
            #expect(refused.errors.contains("  save.initial: was true, is false\n"), "\(refused)")
            #expect(refused.errors.contains("--output"), "\(refused)")
            #expect(try place.contents("run/run.json") == before)
            let models = try LedgerLossTests.models("run", place)
            let same = try await Tool.run(Self.train + ["run", "--json"], in: place.root)
            #expect(try same.json(SummaryObject.self).finished == 6, "\(same)")

            // What was trained on other data cannot be trained further, and stays finished.
            try place.writeNumbers("y.npy", shape: [200, 1], stream: 3)
            let changed = try await Tool.run(Self.resume + ["--set", "fit.epochs=3"], in: place.root)
            #expect(changed.status == 2 && changed.errors.contains("y.npy has changed"), "\(changed)")
            #expect(try place.contents("run/run.json") == before)
            #expect(try await LedgerLossTests.results("run", place).allSatisfy { $0.status == "finished" })
            #expect(try LedgerLossTests.models("run", place) == models)
        }

        @Test(
            "Killed while it is given more, a run becomes all of it or nothing: no later resume takes the rest up unasked"
        )
        func halfGiven() async throws {
            let place = try Self.place(2)
            #expect(try await Tool.run(Self.train + ["run"], in: place.root).status == 0)
            func epochs() throws -> (described: Int, file: Bool) {
                let run = try CommandTests.object(String(decoding: try place.contents("copy/run.json"), as: UTF8.self))
                let experiment = try #require(run["experiment"] as? [String: Any])
                let fit = try #require(experiment["fit"] as? [String: Any])
                let text = String(decoding: try place.contents("copy/experiment.yaml"), as: UTF8.self)
                return (try #require(fit["epochs"] as? Int), text.contains("fit.epochs=4"))
            }
            let resume = ["resume", "copy", "--devices", "cpu:1", "--set"]
            for count in 1...8 {
                try? FileManager.default.removeItem(atPath: place.path("copy").string)
                try FileManager.default.copyItem(atPath: place.path("run").string, toPath: place.path("copy").string)
                let killed = try await Tool.run(
                    resume + ["fit.epochs=4"], in: place.root,
                    variables: ["PRONGHORN_TEST_KILL": "replacing.after:\(count)"])
                #expect(killed.status == -Int(SIGKILL), "\(killed)")
                let (described, isInFile) = try epochs()
                let resumed = try await Tool.run(resume + ["checkpoint.at_end=false"], in: place.root)
                #expect(resumed.status == 0, "\(resumed)")
                let after = try epochs()
                #expect(after.described == described && after.file == (described == 4), "after \(count) files")
                let results = try await LedgerLossTests.results("copy", place)
                #expect(results.allSatisfy { $0.history["loss"]?.count == described }, "after \(count) files")
                if described == 4, isInFile { return }
            }
            Issue.record("run.json and experiment.yaml were not both written")
        }

        @Test("A run whose run.json is gone or torn is described anew from the experiment file beside it")
        func description() async throws {
            let place = try Self.place(20)
            #expect(try await Tool.run(Self.train + ["run", "--set", "fit.epochs=3"], in: place.root).status == 0)
            for text in [nil, "{\"version\": 1, \"exper"] {
                try FileManager.default.removeItem(atPath: place.path("run/run.json").string)
                if let text { try place.write("run/run.json", text) }
                let resumed = try await Tool.run(Self.resume + ["--json"], in: place.root)
                #expect(resumed.status == 0, "\(resumed)")
                #expect(try resumed.json(SummaryObject.self).finished == 6, "\(resumed)")
            }
            #expect(try place.list("run").contains("run.json.unreadable-1"))
            #expect(try place.list("run/units") == ["0000"], "something was trained again")
            for name in ["run.json", "experiment.yaml"] {
                try FileManager.default.removeItem(atPath: place.path("run/\(name)").string)
            }
            let lost = try await Tool.run(Self.resume, in: place.root)
            #expect(lost.status == 2 && lost.errors.contains("run.json"), "\(lost)")
        }
    }
}
