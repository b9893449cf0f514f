import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// The cache is cleared or damaged while a run goes on.
    @Suite struct CacheLossTests {
        enum Loss: String, CaseIterable, Sendable {
            /// Everything in the cache goes.
            case removed
            /// The programs' code is overwritten.
            case damaged
        }

        static func place() throws -> Workplace {
            let place = Workplace()
            // Of a type that is copied into the cache.
            try place.write(
                "wide.py",
                """
                import numpy as np

                def load():
                    random = np.random.default_rng(0)
                    return {"x": random.normal(size=(512, 6)), "y": random.normal(size=(512, 1))}
                """)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):regression
                data: wide.py:load
                trials: {units: [4, 6], seed: {range: 4}}
                fit: {epochs: 60, batch_size: 16}
                """)
            return place
        }

        @Test("It is told, nothing fails, and the run goes on once all is made again", arguments: Loss.allCases)
        func lost(loss: Loss) async throws {
            let place = try Self.place()
            let cache = place.path("cache")
            let variables = ["PRONGHORN_CACHE": cache.string]
            let undisturbed = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "whole", "--json"], in: place.root,
                variables: variables)
            #expect(undisturbed.status == 0, "\(undisturbed)")
            var isLost = false
            let outcome = try await Tool.follow(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"], in: place.root,
                variables: variables
            ) { line, _ in
                guard line.hasPrefix("cpu:0: unit 0000"), !isLost else { return }
                isLost = true
                try Self.lose(loss, cache)
            }
            #expect(isLost)
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.output.contains("go on with `pronghorn resume"), "\(outcome)")
            let before = try await Tool.run(["results", "run", "--json"], in: place.root).json([TrialObject].self)
            #expect(!before.contains { $0.status == "failed" } && before.contains { $0.status == "waiting" })
            let resumed = try await Tool.run(
                ["resume", "run", "--devices", "cpu:1", "--json"], in: place.root, variables: variables)
            #expect(resumed.status == 0, "\(resumed)")
            let results = try await Tool.run(["results", "run", "--json"], in: place.root).json([TrialObject].self)
            let whole = try await Tool.run(["results", "whole", "--json"], in: place.root).json([TrialObject].self)
            #expect(results.map(\.status) == Array(repeating: "finished", count: 8))
            #expect(results.map(\.history) == whole.map(\.history))
            // The files' own date is that of the program, which was made again.
            for model in ["0000", "0007"] {
                let distance = try await Tool.python(
                    "same_weights.py", ["run/models/\(model).keras", "whole/models/\(model).keras"], in: place.root,
                    as: Double.self)
                #expect(distance == 0)
            }
        }

        private static func lose(_ loss: Loss, _ cache: FilePath) throws {
            switch loss {
            case .removed: try FileManager.default.removeItem(atPath: cache.string)
            case .damaged:
                let programs = cache.appending("programs").string
                for file in FileManager.default.enumerator(atPath: programs)?.compactMap({ $0 as? String }) ?? []
                where file.hasSuffix(".mlirbc") {
                    try Data("nonsense".utf8).write(to: URL(filePath: "\(programs)/\(file)"))
                }
            }
        }
    }
}
