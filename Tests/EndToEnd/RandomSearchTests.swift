import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// A random search is one program, whatever its numbers are, and each trial is what Keras makes of them.
    @Suite struct RandomSearchTests {
        struct Plan: Decodable {
            struct Program: Decodable {
                var inputs: [String]
                var baked: [String: String]
                var trials: Int
                var lanes: Int
            }
            var programs: [Program]
        }

        struct Findings: Decodable {
            var worst: Double
            var problems: [String]
        }

        private func workplace(_ trials: String) throws -> Workplace {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [52, 6])
            try place.writeNumbers("y.npy", shape: [52, 1], stream: 3)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):searched
                data: {x: x.npy, y: y.npy}
                trials: \(trials)
                fit: {epochs: 3, batch_size: 16, shuffle: false}
                save: [initial, all]
                seed: 5
                """)
            return place
        }

        @Test(
            "A search of 200 trials compiles one program, and ten of its trials are what Model.fit makes of their numbers"
        )
        func search() async throws {
            let place = try workplace(
                "{random: 200, learning_rate: {log_uniform: [1e-4, 1e-1]}, dropout: {uniform: [0.0, 0.5]}, "
                    + "weight_decay: {log_uniform: [1e-4, 1e-1]}}")
            let planned = try await Tool.run(
                ["plan", "experiment.yaml", "--devices", "cpu:1", "--json"], in: place.root)
            try #require(planned.status == 0, "\(planned)")
            let plan = try planned.json(Plan.self)
            #expect(plan.programs.count == 1)
            #expect(plan.programs.first?.trials == 200)
            #expect(plan.programs.first?.inputs == ["dropout", "learning_rate", "weight_decay"])

            let train = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run", "--json"], in: place.root)
            try #require(train.status == 0, "\(train)")
            #expect(try train.json(SummaryObject.self).finished == 200)
            // Every unit runs the one bundle, in cohorts of one or two sizes.
            var bundles: Set<String> = []
            var lanes: Set<Int> = []
            for unit in try place.list("run/units") {
                let object = try CommandTests.object(
                    String(decoding: try place.contents("run/units/\(unit)/unit.json"), as: UTF8.self))
                bundles.insert((object["program"] as? [String: Any])?["folder"] as? String ?? "")
                lanes.insert((object["packing"] as? [String: Any])?["lanes"] as? Int ?? 0)
            }
            #expect(bundles.count == 1)
            #expect((1...2).contains(lanes.count))

            let results = try await Tool.run(["results", "run", "--json"], in: place.root)
            try place.write("results.json", results.output)
            let chosen = stride(from: 0, to: 200, by: 20).map { "\($0 + $0 / 20)" }
            let findings = try await Tool.python(
                "random_search.py", ["run", "results.json", Tool.models.string, "searched"] + chosen, in: place.root,
                as: Findings.self)
            #expect(findings.problems == [])
            #expect(findings.worst <= 1e-5)
        }

        @Test("What cannot be an input has a program a value, and the plan says why")
        func baked() async throws {
            let place = try workplace("{dropout: [0.1, 0.2, 0.4], width: [0.5, 1.0]}")
            try place.write(
                "models.py",
                """
                import keras
                from keras import layers
                def build(dropout, width):
                    model = keras.Sequential(
                        [keras.Input((6,)), layers.Dense(int(8 * width)), layers.Dropout(dropout), layers.Dense(1)])
                    model.compile("sgd", "mse")
                    return model
                """)
            let text = String(decoding: try place.contents("experiment.yaml"), as: UTF8.self)
            try place.write("experiment.yaml", text.replacing("\(Tool.models):searched", with: "models.py:build"))
            let planned = try await Tool.run(
                ["plan", "experiment.yaml", "--devices", "cpu:1", "--json"], in: place.root)
            try #require(planned.status == 0, "\(planned)")
            let plan = try planned.json(Plan.self)
            #expect(plan.programs.map(\.inputs) == [["dropout"], ["dropout"]])
            #expect(plan.programs.map(\.trials) == [3, 3])
            #expect(plan.programs.allSatisfy { Array($0.baked.keys) == ["width"] })
            #expect(plan.programs.first?.baked["width"]?.contains("int(8.0 * width)") == true)
        }
    }
}
