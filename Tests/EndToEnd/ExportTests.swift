import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// `pronghorn export`: what it writes for which trials, and what it does not.
    ///
    /// That each format holds the model is shown by `python/tests/test_export.py`.
    @Suite struct ExportTests {
        /// A finished run of three trials, the same for all tests.
        static let trained = Task {
            let place = Workplace()
            try place.regression(seeds: 3, further: "save: all")
            let outcome = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"], in: place.root)
            try #require(outcome.status == 0, "\(outcome)")
            return place
        }

        func export(_ arguments: [String]) async throws -> (outcome: Outcome, place: Workplace) {
            let place = try await Self.trained.value
            return (try await Tool.run(["export", "run"] + arguments, in: place.root), place)
        }

        @Test("A .keras file is the run's own, byte for byte, and is replaced only by --force")
        func keras() async throws {
            let (outcome, place) = try await export(["0", "2", "--to", "keras", "--output", "out/keras"])
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try place.list("out/keras") == ["0000.keras", "0002.keras"])
            #expect(try place.contents("out/keras/0002.keras") == place.contents("run/models/0002.keras"))

            try place.write("out/keras/0001.keras", "mine")
            let (again, _) = try await export(["--all", "--to", "keras", "--output", "out/keras"])
            #expect(again.status == 2 && again.errors.contains("--force"), "\(again)")
            #expect(try place.contents("out/keras/0001.keras") == Data("mine".utf8))
            let (forced, _) = try await export(["--all", "--to", "keras", "--output", "out/keras", "--force"])
            #expect(forced.status == 0, "\(forced)")
            #expect(try place.contents("out/keras/0001.keras") == place.contents("run/models/0001.keras"))
            #expect(try place.list("out/keras") == ["0000.keras", "0001.keras", "0002.keras"])
        }

        @Test(
            "Each format is one file or folder a trial",
            arguments: [
                ("weights", ["0001.weights.h5"]), ("h5", ["0001.h5"]), ("onnx", ["0001.onnx"]),
                ("tensorboard", ["0001", "hparams"]), ("mlflow", ["mlflow.db", "mlartifacts"]),
            ])
        func formats(format: String, files: [String]) async throws {
            let (outcome, place) = try await export(["1", "--to", format, "--output", "out/\(format)"])
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output == "\(place.path("out/\(format)/\(files[0])"))\n")
            #expect(try place.list("out/\(format)") == files.sorted())
        }

        @Test(
            "A SavedModel is written by the Python that has TensorFlow",
            .enabled(if: Tool.tensorFlow != nil, "needs PRONGHORN_TEST_TENSORFLOW_PYTHON"))
        func savedModel() async throws {
            let (outcome, place) = try await export(["1", "--to", "savedmodel", "--output", "out/served"])
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try place.list("out/served/0001").contains("saved_model.pb"))
        }

        @Test("--best takes the one trial that is best by a metric")
        func best() async throws {
            let (outcome, place) = try await export(["--best", "loss", "--to", "keras", "--output", "out/best"])
            #expect(outcome.status == 0, "\(outcome)")
            let results = try await Tool.run(["results", "run", "--json", "--sort", "loss"], in: place.root)
            let first = try #require(try results.json([TrialObject].self).first)
            #expect(try place.list("out/best") == ["\(first.name).keras"])
        }

        @Test("A trial without a model is told, and the others are written")
        func withoutModel() async throws {
            let place = Workplace()
            try place.regression(seeds: 3, further: "save: {top: 1, monitor: loss}")
            let train = try await Tool.run(["train", "experiment.yaml", "--output", "run"], in: place.root)
            try #require(train.status == 0, "\(train)")
            let outcome = try await Tool.run(
                ["export", "run", "--all", "--to", "weights", "--output", "out"], in: place.root)
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.errors.split(separator: "\n").count { $0.contains("has no model") } == 2, "\(outcome)")
            #expect(try place.list("out").count == 1)
        }

        @Test(
            "What cannot be meant is refused with status 2, and nothing is written",
            arguments: [
                (["--to", "keras"], "--all"), (["7", "--to", "keras"], "no trial 7"),
                (["1", "--to", "pickle"], "savedmodel"), (["--best", "auc", "--to", "keras"], "'auc'"),
                (["1", "--all", "--to", "keras"], "--best METRIC"),
            ])
        func refused(arguments: [String], words: String) async throws {
            let (outcome, place) = try await export(arguments + ["--output", "out/refused"])
            #expect(outcome.status == 2 && outcome.errors.contains(words), "\(outcome)")
            #expect(!place.exists("out/refused"))
        }
    }
}
