import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// The command line as programs and people meet it.
    @Suite struct CommandTests {
        /// A workplace in which `run` holds 6 finished trials of 2 epochs: 3 seeds times 2 learning rates.
        static func trained() async throws -> (Workplace, Outcome) {
            let place = Workplace()
            try place.regression(seeds: 3)
            let text = String(decoding: try place.contents("experiment.yaml"), as: UTF8.self)
            try place.write(
                "experiment.yaml",
                text.replacing("{seed: {range: 3}}", with: "{seed: {range: 3}, learning_rate: [0.001, 0.01]}")
                    .replacing("batch_size: 16", with: "batch_size: 16, validation: 0.25"))
            let outcome = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:2", "--output", "run", "--json"], in: place.root)
            try #require(outcome.status == 0, "\(outcome)")
            return (place, outcome)
        }

        static func object(_ text: String) throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        }

        static func list(_ text: String) throws -> [[String: Any]] {
            try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
        }

        @Test("A program that trains and reads the results finds what it is promised")
        func jsonOfARun() async throws {
            let (place, train) = try await Self.trained()
            // One object and nothing else on standard output.
            #expect(train.output.split(separator: "\n").count == 1)
            let summary = try Self.object(train.output)
            #expect(
                Set(summary.keys).isSuperset(of: [
                    "trials", "finished", "failed", "wall_seconds", "train_seconds", "output",
                ]))
            let decoded = try train.json(SummaryObject.self)
            #expect(decoded.trials == 6 && decoded.finished == 6 && decoded.failed == 0)
            #expect(decoded.output == place.path("run").string)
            #expect(decoded.trainSeconds <= decoded.wallSeconds)

            let text = try await Tool.run(["results", "run", "--json"], in: place.root)
            #expect(text.status == 0)
            let objects = try Self.list(text.output)
            #expect(objects.count == 6)
            for object in objects {
                #expect(
                    Set(object.keys).isSuperset(of: [
                        "trial", "parameters", "partition", "rows", "status", "metrics", "best_epoch", "model",
                        "history",
                    ]))
            }
            let results = try text.json([TrialObject].self)
            #expect(results.map(\.trial) == Array(0..<6))
            #expect(Set(results.map { $0.parameters["learning_rate"] ?? 0 }) == [0.001, 0.01])
            for result in results {
                #expect(result.status == "finished")
                #expect(result.rows == 48)
                #expect(Set(result.history.keys) == ["loss", "val_loss"])
                #expect(result.history.values.allSatisfy { $0.count == 2 })
                let last = try #require(result.metrics["val_loss"] ?? nil)
                #expect(result.history["val_loss"]?.last == .some(.some(last)))
                let best = try #require(result.bestEpoch)
                let values = try #require(result.history["val_loss"]).compactMap { $0 }
                #expect(values[best] == values.min())
                #expect(place.exists("run/\(try #require(result.model))"))
            }
            #expect(Set(results.compactMap(\.model)).count == 6)
        }

        @Test("Results are sorted, limited, grouped and exported as asked")
        func results() async throws {
            let (place, _) = try await Self.trained()
            let sorted = try await Tool.run(
                ["results", "run", "--json", "--sort", "val_loss", "--limit", "3"], in: place.root
            ).json([TrialObject].self)
            let losses = sorted.compactMap { $0.metrics["val_loss"] ?? nil }
            #expect(losses.count == 3)
            #expect(losses == losses.sorted())

            let groups = try Self.list(
                try await Tool.run(["results", "run", "--group-by", "learning_rate", "--json"], in: place.root).output)
            #expect(groups.count == 2)
            for group in groups {
                #expect(group["count"] as? Int == 3)
                #expect((group["keys"] as? [String: Any])?["learning_rate"] != nil)
                #expect(group["mean"] is Double && group["standard_deviation"] is Double)
            }
            let table = try await Tool.run(["results", "run", "--group-by", "learning_rate"], in: place.root)
            #expect(table.output.contains("learning_rate") && table.output.contains("±"))

            let csv = try await Tool.run(["results", "run", "--format", "csv"], in: place.root)
            let lines = csv.output.split(whereSeparator: \.isNewline)
            #expect(lines.count == 7)
            let header = lines[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            #expect(Set(header).isSuperset(of: ["trial", "learning_rate", "loss", "val_loss", "status", "model"]))
            #expect(
                lines.allSatisfy { $0.split(separator: ",", omittingEmptySubsequences: false).count == header.count })

            let input = try Self.object(try await Tool.run(["doctor", "run", "--json"], in: place.root).output)
            let bytes = try place.contents("x.npy").count + place.contents("y.npy").count - 2 * 128
            #expect(input["mapped_bytes"] as? Int == bytes)
            let waited = try #require(input["input_seconds"] as? Double)
            #expect(waited > 0 && waited <= (input["train_seconds"] as? Double ?? 0))
            let sizes = try await Tool.run(["results", "run"], in: place.root)
            #expect(sizes.output.contains("mapped once; nothing of it copied to the cache"), "\(sizes)")
            let twice = try await Tool.run(["doctor", "run", "--prepare"], in: place.root)
            #expect(twice.status == 2 && twice.errors.contains("stands alone"), "\(twice)")

            try place.write("results.csv", csv.output)
            let parquet = ["results", "run", "--format", "parquet"]
            let written = try await Tool.run(parquet + ["--output", "results.parquet"], in: place.root)
            #expect(written.status == 0 && written.output.isEmpty, "\(written)")
            let rows = try await Tool.python(
                "parquet_results.py", ["results.parquet", "results.csv"], in: place.root, as: Int.self)
            #expect(rows == 6)
            let again = try await Tool.run(parquet + ["--output", "results.parquet"], in: place.root)
            #expect(again.status == 2 && again.errors.contains("--force"), "\(again)")
            let nowhere = try await Tool.run(parquet, in: place.root)
            #expect(nowhere.status == 2 && nowhere.errors.contains("--output"), "\(nowhere)")

            let unknown = try await Tool.run(["results", "run", "--sort", "f1"], in: place.root)
            #expect(unknown.status == 2)
            #expect(unknown.errors.contains("f1") && unknown.errors.contains("val_loss"))
            let ungrouped = try await Tool.run(["results", "run", "--group-by", "store"], in: place.root)
            #expect(ungrouped.status == 2)
            #expect(ungrouped.errors.contains("store"))
        }

        @Test("Trials are compared by a metric as the experiment says, whatever its name would tell")
        func directions() async throws {
            let place = Workplace()
            try place.regression(seeds: 3, further: "save: [all, {best: loss, mode: max}]")
            let outcome = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"], in: place.root)
            try #require(outcome.status == 0, "\(outcome)")
            let sort = ["results", "run", "--json", "--sort", "loss"]
            let sorted = try await Tool.run(sort, in: place.root).json([TrialObject].self)
            let losses = sorted.compactMap { $0.metrics["loss"] ?? nil }
            #expect(losses.count == 3 && losses == losses.sorted(by: >) && losses.first != losses.last)
            #expect(sorted.allSatisfy { $0.bestEpoch == ($0.history["loss"] ?? []).firstIndex { $0 != nil } })
            let best = try #require(sorted.first?.trial)
            let groups = try Self.list(
                try await Tool.run(["results", "run", "--group-by", "status", "--json"], in: place.root).output)
            #expect(groups.first?["best"] as? Int == best)
            let exported = try await Tool.run(
                ["export", "run", "--best", "loss", "--to", "weights", "--output", "weights"], in: place.root)
            #expect(exported.output.contains("000\(best).weights.h5"), "\(exported)")
            let predicted = try await Tool.run(
                [
                    "predict", "run", "--best", "loss", "--json", "--devices", "cpu:1", "--data", "{x: x.npy}",
                    "--output", "p.npy",
                ],
                in: place.root)
            #expect(try Self.object(predicted.output)["trials"] as? [Int] == [best], "\(predicted)")
        }

        @Test("The summary of one trial has no deviation, and one of nothing to train no devices")
        func shortSummaries() async throws {
            let place = Workplace()
            try place.regression(seeds: 1)
            for arguments in [["train", "experiment.yaml", "--output", "run"], ["resume", "run"]] {
                let outcome = try await Tool.run(arguments + ["--devices", "cpu:1"], in: place.root)
                #expect(outcome.status == 0 && outcome.output.contains("1 of 1 trial finished"), "\(outcome)")
                #expect(!outcome.output.contains("nan"), "\(outcome)")
                #expect(outcome.output.contains("busy: cpu:0") == (arguments[0] == "train"), "\(outcome)")
                #expect(outcome.output.contains("busy") == (arguments[0] == "train"), "\(outcome)")
            }
        }

        @Test("The state of a run can be asked for by people and by programs")
        func status() async throws {
            let (place, _) = try await Self.trained()
            let status = try Self.object(try await Tool.run(["status", "run", "--json"], in: place.root).output)
            #expect(status["trials"] as? Int == 6)
            #expect(status["state"] as? String == "finished")
            #expect(status["epochs_done"] as? Int == 12)
            #expect(status["epochs_planned"] as? Int == 12)
            #expect((status["counts"] as? [String: Int])?["finished"] == 6)
            let text = try await Tool.run(["status", "run"], in: place.root)
            #expect(text.status == 0)
            #expect(text.output.contains("6 finished"))
            #expect(text.output.contains("12 of 12"))
        }

        @Test("A plan says what would be trained, with the compiler's figures of memory, and trains nothing")
        func plan() async throws {
            let place = Workplace()
            try place.regression(rows: 50, seeds: 5)
            let outcome = try await Tool.run(
                ["plan", "experiment.yaml", "--devices", "cpu:2", "--json"], in: place.root)
            try #require(outcome.status == 0, "\(outcome)")
            let plan = try Self.object(outcome.output)
            #expect(plan["trials"] as? Int == 5)
            #expect((plan["devices"] as? [[String: Any]])?.compactMap { $0["name"] as? String } == ["cpu:0", "cpu:1"])
            let program = try #require((plan["programs"] as? [[String: Any]])?.first)
            #expect(program["engine"] as? String == "native")
            #expect((program["cohorts"] as? [[Int]])?.flatMap { $0 }.sorted() == Array(0..<5))
            #expect(program["memory_is_compiled"] as? Bool == true)
            #expect(program["memory_bytes"] as? Int ?? 0 > 0)
            #expect(program["parameters"] as? Int == 6 * 4 + 4 + 4 + 1)
            #expect(plan["model_bytes"] as? Int ?? 0 > 0)
            #expect(plan["data_bytes"] as? Int == 50 * 7 * 4)
            #expect(plan["copied_bytes"] as? Int == 0)
            #expect(plan["resident_bytes"] as? Int == 0, "on the CPU the rows of each call are gathered for it")
            #expect(!place.exists("runs"))

            let text = try await Tool.run(["plan", "experiment.yaml", "--devices", "cpu:2"], in: place.root)
            #expect(text.output.contains("5 trials"))
            #expect(text.output.contains("the compiler's figure"))
            #expect(text.output.contains("mapped once; nothing of it copied to the cache; streamed to the devices"))
        }

        @Test("A value of the file is changed from the command line")
        func overrides() async throws {
            let place = Workplace()
            try place.regression(seeds: 2)
            let outcome = try await Tool.run(
                [
                    "train", "experiment.yaml", "--devices", "cpu:1", "--set", "fit.epochs=3", "--set",
                    "trials.seed=[7]",
                    "--set", "save=none", "--set", "name=shorter", "--json",
                ], in: place.root)
            try #require(outcome.status == 0, "\(outcome)")
            #expect(try outcome.json(SummaryObject.self).output == place.path("runs/shorter").string)
            let results = try await Tool.run(["results", "runs/shorter", "--json"], in: place.root)
                .json([TrialObject].self)
            #expect(results.map(\.seed) == [7])
            #expect(results.first?.history["loss"]?.count == 3)
            #expect(results.first?.model == nil)
            #expect(try place.list("runs/shorter/models") == [])
        }

        @Test("A second run never writes into the first one's folder")
        func outputFolder() async throws {
            let place = Workplace()
            try place.regression(seeds: 1)
            let arguments = ["train", "experiment.yaml", "--devices", "cpu:1"]
            #expect(try await Tool.run(arguments + ["--output", "run"], in: place.root).status == 0)
            let model = try place.contents("run/models/0000.keras")
            let again = try await Tool.run(
                arguments + ["--output", "run", "--set", "trials.seed=[9]"], in: place.root)
            #expect(again.status == 2)
            #expect(again.errors.contains("error: \(place.path("run")) holds a run already"), "\(again)")
            #expect(try place.contents("run/models/0000.keras") == model)

            #expect(try await Tool.run(arguments, in: place.root).status == 0)
            #expect(try await Tool.run(arguments, in: place.root).status == 0)
            #expect(try place.list("runs") == ["experiment", "experiment-2"])
        }

        @Test("A model that diverges counts as not finished, and does not take others with it")
        func diverged() async throws {
            let place = Workplace()
            try place.regression(seeds: 1, epochs: 30, model: "dense")
            try place.writeClasses("y.npy", rows: 64, classes: 3)
            let outcome = try await Tool.run(
                [
                    "train", "experiment.yaml", "--devices", "cpu:1", "--output", "run", "--json", "--set",
                    "trials={learning_rate: [0.01, 1.0e+38]}",
                ], in: place.root)
            let results = try await Tool.run(["results", "run", "--json"], in: place.root).json([TrialObject].self)
            try #require(results.count == 2, "\(outcome)")
            #expect(results[0].status == "finished")
            #expect(results[0].history["loss"]?.allSatisfy { $0 != nil } ?? false)
            #expect(results[1].status == "diverged")
            #expect(results[1].history["loss"]?.count ?? 30 < 30, "it ends at the epoch whose loss is no number")
        }

        @Test(
            "Each verb explains itself", arguments: ["demo", "train", "plan", "results", "status", "doctor", "runner"])
        func help(verb: String) async throws {
            let place = Workplace()
            let all = try await Tool.run(["--help"], in: place.root)
            #expect(all.output.contains("  \(verb) "))
            let help = try await Tool.run([verb, "--help"], in: place.root)
            #expect(help.status == 0)
            #expect(help.output.contains("OVERVIEW: "))
            #expect(help.output.contains("USAGE: pronghorn \(verb)"))
            #expect(help.errors.isEmpty)
        }

        @Test("More than a thousand models stand in folders of a thousand")
        func shards() async throws {
            let place = Workplace()
            try place.regression(rows: 16, seeds: 1001, epochs: 1)
            let outcome = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:2", "--output", "run", "--json"], in: place.root)
            try #require(outcome.status == 0, "\(outcome)")
            #expect(try outcome.json(SummaryObject.self).finished == 1001)
            #expect(try place.list("run/models") == ["000", "001"])
            #expect(try place.list("run/models/000").count == 1000)
            #expect(try place.list("run/models/001") == ["1000.keras"])
            let results = try await Tool.run(["results", "run", "--json"], in: place.root)
            let trials = try results.json([TrialObject].self)
            #expect(trials.last?.model == "models/001/1000.keras")
            #expect(trials.allSatisfy { place.exists("run/\($0.model ?? "")") })

            struct Loaded: Decodable { var loaded: Int }
            let some = [0, 1, 499, 998, 999, 1000].map { trials[$0] }
            try place.write("some.json", String(decoding: try JSONEncoder().encode(some), as: UTF8.self))
            try place.write("data.json", #"{"x": "x.npy", "y": "y.npy"}"#)
            let loaded = try await Tool.python(
                "load_models.py", ["run", "some.json", "data.json"], in: place.root, as: Loaded.self)
            #expect(loaded.loaded == 6)
        }
    }
}
