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
            var epochs = 3
            var batchSize: Int

            enum CodingKeys: String, CodingKey {
                case file, function, x, y, validation, epochs
                case xValidation = "x_validation"
                case yValidation = "y_validation"
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
    }
}
