import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// Preprocessing that is adapted to each trial's own training rows: scikit-learn's wines, whose columns have means from
    /// 0.4 to 750.
    @Suite struct AdaptationTests {
        struct Made: Decodable {
            var rows: Int
            var deviations: Double
        }

        struct Findings: Decodable {
            var trials: Int
            /// The greatest relative difference from Keras of each kind.
            var worst: [String: Double]
            /// By how many deviations a column's mean differs from that of the rows with those held out, at least.
            var leak: Double
            /// How many different means there are.
            var means: Int
            /// How many of them stand in one unit, at most.
            var packed: Int
        }

        static let program = "adaptation.py"
        static let models = Tool.support.appending(program)

        /// The wines and two starting models; the same for all tests.
        static let wines = Task {
            let place = Workplace()
            let made = try await Tool.python(program, ["make", "."], in: place.root, as: Made.self)
            try #require(made.rows == 178 && made.deviations > 100)
            return place
        }

        /// A workplace with the wines, their groups, and an experiment on them.
        static func place(_ experiment: String, fit: String = "{epochs: 4, batch_size: 16, shuffle: false}")
            async throws
            -> Workplace
        {
            let place = Workplace()
            let wines = try await Self.wines.value
            for name in ["x.npy", "y.npy", "store-0.keras", "store-1.keras"] {
                try FileManager.default.copyItem(
                    atPath: wines.path(name).string, toPath: place.path(name).string)
            }
            try place.writeNumbers("group.npy", shape: [178], (0..<178).map { $0 < 40 ? 0 : $0 % 3 == 0 ? 1 : 2 })
            let fit = experiment.contains("\nfit:") ? "" : "fit: \(fit)\n"
            try place.write(
                "experiment.yaml",
                experiment + "\n\(fit)data: {x: x.npy, y: y.npy, group: group.npy}\nsave: [initial, all]\n")
            return place
        }

        static let train = ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"]

        /// Trains the experiment and repeats every trial in Keras, adapted to the same rows.
        ///
        /// - Parameter packed: how many different statistics stand in one unit at least; 0: units hold none, as Keras adapts.
        func compare(_ place: Workplace, trials: Int, partitions: Int, packed: Int) async throws {
            let train = try await Tool.run(Self.train + ["--json"], in: place.root)
            try #require(train.status == 0, "\(train)")
            #expect(try train.json(SummaryObject.self).finished == trials)
            try await compareTrained(place, trials: trials, partitions: partitions, packed: packed)
        }

        /// Repeats every trial of the run in Keras.
        func compareTrained(_ place: Workplace, trials: Int, partitions: Int, packed: Int) async throws {
            try place.write(
                "results.json", try await Tool.run(["results", "run", "--json"], in: place.root).output)
            let findings = try await Tool.python(
                Self.program, ["compare", "run", "results.json"], in: place.root, as: Findings.self)
            #expect(findings.trials == trials)
            #expect(findings.means == partitions)
            #expect(packed == 0 ? findings.packed == 0 : findings.packed >= packed, "\(findings.packed)")
            #expect(findings.leak > 1e-3, "the rows that are held out have had a part in the statistics")
            // Statistics are exact but for their rounding to float32; drawn starts are Keras's own.
            for (kind, tolerance) in [
                "statistics": 1e-6, "start": 4e-7, "history": 1e-5, "weights": 1e-5, "predictions": 1e-5,
            ] {
                let worst = try #require(findings.worst[kind])
                #expect(worst <= tolerance, "\(kind): \(worst)")
            }
        }

        @Test(
            "Folds of unscaled columns, packed side by side, are each Model.fit after layer.adapt on its own training rows, files and predictions included"
        )
        func folds() async throws {
            let place = try await Self.place(
                """
                model: \(Self.models):build
                partition: {folds: 5}
                trials: {seed: {range: 2}}
                adapt: true
                """)
            try await compare(place, trials: 10, partitions: 5, packed: 2)
            // The rows as they were predict as in Keras, each by the model of the fold that held it out.
            let arguments = ["predict", "run", "--devices", "cpu:1", "--json", "--out-of-fold", "--output", "oof.npy"]
            let predicted = try await Tool.run(
                arguments + ["--trials", "0", "2", "4", "6", "8"], in: place.root)
            try #require(predicted.status == 0, "\(predicted)")
            let found = try await Tool.python(
                "out_of_fold.py", ["run", "x.npy", "oof.npy", "0", "2", "4", "6", "8"], in: place.root,
                as: InferenceTests.Comparison.self)
            #expect(found.difference < 1e-5 && found.values == 178, "\(found)")
        }

        @Test("Unequal groups that set a share aside are adapted to what is left, by the name of the layer")
        func groups() async throws {
            let place = try await Self.place(
                """
                model: \(Self.models):build
                partition: {by: group}
                adapt: [scale]
                fit: {epochs: 4, batch_size: 16, shuffle: false, validation: 0.25}
                """)
            try await compare(place, trials: 3, partitions: 3, packed: 1)
        }

        @Test("Starting models forget what they were adapted to, and nothing else")
        func startingModels() async throws {
            let place = try await Self.place("model: store-*.keras\npartition: {folds: 2}\nadapt: scale")
            try await compare(place, trials: 4, partitions: 2, packed: 2)
        }

        @Test("Under the fit engine Keras adapts the layers itself, to the same rows")
        func fitEngine() async throws {
            let place = try await Self.place(
                "model: \(Self.models):build\npartition: {folds: 3}\nadapt: true\nengine: fit\nbackend: jax")
            try await compare(place, trials: 3, partitions: 3, packed: 0)
        }

        @Test("A run that died before its first checkpoint, or after one, goes on to the same models bit for bit")
        func resumed() async throws {
            let experiment = """
                model: \(Self.models):build
                partition: {subsample: 4, share: 0.5}
                adapt: true
                fit: {epochs: 1000, batch_size: 16}
                checkpoint: {every_epochs: 900}
                """
            let place = try await Self.place(experiment)
            let undisturbed = try await Tool.run(Self.train, in: place.root)
            try #require(undisturbed.status == 0, "\(undisturbed)")
            let expected = try ResumeTests.files(place)
            #expect(expected.count == 8)
            try FileManager.default.moveItem(atPath: place.path("run").string, toPath: place.path("whole").string)

            for (signal, verb) in [(SIGKILL, Self.train), (SIGINT, ["resume", "run", "--devices", "cpu:1"])] {
                let unit = signal == SIGKILL ? "0000" : "0001"
                let outcome = try await Tool.follow(verb, in: place.root) { line, control in
                    guard line.contains("unit \(unit), 4 trials") else { return }
                    try await waitUntil("the unit trains") { ResumeTests.epochs(of: unit, place) >= 10 }
                    #expect(kill(control, signal) == 0)
                }
                #expect(outcome.status != 0, "\(outcome)")
            }
            #expect(try place.list("run/units/0001").contains("adapted.safetensors"))
            let resumed = try await Tool.run(["resume", "run", "--devices", "cpu:1"], in: place.root)
            #expect(resumed.status == 0, "\(resumed)")
            #expect(try !place.list("run/units/0002").contains("adapted.safetensors"), "it went on from a checkpoint")
            let found = try ResumeTests.files(place)
            #expect(expected.keys.sorted() == found.keys.sorted())
            #expect(expected.keys.sorted().filter { expected[$0] != found[$0] } == [])
        }

        @Test("Ctrl-C while the rows are read that layers are adapted to ends the reading, and nothing was begun")
        func interrupted() async throws {
            let place = Workplace()
            // A gigabyte of zeros takes a minute to read, and no place on the disk.
            let (rows, width) = (20_000, 50_000)
            try place.writeZeros("x.npy", descriptor: "|u1", size: 1, shape: [rows, width])
            try place.writeZeros("y.npy", descriptor: "<f4", size: 4, shape: [rows, 1])
            try place.write(
                "model.py",
                """
                import keras

                def build():
                    stack = [keras.Input((\(width),)), keras.layers.Normalization(), keras.layers.Dense(1)]
                    model = keras.Sequential(stack)
                    model.compile("sgd", "mse")
                    return model
                """)
            try place.write(
                "experiment.yaml", "model: model.py:build\ndata: {x: x.npy, y: y.npy}\nadapt: true\nfit: {epochs: 1}\n")
            let outcome = try await Tool.follow(Self.train, in: place.root) { line, control in
                guard line.hasSuffix("adapting layers to the rows of 1 partition") else { return }
                #expect(kill(control, SIGINT) == 0)
            }
            #expect(outcome.output.contains("adapting layers to the rows of 1 partition"), "\(outcome)")
            #expect(outcome.status == 1 && outcome.output.contains("stopped before training began"), "\(outcome)")
            #expect(!place.exists("run"))
        }

        @Test("What keeps what it learns in its configuration is adapted by Model.fit, and says so")
        func discretization() async throws {
            let place = try await Self.place("model: \(Self.models):binned\npartition: {folds: 2}\nadapt: true")
            let train = try await Tool.run(Self.train, in: place.root)
            try #require(train.status == 0, "\(train)")
            let results = try await Tool.run(["results", "run", "--json"], in: place.root).json([TrialObject].self)
            #expect(results.map(\.engine) == ["fit", "fit"])
            #expect(results[0].engineReason?.contains("'bins' (Discretization)") ?? false, "\(results[0])")
            let plan = try await Tool.run(["plan", "experiment.yaml", "--set", "engine=native"], in: place.root)
            #expect(plan.status == 2 && plan.errors.contains("'bins' (Discretization)"), "\(plan)")
        }

        @Test(
            "A layer that cannot be adapted to each trial's rows is refused where the file names it, before anything is made",
            arguments: [
                ("late", "true", "experiment.yaml:3:8: adapt: the layer 'late' does not stand on an input"),
                (
                    "build", "[scale, nope]",
                    "adapt: the model has no layer 'nope' with adapt(); those with adapt() are 'scale'"
                ),
                ("build", "[]", "experiment.yaml:3:1: adapt: names no layer"),
                ("build", "3", "experiment.yaml:3:8: adapt: must be true, false, or the names of layers, found 3"),
            ])
        func refused(model: String, adapt: String, words: String) async throws {
            let place = try await Self.place("model: \(Self.models):\(model)\npartition: {folds: 2}\nadapt: \(adapt)")
            let outcome = try await Tool.run(Self.train, in: place.root)
            #expect(outcome.status == 2 && outcome.errors.contains(words), "\(outcome)")
            #expect(!place.exists("run"))
        }
    }
}
