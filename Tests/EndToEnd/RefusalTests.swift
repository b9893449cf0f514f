import Foundation
import Subprocess
import SystemPackage
import Testing

extension EndToEndTests {
    /// What the machine does not allow is told before anything is begun, and data that change as soon as it shows.
    @Suite struct RefusalTests {
        /// Runs the program by a shell that limits it first.
        static func train(_ limit: String, _ devices: String, in place: Workplace) async throws -> Outcome {
            let command =
                "\(limit) && exec '\(Tool.binary ?? "")' train experiment.yaml --devices \(devices) --output run"
            let result = try await Subprocess.run(
                .path("/bin/sh"), arguments: ["-c", command], environment: .custom(Tool.environment()),
                workingDirectory: place.root, output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
            return Outcome(result.terminationStatus, result.standardOutput, result.standardError)
        }

        @Test("Too few files for so many runners are an error that says how many would do; for fewer it trains")
        func files() async throws {
            let place = Workplace()
            try place.regression(seeds: 4)
            let refused = try await Self.train("ulimit -n 96", "cpu:8", in: place)
            #expect(refused.status == 2, "\(refused)")
            #expect(refused.errors.contains("a process may open 96 files here, and 8 runners need 144"), "\(refused)")
            #expect(refused.errors.contains("--devices cpu:3"), "\(refused)")
            #expect(!place.exists("run"))
            let trained = try await Self.train("ulimit -n 96", "cpu:3", in: place)
            #expect(trained.status == 0, "\(trained)")
            // A low limit that may be raised is no limit.
            #expect(try await Self.train("rm -r run && ulimit -S -n 96", "cpu:8", in: place).status == 0)
        }

        @Test("A folder that cannot be made is one clear error, and nothing is left of the run")
        func readOnly() async throws {
            let place = Workplace()
            try place.regression(seeds: 1)
            for output in ["/proc/run", "experiment.yaml/run"] {
                let outcome = try await Tool.run(
                    ["train", "experiment.yaml", "--devices", "cpu:1", "--output", output], in: place.root)
                #expect(outcome.status == 1, "\(outcome)")
                #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
                #expect(outcome.errors.contains("the run's folder") && outcome.errors.contains(output), "\(outcome)")
            }
            #expect(try place.list("") == ["experiment.yaml", "x.npy", "y.npy"])
        }

        @Test("A data file that is written to while it is trained on fails the trials that saw it, by its name")
        func changedData() async throws {
            let place = Workplace()
            try place.regression(rows: 512, seeds: 2, epochs: 2000)
            var isChanged = false
            let outcome = try await Tool.follow(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"], in: place.root
            ) { line, _ in
                guard line.hasPrefix("cpu:0: unit "), !isChanged else { return }
                isChanged = true
                let events = place.path("run/units/0000/events.ndjson").string
                for _ in 0..<1200 {
                    if (try? String(contentsOfFile: events, encoding: .utf8))?.contains("\"epoch\"") == true { break }
                    try await Task.sleep(for: .milliseconds(25))
                }
                // In place, so that the size and the file stay.
                let file = try FileHandle(forUpdating: URL(filePath: place.path("x.npy").string))
                try file.seek(toOffset: 400)
                try file.write(contentsOf: Data([1, 2, 3, 4]))
                try file.close()
            }
            #expect(outcome.status == 1, "\(outcome)")
            let results = try await Tool.run(["results", "run", "--json"], in: place.root).json([TrialObject].self)
            #expect(results.allSatisfy { $0.status == "failed" })
            #expect(
                results.allSatisfy { $0.message?.contains("x.npy was changed while it was trained on") == true },
                "\(results.map(\.message))")
        }
    }
}
