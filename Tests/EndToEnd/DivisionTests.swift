import Foundation
import Testing

extension EndToEndTests {
    /// What partitions were made of stays with the results.
    @Suite struct DivisionTests {
        private struct Kept: Decodable {
            struct Stretch: Decodable {
                var first: Int?
                var start: Int?
                var count: Int
                var sha256: String?
            }

            struct Entry: Decodable {
                var label: String
                var training: Stretch
                var validation: Stretch?
            }

            var partitions: [Entry]
            var test: Stretch?
        }

        @Test("Folds within groups train without the test set, small groups are named, and the rows are kept")
        func kept() async throws {
            let place = Workplace()
            try place.regression(rows: 60, seeds: 1, epochs: 1)
            try place.writeNumbers("group.npy", shape: [60], (0..<60).map { $0 < 50 ? Float($0 % 2) : 2 })
            let experiment = String(decoding: try place.contents("experiment.yaml"), as: UTF8.self)
                .replacing("y: y.npy}", with: "y: y.npy, group: group.npy}")
            try place.write(
                "experiment.yaml",
                experiment + "\npartition: {by: group, min_rows: 12, test: {last: 0.1}, within: {folds: 2}}\n")
            let outcome = try await Tool.run(["train", "experiment.yaml", "--output", "run"], in: place.root)
            try #require(outcome.status == 0, "\(outcome)")
            #expect("\(outcome)".contains("1 group by 'group' with fewer than 12 rows, left out: 2.0 (4)"))
            let kept = try JSONDecoder().decode(Kept.self, from: place.contents("run/partitions/partitions.json"))
            #expect(kept.partitions.map(\.label) == ["0.0/fold-0", "0.0/fold-1", "1.0/fold-0", "1.0/fold-1"])
            #expect(kept.test?.first == 54 && kept.test?.count == 6)
            #expect(kept.partitions.allSatisfy { $0.training.sha256?.count == 64 })
            #expect(kept.partitions.map { $0.training.count + ($0.validation?.count ?? 0) } == [25, 25, 25, 25])
            let trials = try await Tool.run(["results", "run", "--json"], in: place.root).json([TrialObject].self)
            #expect(trials.map(\.rows) == kept.partitions.map(\.training.count))
            #expect(place.exists("run/partitions/rows.npy"))
        }
    }
}
