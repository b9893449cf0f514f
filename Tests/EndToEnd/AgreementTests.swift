import Foundation
import SystemPackage
import Testing

/// Everything that drives the built program: one test after another, since each wants all cores.
@Suite(.serialized, .enabled(if: Tool.isThere, "\(Tool.needed)"))
struct EndToEndTests {}

extension EndToEndTests {
    /// The promise that all else rests on: what Pronghorn trains is what `Model.fit` would have trained.
    @Suite struct AgreementTests {
        struct Settings: Encodable {
            var file = Tool.models.string
            var function: String
            var x = "x.npy"
            var y = "y.npy"
            var validation: Double?
            var xValidation: String?
            var yValidation: String?
            var weightValidation: String?
            var epochs = 3
            var batchSize: Int
            /// Further arguments of `Model.fit`, a JSON object; a trial's own parameters of these names go before.
            var fit = "{}"

            enum CodingKeys: String, CodingKey {
                case file, function, x, y, validation, epochs, fit
                case xValidation = "x_validation"
                case yValidation = "y_validation"
                case weightValidation = "weight_validation"
                case batchSize = "batch_size"
            }
        }

        struct Findings: Decodable {
            var trials: Int
            var worst: [String: Double]
            var at: [String: String]
            var problems: [String]
        }

