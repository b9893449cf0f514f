import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// What only real `Model.fit` trains, and how a run gets there.
    @Suite struct FitEngineTests {
        static let models = Tool.support.appending("fit_models.py")
        static let train = ["train", "experiment.yaml", "--devices", "cpu:2", "--output", "run"]

        /// Rows for a regression, and an experiment on them.
        static func place(
            model: String, trials: String = "{seed: {range: 3}}", epochs: Int = 4, further: String = ""
        ) throws -> Workplace {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [64, 6], stream: 1)
            try place.writeNumbers("y.npy", shape: [64, 1], stream: 2)
            try place.write(
                "experiment.yaml",
                """
                model: \(models):\(model)
                data: {x: x.npy, y: y.npy}
                trials: \(trials)
                fit: {epochs: \(epochs), batch_size: 16, validation: 0.25}
                \(further)
                """)
            return place
        }

        static func results(_ place: Workplace, run: String = "run") async throws -> [TrialObject] {
            try await Tool.run(["results", run, "--json"], in: place.root).json([TrialObject].self)
        }

        @Test(
            "A TensorFlow-only layer and a Python callback train 8 trials in two processes, with the files and tables of the native engine",
            .enabled(if: Tool.tensorFlow != nil, "needs PRONGHORN_TEST_TENSORFLOW_PYTHON"))
        func tensorFlow() async throws {
            let save = "save: [initial, all, best]"
            let place = try Self.place(
                model: "tensorflow_only", trials: "{seed: {range: 8}}",
                further: "\(save)\ncallbacks: [\(Self.models):stops]")
            var runners: Set<Int32> = []
            let train = try await Tool.follow(Self.train, in: place.root) { line, _ in
                guard let process = runnerStarted(line) else { return }
                #expect(isFitRunner(process), "\(line)")
                runners.insert(process)
            }
            #expect(train.status == 0, "\(train)")
            #expect(runners.count == 2, "\(train)")
            let results = try await Self.results(place)
            #expect(results.map(\.status) == Array(repeating: "finished", count: 8))
            for result in results {
                #expect(result.engine == "fit")
                #expect(result.engineReason == "\(Self.models):stops is a Python callback")
                #expect(result.stoppedEpoch == 2 && result.stoppedBy == "stops_after_three")
                #expect(result.history["val_mae"]?.count == 3)
            }
            #expect(Set(results.map { $0.history["loss"] ?? [] }).count == 8, "seeds make no difference")
            #expect(Set(results.map(\.device)) == ["cpu:0", "cpu:1"])

            // The same experiment of a model that is lowered leaves the same files, objects and columns.
            let native = try Self.place(model: "regression", trials: "{seed: {range: 8}}", further: save)
            let other = try await Tool.run(Self.train, in: native.root)
            #expect(other.status == 0, "\(other)")
            #expect(try place.list("run/models") == native.list("run/models"))
            #expect(try place.list("run/models").count == 24)
            for format in ["csv", "json"] {
                let ours = try await Tool.run(["results", "run", "--format", format], in: place.root).output
                let theirs = try await Tool.run(["results", "run", "--format", format], in: native.root).output
                #expect(columns(ours, format) == columns(theirs, format))
            }
        }

        @Test(
            "A model that needs TensorFlow is told so by the plan, in one sentence",
            .enabled(if: Tool.tensorFlow != nil, "needs PRONGHORN_TEST_TENSORFLOW_PYTHON"))
        func plan() async throws {
            let place = try Self.place(model: "tensorflow_only")
            let plan = try await Tool.run(["plan", "experiment.yaml", "--devices", "cpu:1"], in: place.root)
            #expect(plan.status == 0, "\(plan)")
            #expect(
                plan.output.contains(
                    "Model.fit: 3 trials on the backend tensorflow, engine fit: the model needs TensorFlow: "
                        + "ModuleNotFoundError: No module named 'tensorflow'"), "\(plan)")
            let json = try CommandTests.object(
                try await Tool.run(["plan", "experiment.yaml", "--devices", "cpu:1", "--json"], in: place.root).output)
            let fits = try #require(json["fits"] as? [[String: Any]])
            #expect(fits.first?["backend"] as? String == "tensorflow")
            #expect(fits.first?["engine"] as? String == "fit")
            #expect(fits.first?["trials"] as? [Int] == [0, 1, 2])
            #expect((json["programs"] as? [Any])?.isEmpty == true)
        }

        @Test("By `engine: fit` on JAX, histories and first weights are those of Model.fit called by hand")
        func agreement() async throws {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [131, 6])
            try place.writeClasses("y.npy", rows: 131, classes: 3)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):dense
                data: {x: x.npy, y: y.npy}
                trials: {seed: {range: 2}, learning_rate: [0.001, 0.05]}
                fit: {epochs: 3, batch_size: 16, validation: 0.25, shuffle: false}
                save: [initial, all]
                engine: fit
                """)
            let settings = AgreementTests.Settings(function: "dense", validation: 0.25, batchSize: 16)
            try await AgreementTests().compare(place, settings, trials: 4, cohorts: 4)
        }

        @Test("Of one grid, what can be lowered is, what cannot trains by Model.fit, and what is wrong fails alone")
        func mixed() async throws {
            let place = try Self.place(model: "regression", trials: "{units: [4, 8, -1], seed: {range: 2}}")
            let train = try await Tool.run(Self.train, in: place.root)
            #expect(train.status == 1, "\(train)")
            let results = try await Self.results(place)
            #expect(results.map(\.engine).prefix(4) == ["native", "native", "fit", "fit"])
            #expect(
                results.map(\.status) == ["finished", "finished", "finished", "finished", "failed", "failed"],
                "\(train)")
            #expect(results[0].engineReason == nil)
            #expect(results[2].engineReason?.contains("run_eagerly=True") ?? false)
            #expect(results[4].message?.contains("fit_models.py:") ?? false)
            let table = try await Tool.run(["results", "run"], in: place.root)
            #expect(table.output.contains("engine") && table.output.contains("native"), "\(table)")
        }

        @Test(
            "`engine: native` refuses what cannot be lowered, and any engine a model that is wrong, before anything is made"
        )
        func refused() async throws {
            let eager = try Self.place(model: "regression", trials: "{units: [8]}", further: "engine: native")
            let native = try await Tool.run(Self.train, in: eager.root)
            #expect(native.status == 2, "\(native)")
            #expect(native.errors.contains("run_eagerly=True"), "\(native)")
            let callback = try Self.place(
                model: "regression", further: "engine: native\ncallbacks: [\(Self.models):stops]")
            let refused = try await Tool.run(Self.train, in: callback.root)
            #expect(refused.status == 2, "\(refused)")
            #expect(refused.errors.contains("experiment.yaml:6:13: callbacks[0]:"), "\(refused)")
            #expect(refused.errors.contains("is a Python callback"), "\(refused)")
            let wrong = try Self.place(model: "regression", trials: "{units: [-1]}", further: "engine: fit")
            let mistaken = try await Tool.run(Self.train, in: wrong.root)
            #expect(mistaken.status == 2, "\(mistaken)")
            #expect(mistaken.errors.contains("fit_models.py:"), "\(mistaken)")
            for place in [eager, callback, wrong] { #expect(!place.exists("run")) }
        }
    }
}

/// The names of what results have: the first line of a table, or the keys of the first object.
private func columns(_ text: String, _ format: String) -> [String] {
    if format == "csv" {
        return text.split(whereSeparator: \.isNewline).first.map { $0.split(separator: ",").map(String.init) } ?? []
    }
    let objects = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
    return objects?.first?.keys.sorted() ?? []
}
