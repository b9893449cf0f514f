import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// The first thing that a newcomer runs.
    @Suite struct DemoTests {
        struct Findings: Decodable {
            var evaluated: Int
            var worst: [String: Double]
            var at: [String: String]
            /// Trials that were validated on rows that they were trained on.
            var leaks: [String]
        }

        @Test("The demo leaves 60 models, each of which does in Keras on its own fold what the results say")
        func demo() async throws {
            let place = Workplace()
            let demo = try await Tool.run(["demo", "--devices", "cpu:2", "--json", "--output", "run"], in: place.root)
            try #require(demo.status == 0, "\(demo)")
            let summary = try demo.json(SummaryObject.self)
            #expect(summary.trials == 60 && summary.finished == 60 && summary.failed == 0)

            let results = try await Tool.run(["results", "run", "--json"], in: place.root)
            try place.write("results.json", results.output)
            let trials = try results.json([TrialObject].self)
            #expect(trials.count == 60)
            #expect(trials.allSatisfy { $0.status == "finished" })
            #expect(Set(trials.compactMap(\.partition)).count == 5)
            #expect(Set(trials.compactMap(\.device)) == ["cpu:0", "cpu:1"])
            #expect(try place.list("run/models") == trials.map { "\($0.name).keras" })

            let findings = try await Tool.python(
                "evaluate_demo.py", ["run", "results.json"], in: place.root, as: Findings.self)
            #expect(findings.evaluated == 60)
            #expect(findings.leaks == [])
            for (metric, tolerance) in ["val_loss": 1e-5, "val_accuracy": 1e-6] {
                let worst = try #require(findings.worst[metric])
                #expect(worst <= tolerance, "\(metric): \(worst) at \(findings.at[metric] ?? "")")
            }
        }
    }
}
