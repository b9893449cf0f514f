import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// A program is lowered once: after that, no Python runs.
    @Suite struct CachedProgramTests {
        /// An interpreter that notes what it is started for, a cache of its own, and an experiment with its own model file.
        struct Bench {
            let place = Workplace()
            let variables: [String: String]

            init() throws {
                try place.regression(seeds: 6)
                let models = try String(contentsOfFile: Tool.models.string, encoding: .utf8)
                try place.write("models.py", models)
                let text = String(decoding: try place.contents("experiment.yaml"), as: UTF8.self)
                try place.write("experiment.yaml", text.replacing(Tool.models.string, with: "models.py"))
                try place.write(
                    "python",
                    """
                    #!/bin/sh
                    # What an interpreter has is asked with -c and no module; all else is work.
                    if [ "$1" = -c ]; then echo facts; else echo "$1 $2"; fi >> '\(place.root)/starts'
                    exec '\(Tool.python ?? "")' "$@"
                    """)
                chmod(place.path("python").string, 0o755)
                variables = [
                    "PRONGHORN_PYTHON": place.path("python").string, "PRONGHORN_CACHE": place.path("cache").string,
                ]
            }

            /// Trains, and returns what Python was started for meanwhile but for being asked for its facts.
            func train(into output: String, _ further: [String] = []) async throws -> [String] {
                try place.write("starts", "")
                let outcome = try await Tool.run(
                    ["train", "experiment.yaml", "--devices", "cpu:1", "--output", output] + further, in: place.root,
                    variables: variables)
                try #require(outcome.status == 0, "\(outcome)")
                return String(decoding: try place.contents("starts"), as: UTF8.self).split(separator: "\n")
                    .map(String.init).filter { $0 != "facts" }
            }
        }

        @Test("The second run of an experiment starts no Python, and gives the same models bit for bit")
        func secondRun() async throws {
            let bench = try Bench()
            #expect(try await bench.train(into: "first") == ["-m pronghorn.lowering"])
            #expect(try await bench.train(into: "second") == [])
            let models = try bench.place.list("first/models")
            #expect(models.count == 6)
            #expect(try bench.place.list("second/models") == models)
            for model in models {
                let first = try bench.place.contents("first/models/\(model)")
                #expect(first == (try bench.place.contents("second/models/\(model)")), "\(model) differs")
            }
            let (one, other) = (
                try bench.place.contents("first/models/0000.keras"), try bench.place.contents("first/models/0001.keras")
            )
            #expect(one != other)
        }

        @Test("More epochs and other data of the same shape need no Python; a changed model file does")
        func whatNeedsPython() async throws {
            let bench = try Bench()
            _ = try await bench.train(into: "first")
            #expect(try await bench.train(into: "more", ["--set", "fit.epochs=3"]) == [])
            try bench.place.writeNumbers("x.npy", shape: [64, 6], stream: 9)
            #expect(try await bench.train(into: "other") == [])

            let models = String(decoding: try bench.place.contents("models.py"), as: UTF8.self)
            try bench.place.write("models.py", models.replacing("units=4", with: "units=5"))
            #expect(try await bench.train(into: "changed") == ["-m pronghorn.lowering"])
        }
    }
}