        /// Trains the experiment of a workplace on one device and repeats every trial in Keras.
        func compare(_ place: Workplace, _ settings: Settings, trials: Int, cohorts: Int?) async throws {
            let train = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run", "--json"], in: place.root)
            try #require(train.status == 0, "\(train)")
            #expect(try train.json(SummaryObject.self).finished == trials)
            if let cohorts { #expect(try place.list("run/units").count == cohorts) }

            let results = try await Tool.run(["results", "run", "--json"], in: place.root)
            try place.write("results.json", results.output)
            try place.write(
                "settings.json", String(decoding: try JSONEncoder().encode(settings), as: UTF8.self))
            let findings = try await Tool.python(
                "agreement.py", ["run", "results.json", "settings.json"], in: place.root, as: Findings.self)
            #expect(findings.trials == trials)
            #expect(findings.problems == [])
            // First weights are drawn the same; an orthogonal one is made so by another method, exact to some last bits.
            for (kind, tolerance) in ["history": 1e-5, "evaluate": 1e-5, "initial": 1e-6] {
                let worst = try #require(findings.worst[kind])
                #expect(worst <= tolerance, "\(kind): \(worst) at \(findings.at[kind] ?? "")")
            }
        }

        @Test("A cohort of 25 dense models gives the histories, first weights and metrics of 25 runs of Model.fit")
        func dense() async throws {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [131, 6])
            try place.writeClasses("y.npy", rows: 131, classes: 3)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):dense
                data: {x: x.npy, y: y.npy}
                trials: {seed: {range: 5}, learning_rate: [0.001, 0.003, 0.01, 0.02, 0.05]}
                fit: {epochs: 3, batch_size: 16, validation: 0.25, shuffle: false}
                save: [initial, all]
                """)
            let settings = Settings(function: "dense", validation: 0.25, batchSize: 16)
            try await compare(place, settings, trials: 25, cohorts: 1)
        }

        @Test("A cohort of 20 convolutional models gives what 20 runs of Model.fit give")
        func convolutional() async throws {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [45, 8, 8, 1])
            try place.writeClasses("y.npy", rows: 45, classes: 3)
            try place.writeNumbers("xv.npy", shape: [21, 8, 8, 1], stream: 5)
            try place.writeClasses("yv.npy", rows: 21, classes: 3)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):convolutional
                data: {x: x.npy, y: y.npy}
                trials: {seed: {range: 20}}
                fit: {epochs: 3, batch_size: 8, validation: {x: xv.npy, y: yv.npy}, shuffle: false}
                save: [initial, all]
                """)
            let settings = Settings(
                function: "convolutional", xValidation: "xv.npy", yValidation: "yv.npy", batchSize: 8)
            try await compare(place, settings, trials: 20, cohorts: 1)
        }

        @Test("A cohort of 25 LSTM models gives the histories, first weights and metrics of 25 runs of Model.fit")
        func recurrent() async throws {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [50, 7, 2])
            try place.writeNumbers("y.npy", shape: [50, 1], stream: 3)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):recurrent
                data: {x: x.npy, y: y.npy}
                trials: {seed: {range: [100, 125]}}
                fit: {epochs: 3, batch_size: 12, validation: 0.3, shuffle: false}
                save: [initial, all]
                """)
            let settings = Settings(function: "recurrent", validation: 0.3, batchSize: 12)
            try await compare(place, settings, trials: 25, cohorts: 1)
        }

        /// Rows and an experiment of the dense model or another on the same rows, the given lines under it.
        func dense(rows: Int = 131, model: String = "dense", _ lines: String) throws -> Workplace {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [rows, 6])
            try place.writeClasses("y.npy", rows: rows, classes: 3)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):\(model)
                \(lines.contains("data:") ? "" : "data: {x: x.npy, y: y.npy}")
                save: [initial, all]
                \(lines)
                """)
            return place
        }

        @Test("Trials that differ in batch size and epochs share a program, and each is what its Model.fit gives")
        func batchSizesAndEpochs() async throws {
            let place = try dense(
                """
                trials: {seed: [3, 4], batch_size: [16, 25, 131], epochs: [2, 4], validation_batch_size: [null, 7]}
                fit: {batch_size: 8, validation: 0.25, shuffle: false}
                """)
            try await compare(
                place, Settings(function: "dense", validation: 0.25, batchSize: 8), trials: 24, cohorts: 12)
            let units = try place.list("run/units").map { id in
                try JSONDecoder().decode(UnitObject.self, from: place.contents("run/units/\(id)/unit.json"))
            }
            #expect(Set(units.map(\.program.folder)).count == 1)
        }

        @Test("An initial epoch and validation after listed epochs are Model.fit's, epoch by epoch")
        func initialEpochAndListedValidation() async throws {
            let place = try dense(
                """
                trials: {seed: [1, 2], initial_epoch: [0, 2], validation_freq: [[1, 3], [5], 2]}
                fit: {epochs: 5, batch_size: 20, validation: 0.25, shuffle: false}
                """)
            try await compare(
                place, Settings(function: "dense", validation: 0.25, epochs: 5, batchSize: 20), trials: 12, cohorts: 6)
        }

        @Test("Steps per epoch go on through the rows from epoch to epoch, and end with them, as in Model.fit")
        func stepsPerEpoch() async throws {
            // 98 rows to train on: 7 batches of 16, or of 50 and 33 where the steps say how large they are.
            let place = try dense(
                """
                trials:
                - {seed: 1, steps_per_epoch: 3}
                - {seed: 2, steps_per_epoch: 3, initial_epoch: 2}
                - {seed: 3, steps_per_epoch: 7}
                - {seed: 4, steps_per_epoch: 30}
                - {seed: 5, steps_per_epoch: 1}
                - {seed: 6, steps_per_epoch: 2, batch_size: null}
                - {seed: 7, steps_per_epoch: 3, batch_size: null}
                fit: {epochs: 6, batch_size: 16, validation: 0.25, shuffle: false}
                """)
            try await compare(
                place, Settings(function: "dense", validation: 0.25, epochs: 6, batchSize: 16), trials: 7, cohorts: 7)
        }

        @Test("Weights of classes are Model.fit's: in the loss and in weighted metrics, in training alone")
        func classWeights() async throws {
            let place = try dense(
                model: "weighted",
                """
                trials: {seed: [1, 2], class_weight: [null, {0: 1, 1: 4, 2: 0.5}, {1: 0}]}
                fit: {epochs: 3, batch_size: 16, validation: 0.25, shuffle: false}
                """)
            // They differ in arrays only, so that all train together.
            try await compare(
                place, Settings(function: "weighted", validation: 0.25, batchSize: 16), trials: 6, cohorts: 1)
        }

        @Test("Trials that choose the column that weighs their rows are each what Model.fit gives with it")
        func columnsOfWeights() async throws {
            let place = try dense(
                model: "weighted",
                """
                data: {x: x.npy, y: y.npy, v: v.npy, w: w.npy}
                trials: {seed: [1], sample_weight: [null, v, w]}
                fit: {epochs: 3, batch_size: 16, validation: 0.25, shuffle: false}
                """)
            try place.writeNumbers("v.npy", shape: [131], (0..<131).map { Float($0 % 5) / 2 })
            try place.writeNumbers("w.npy", shape: [131], (0..<131).map { Float($0 % 3) })
            try await compare(
                place, Settings(function: "weighted", validation: 0.25, batchSize: 16), trials: 3, cohorts: 1)
        }

        @Test("Weights of classes of one-hot targets, and validation rows with weights of their own, are Model.fit's")
        func classWeightsOfOneHotTargets() async throws {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [70, 6])
            try place.writeNumbers("y.npy", shape: [70, 3], (0..<210).map { ($0 % 3) == ($0 / 3 * 7 % 3) ? 1 : 0 })
            try place.writeNumbers("xv.npy", shape: [25, 6], stream: 5)
            try place.writeNumbers("yv.npy", shape: [25, 3], (0..<75).map { ($0 % 3) == ($0 / 3 % 3) ? 1 : 0 })
            try place.writeNumbers("wv.npy", shape: [25], (0..<25).map { Float($0 % 4) / 2 })
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):weighted_one_hot
                data: {x: x.npy, y: y.npy}
                trials: {seed: [1, 2]}
                fit:
                  epochs: 3
                  batch_size: 16
                  shuffle: false
                  class_weight: {0: 3, 2: 0.25}
                  validation_data: {x: xv.npy, y: yv.npy, sample_weight: wv.npy}
                save: [initial, all]
                """)
            let settings = Settings(
                function: "weighted_one_hot", xValidation: "xv.npy", yValidation: "yv.npy", weightValidation: "wv.npy",
                batchSize: 16, fit: #"{"class_weight": {"0": 3, "2": 0.25}}"#)
            try await compare(place, settings, trials: 2, cohorts: 1)
        }

        @Test("Shares and steps of validation that differ between trials are each what its Model.fit gives")
        func validationSharesAndSteps() async throws {
            let place = try dense(
                """
                trials: {seed: [1], validation_split: [0, 0.25, 0.5], validation_steps: [null, 2, 50], validation_batch_size: [null, 9]}
                fit: {epochs: 2, batch_size: 16, shuffle: false}
                """)
            try await compare(
                place, Settings(function: "dense", validation: 0.25, epochs: 2, batchSize: 16), trials: 18, cohorts: nil
            )
        }

        @Test("A model that executes several steps at once takes as many an epoch as in Model.fit")
        func stepsPerExecution() async throws {
            let place = try dense(
                model: "by_threes",
                """
                trials: {seed: [1], steps_per_epoch: [null, 2, 4], validation_steps: [null, 1]}
                fit: {epochs: 5, batch_size: 16, validation_split: 0.5, shuffle: false}
                """)
            try await compare(
                place, Settings(function: "by_threes", validation: 0.5, epochs: 5, batchSize: 16), trials: 6,
                cohorts: nil)
        }
    }
}

/// What a test reads of a unit.
struct UnitObject: Decodable {
    struct Program: Decodable {
        var folder: String
    }

    var program: Program
}
