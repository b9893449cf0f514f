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
            var rows: String?

            static func read(_ place: Workplace, _ name: String = "partitions.json") throws -> Kept {
                try JSONDecoder().decode(Kept.self, from: place.contents("run/partitions/\(name)"))
            }
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
            let kept = try Kept.read(place)
            #expect(kept.partitions.map(\.label) == ["0.0/fold-0", "0.0/fold-1", "1.0/fold-0", "1.0/fold-1"])
            #expect(kept.test?.first == 54 && kept.test?.count == 6)
            #expect(kept.partitions.allSatisfy { $0.training.sha256?.count == 64 })
            #expect(kept.partitions.map { $0.training.count + ($0.validation?.count ?? 0) } == [25, 25, 25, 25])
            let trials = try await Tool.run(["results", "run", "--json"], in: place.root).json([TrialObject].self)
            #expect(trials.map(\.rows) == kept.partitions.map(\.training.count))
            #expect(place.exists("run/partitions/rows.npy"))
        }

        @Test("More repeats keep the folds that were trained, and another number of shares is refused")
        func repeats() async throws {
            let place = Workplace()
            try place.regression(rows: 40, seeds: 1, epochs: 1)
            let experiment = String(decoding: try place.contents("experiment.yaml"), as: UTF8.self)
            func train(_ partition: String, _ output: String = "run") async throws -> Outcome {
                try place.write("experiment.yaml", experiment + "\npartition: \(partition)\n")
                return try await Tool.run(["train", "experiment.yaml", "--output", output, "--json"], in: place.root)
            }
            #expect(try await train("{folds: 2, repeats: 2}").status == 0)
            let before = try Kept.read(place)
            let models = try LedgerLossTests.models("run", place)
            let outcome = try await train("{folds: 2, repeats: 3}")
            try #require(outcome.status == 0, "\(outcome)")
            #expect(try outcome.json(SummaryObject.self).trials == 6)
            let after = try Kept.read(place)
            #expect(after.partitions.map(\.label).suffix(2) == ["repeat-2-fold-0", "repeat-2-fold-1"])
            #expect(after.partitions.prefix(4).map(\.training.sha256) == before.partitions.map(\.training.sha256))
            #expect(before.rows == "rows.npy" && after.rows == "rows-1.npy")
            #expect(try place.list("run/partitions").sorted() == ["partitions.json", "rows-1.npy", "rows.npy"])
            let all = try LedgerLossTests.models("run", place)
            #expect(all.count == 6 && models.allSatisfy { all[$0.key] == $0.value })

            #expect(try await train("{count: 4}", "shares").status == 0)
            let refused = try await train("{count: 5}", "shares")
            #expect(refused.status == 2 && refused.errors.contains(": was 4, is 5"), "\(refused)")
        }

        @Test("New groups are trained beside those that are there; where rows have other numbers, the old record stays")
        func groups() async throws {
            let place = Workplace()
            try place.regression(rows: 48, seeds: 1, epochs: 1)
            let experiment = String(decoding: try place.contents("experiment.yaml"), as: UTF8.self)
                .replacing("y: y.npy}", with: "y: y.npy, group: group.npy}")
            try place.write("experiment.yaml", experiment + "\npartition: {by: group}\n")
            func train(_ groups: [Float]) async throws -> Outcome {
                try place.writeNumbers("group.npy", shape: [groups.count], groups)
                for (name, columns) in [("x.npy", 6), ("y.npy", 1)] {
                    try place.writeNumbers(name, shape: [groups.count, columns], stream: UInt64(columns))
                }
                return try await Tool.run(["train", "experiment.yaml", "--output", "run", "--json"], in: place.root)
            }
            let first = [1, 2, 1, 2].flatMap { [Float](repeating: $0, count: 10) }
            #expect(try await train(first).status == 0)
            let record = try place.contents("run/partitions/partitions.json")
            let longer = try await train(first + [Float](repeating: 0, count: 12))
            try #require(longer.status == 0, "\(longer)")
            #expect(try longer.json(SummaryObject.self).trials == 3)
            #expect(try Kept.read(place).partitions.map(\.label) == ["0.0", "1.0", "2.0"])
            #expect(!place.exists("run/partitions/partitions-1.json"), "nothing that was recorded has changed")
            let trials = try await Tool.run(["results", "run", "--json"], in: place.root).json([TrialObject].self)
            #expect(trials.map(\.rows) == [20, 20, 12])

            // A group that stands before the others gives their rows other numbers.
            let moved = try await train([Float](repeating: 3, count: 10) + first + [Float](repeating: 0, count: 12))
            try #require(moved.status == 0, "\(moved)")
            let old = try Kept.read(place, "partitions-1.json")
            #expect(old.partitions.map(\.label) == ["0.0", "1.0", "2.0"] && old.rows == "rows-1.npy")
            #expect(try place.contents("run/partitions/partitions.json") != record)
            #expect(try Kept.read(place).partitions.map(\.label) == ["0.0", "1.0", "2.0", "3.0"])
        }
    }
}
