import Foundation
import Testing

extension EndToEndTests {
    /// Trials of very different numbers of rows in one experiment.
    @Suite struct UnequalGroupTests {
        private struct Findings: Decodable {
            var worst: Double
            var at: String
            var rows: [Int]
        }

        private struct Plan: Decodable {
            struct Program: Decodable {
                var padding: Double
                var tailFunctions: Int

                enum CodingKeys: String, CodingKey {
                    case padding
                    case tailFunctions = "tail_functions"
                }
            }

            var programs: [Program]
        }

        private struct Packed: Decodable {
            struct Packing: Decodable {
                var lanes: Int
                var tailForm: String?
            }

            var packing: Packing
        }

        private struct Status: Decodable {
            var padding: Double
        }

        /// The group of each row, where rows of all groups are mixed as a table's would be.
        private func mixed(_ sizes: [Int]) -> [Float] {
            var left = sizes
            var groups: [Float] = []
            while let most = left.max(), most > 0 {
                for (group, count) in left.enumerated() where count > 0 {
                    groups.append(Float(group))
                    left[group] -= 1
                }
            }
            return groups
        }

        /// Holds some trials of a run to what `Model.fit` makes of their groups' rows alone, from the same first weights.
        private func agree(_ place: Workplace, _ function: String, _ sizes: [Int], _ trials: [Int]) async throws {
            let results = try await Tool.run(["results", "run", "--json"], in: place.root)
            try place.write("results.json", results.output)
            let findings = try await Tool.python(
                "group_agreement.py",
                ["run", "results.json", "\(Tool.models)", function, "0.2", "16"] + trials.map(String.init),
                in: place.root, as: Findings.self)
            #expect(findings.rows == trials.map { sizes[$0] })
            #expect(findings.worst <= 1e-5, "\(findings.worst) at \(findings.at)")
        }

        @Test("Groups of 40 to 2,000 rows train side by side with little padding, each as Model.fit trains it alone")
        func groups() async throws {
            let place = Workplace()
            // 24 sizes, each a fifth above the one before.
            let sizes = (0..<24).map { Int(40 * pow(50, Double($0) / 23)) }
            let groups = mixed(sizes)
            try place.writeNumbers("x.npy", shape: [groups.count, 6], stream: 1)
            try place.writeNumbers("y.npy", shape: [groups.count, 1], stream: 2)
            try place.writeNumbers("group.npy", shape: [groups.count], groups)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):normalized
                data: {x: x.npy, y: y.npy, group: group.npy}
                partition: {by: group}
                fit: {epochs: 3, batch_size: 16, validation: 0.2, shuffle: false}
                save: [initial, all]
                """)
            let plan = try await Tool.run(["plan", "experiment.yaml", "--devices", "cpu:1", "--json"], in: place.root)
                .json(Plan.self)
            let program = try #require(plan.programs.first)
            #expect(program.padding < 0.1)
            // Of training and of validation, for at most two numbers of lanes, one and one for single rows.
            #expect(program.tailFunctions >= 2 && program.tailFunctions <= 2 * 2 * 2)

            let train = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run", "--json"], in: place.root)
            try #require(train.status == 0, "\(train)")
            #expect(try place.list("run/units").count <= 18)
            let status = try await Tool.run(["status", "run", "--json"], in: place.root).json(Status.self)
            #expect(abs(status.padding - program.padding) < 1e-9)

            try await agree(place, "normalized", sizes, [0, 11, 23])
        }

        @Test("Images of unequal groups train side by side, their last batches masked in a loop over lanes")
        func images() async throws {
            let place = Workplace()
            let sizes = [40, 43, 45, 50, 54, 59, 62, 70]
            let groups = mixed(sizes)
            try place.writeNumbers("x.npy", shape: [groups.count, 8, 8, 1], stream: 3)
            try place.writeClasses("y.npy", rows: groups.count, classes: 3)
            try place.writeNumbers("group.npy", shape: [groups.count], groups)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):convolutional
                data: {x: x.npy, y: y.npy, group: group.npy}
                partition: {by: group}
                fit: {epochs: 3, batch_size: 16, validation: 0.2, shuffle: false}
                save: [initial, all]
                """)
            let train = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run", "--json"], in: place.root)
            try #require(train.status == 0, "\(train)")
            let unit = try JSONDecoder().decode(Packed.self, from: try place.contents("run/units/0000/unit.json"))
            #expect(unit.packing.tailForm == "masked_looped" && unit.packing.lanes > 1)

            try await agree(place, "convolutional", sizes, [0, 3, 7])
        }

        @Test(
            "Last batches that no cohort has side by side ask for no masked functions",
            arguments: [
                // One size for each batch size.
                "trials: {batch_size: [16, 32, 48]}\nfit: {epochs: 1}",
                // Validation on 20, 21 and 22 rows, of which it reads 16.
                "partition: {by: group}\nfit: {epochs: 1, batch_size: 8, validation: 0.5, validation_steps: 2}",
            ])
        func fewTails(_ settings: String) async throws {
            let place = Workplace()
            let rows = settings.contains("group") ? 124 : 90
            try place.writeNumbers("x.npy", shape: [rows, 6], stream: 1)
            try place.writeNumbers("y.npy", shape: [rows, 1], stream: 2)
            try place.writeNumbers("group.npy", shape: [rows], (0..<rows).map { $0 < 40 ? 0 : $0 < 81 ? 1 : 2 })
            try place.write(
                "experiment.yaml",
                "model: \(Tool.models):regression\ndata: {x: x.npy, y: y.npy, group: group.npy}\n\(settings)\n")
            let train = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"], in: place.root)
            try #require(train.status == 0, "\(train)")
            let text = String(decoding: try place.contents("run/units/0000/unit.json"), as: UTF8.self)
            let unit = try CommandTests.object(text)
            let folder = try #require((unit["program"] as? [String: Any])?["folder"] as? String)
            let program = try CommandTests.object(String(contentsOfFile: "\(folder)/program.json", encoding: .utf8))
            #expect(program["masks_rows"] as? Bool == false, "\(program["masks_rows"] ?? "nothing")")
        }
    }
}
