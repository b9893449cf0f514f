import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// One trial that ends every process it is in, or a cohort that needs too much memory, costs no other trial anything.
    @Suite struct PoisonTests {
        static let train = ["train", "experiment.yaml", "--devices", "cpu:2", "--output", "run"]

        static func place(_ further: String = "") throws -> Workplace {
            let place = Workplace()
            try place.regression(rows: 64, seeds: 64, epochs: 6, further: further)
            return place
        }

        /// The same experiment, carried out without a fault.
        struct Undisturbed: Sendable {
            let files: [String: Data]
            let results: [TrialObject]

            static let shared = Task {
                let place = try PoisonTests.place()
                let outcome = try await Tool.run(PoisonTests.train, in: place.root)
                try #require(outcome.status == 0, "\(outcome)")
                return Undisturbed(
                    files: try ResumeTests.files(place), results: try await ResumeTests.results(place))
            }
        }

        @Test(
            "A trial of 64 that ends its process is found and fails alone, with its log; 63 finish as they would have")
        func crash() async throws {
            let place = try Self.place()
            let outcome = try await Tool.run(
                Self.train, in: place.root, variables: ["PRONGHORN_TEST_CRASH": "seed=7,epoch=2"])
            #expect(outcome.status == 1, "\(outcome)")
            let results = try await ResumeTests.results(place)
            #expect(results.count { $0.status == "finished" } == 63)
            let failed = results.filter { $0.status == "failed" }
            #expect(failed.map(\.seed) == [7])
            // Twice in the cohort of 32, once among 16, 8, 4 and 2, twice alone.
            #expect(failed.map(\.attempts) == [8])
            let message = try #require(failed.first?.message)
            #expect(
                message.contains("SIGABRT") && message.contains("a check inside the model has failed"), "\(message)")

            let undisturbed = try await Undisturbed.shared.value
            let files = try ResumeTests.files(place)
            #expect(files.count == 63)
            // Two cohorts: the one without the poison was never split.
            let split = Set(try unit("0000", place).contains(7) ? unit("0000", place) : unit("0001", place))
            #expect(split.count == 32)
            for (result, expected) in zip(results, undisturbed.results) where result.seed != 7 {
                if split.contains(result.seed) {
                    expectClose(result, expected)
                } else {
                    #expect(result.history == expected.history)
                    let name = "\(result.name).keras"
                    #expect(
                        files[name] == undisturbed.files[name], "trial \(result.trial) is not what it would have been")
                }
            }
        }

        @Test("A cohort for which memory is too small goes on with fewer models at once, from its checkpoint")
        func memory() async throws {
            let place = try Self.place()
            let outcome = try await Tool.run(
                Self.train, in: place.root, variables: ["PRONGHORN_TEST_MEMORY": "lanes=8,epoch=2"])
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output.contains("at most 8 at once"), "\(outcome)")
            let undisturbed = try await Undisturbed.shared.value
            for (result, expected) in zip(try await ResumeTests.results(place), undisturbed.results) {
                #expect(result.status == "finished")
                expectClose(result, expected)
            }
        }

        @Test("Models that find no room even alone fail, and say how much they needed")
        func noRoom() async throws {
            let place = Workplace()
            try place.regression(seeds: 4)
            let outcome = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"], in: place.root,
                variables: ["PRONGHORN_TEST_MEMORY": "lanes=0"])
            #expect(outcome.status == 1, "\(outcome)")
            for result in try await ResumeTests.results(place) {
                #expect(result.status == "failed")
                let message = result.message ?? ""
                #expect(message.contains("one model alone needs more memory than there is: "), "\(message)")
                #expect(message.contains(" MiB by the compiler's account"), "\(message)")
            }
        }

        @Test("A trial whose own callback ends the process of Model.fit fails alone, with its log")
        func fit() async throws {
            let place = Workplace()
            try place.regression(seeds: 9, epochs: 3, further: "callbacks: [\(FitEngineTests.models):crashes_on_one]")
            let outcome = try await Tool.run(Self.train, in: place.root)
            #expect(outcome.status == 1, "\(outcome)")
            let results = try await ResumeTests.results(place)
            #expect(results.filter { $0.status == "failed" }.map(\.seed) == [7], "\(outcome)")
            #expect(results.count { $0.status == "finished" } == 8)
            let message = try #require(results.first { $0.status == "failed" }?.message)
            #expect(
                message.contains("SIGABRT") && message.contains("a check inside the model has failed"), "\(message)")
        }

        /// The trials of a unit.
        private func unit(_ id: String, _ place: Workplace) throws -> [Int] {
            let object = try CommandTests.object(
                String(decoding: try place.contents("run/units/\(id)/unit.json"), as: UTF8.self))
            let lanes = try #require(object["lanes"] as? [[String: Any]])
            return lanes.compactMap { $0["trial"] as? Int }
        }

        private func expectClose(_ result: TrialObject, _ expected: TrialObject) {
            #expect(result.history.keys.sorted() == expected.history.keys.sorted())
            for (metric, values) in result.history {
                let others = expected.history[metric] ?? []
                #expect(values.count == others.count, "trial \(result.trial): \(metric)")
                for (value, other) in zip(values, others) {
                    guard let value, let other else { return #expect(value == other) }
                    #expect(abs(value - other) <= 1e-5 * max(1, abs(other)), "trial \(result.trial): \(metric)")
                }
            }
        }
    }
}
