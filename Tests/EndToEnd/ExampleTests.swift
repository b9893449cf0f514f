import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// The examples are what people copy from: each does what its text says.
    @Suite struct ExampleTests {
        static let root = FilePath(
            URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
                .path
        ).appending("Examples")

        /// Every folder with an experiment, read from the disk so that a new example needs a test.
        static let folders = ((try? FileManager.default.contentsOfDirectory(atPath: root.string)) ?? [])
            .filter { FileManager.default.fileExists(atPath: root.appending($0).appending("experiment.yaml").string) }
            .sorted()

        /// How many trials each example has.
        static let trials = [
            "more-models-than-devices": 32, "one-model-per-device": 2, "save-and-compare": 8, "thousand": 1000,
        ]

        /// An example that was trained.
        struct Trained {
            var place: Workplace
            var trials: [TrialObject]

            /// Trains an example on two devices, and holds it to every trial's being finished, with a model each.
            init(_ name: String, in place: Workplace, variables: [String: String] = [:]) async throws {
                let experiment = ExampleTests.root.appending(name).appending("experiment.yaml")
                let outcome = try await Tool.run(
                    ["train", experiment.string, "--devices", "cpu:2", "--json", "--output", "run"], in: place.root,
                    variables: variables)
                try #require(outcome.status == 0, "\(outcome)")
                let expected = try #require(ExampleTests.trials[name], "the example \(name) has no test")
                let summary = try outcome.json(SummaryObject.self)
                #expect(summary.trials == expected && summary.finished == expected && summary.failed == 0)
                self.place = place
                trials = try await Tool.run(["results", "run", "--json"], in: place.root).json([TrialObject].self)
                #expect(trials.count == expected)
                #expect(trials.allSatisfy { $0.status == "finished" && ($0.metrics["loss"] ?? nil) != nil })
                let models = try place.list("run/models").filter { $0.hasSuffix(".keras") }
                #expect(models.count == expected)
                #expect(models.map { "models/\($0)" } == trials.compactMap(\.model).sorted())
            }

            var devices: Set<String> { Set(trials.compactMap(\.device)) }
        }

        @Test("Each example has a test")
        func all() {
            #expect(Self.folders == Self.trials.keys.sorted())
        }

        @Test("One model per device: as many models as devices, each trained on a device and a share of its own")
        func oneModelPerDevice() async throws {
            let trained = try await Trained("one-model-per-device", in: Workplace())
            #expect(trained.devices == ["cpu:0", "cpu:1"])
            #expect(trained.trials.map(\.partition) == [0, 1])
            #expect(trained.trials.map(\.rows).reduce(0, +) == 442)
        }

        @Test("More models than devices: cohorts of unequal partitions wait in one queue that both devices empty")
        func moreModelsThanDevices() async throws {
            let trained = try await Trained("more-models-than-devices", in: Workplace())
            #expect(trained.devices == ["cpu:0", "cpu:1"])
            #expect(try trained.place.list("run/units").count > 2)
            let rows = Dictionary(grouping: trained.trials, by: \.partition).mapValues { Set($0.map(\.rows)) }
            #expect(rows.count == 16)
            #expect(rows.values.allSatisfy { $0.count == 1 })
            #expect(rows.values.joined().min() == 6 && rows.values.joined().max() == 64)
            #expect(Set(trained.trials.compactMap { $0.parameters["units"] }) == [16, 64])
        }

        @Test("Save and compare: the summary holds a loss of every saved model, and bagging's promise")
        func saveAndCompare() async throws {
            struct Comparison: Decodable {
                struct Member: Decodable {
                    var trial: Int
                    var validationLoss: Double
                    var heldOutLoss: Double

                    enum CodingKeys: String, CodingKey {
                        case trial
                        case validationLoss = "val_loss"
                        case heldOutLoss = "held_out_loss"
                    }
                }
                var members: [Member]
                var meanOfMembers: Double
                var bestMember: Double
                var meanPrediction: Double

                enum CodingKeys: String, CodingKey {
                    case members
                    case meanOfMembers = "mean_of_members"
                    case bestMember = "best_member"
                    case meanPrediction = "mean_prediction"
                }
            }
            let trained = try await Trained("save-and-compare", in: Workplace())
            // A number that is not finite is no JSON, and is not decoded.
            let summary = try JSONDecoder().decode(Comparison.self, from: trained.place.contents("run/summary.json"))
            #expect(summary.members.map(\.trial) == Array(0..<8))
            for (member, trial) in zip(summary.members, trained.trials) {
                #expect(member.validationLoss == trial.metrics["val_loss"])
                #expect(member.heldOutLoss.isFinite && member.heldOutLoss > 0)
            }
            let losses = summary.members.map(\.heldOutLoss)
            #expect(summary.bestMember == losses.min())
            #expect(abs(summary.meanOfMembers - losses.reduce(0, +) / 8) < 1e-6 * summary.meanOfMembers)
            #expect(summary.meanPrediction < summary.meanOfMembers)
        }

        @Test("A thousand: 1,000 models that Keras loads; the second run starts no Python, and gives the same models")
        func thousand() async throws {
            let notes = Workplace()
            try notes.write("starts", "")
            try notes.write(
                "python",
                """
                #!/bin/sh
                # What an interpreter has is asked with -c and no module; all else is work.
                if [ "$1" != -c ]; then echo "$1 $2" >> '\(notes.root)/starts'; fi
                exec '\(Tool.python ?? "")' "$@"
                """)
            chmod(notes.path("python").string, 0o755)
            let variables = ["PRONGHORN_PYTHON": notes.path("python").string]

            let first = try await Trained("thousand", in: Workplace(), variables: variables)
            #expect(try notes.contents("starts").isEmpty == false)
            #expect(first.trials.allSatisfy { $0.rows == 1000 })
            try notes.write("starts", "")
            let second = try await Trained("thousand", in: Workplace(), variables: variables)
            #expect(String(decoding: try notes.contents("starts"), as: UTF8.self) == "")

            var draws = Draws(state: 20)
            let some = Array(first.trials.shuffled(using: &draws).prefix(20))
            for trial in some {
                let model = "run/\(try #require(trial.model))"
                #expect(try first.place.contents(model) == (try second.place.contents(model)), "\(model) differs")
            }
            struct Loaded: Decodable {
                var loaded: Int
                var losses: [Double]
            }
            let place = first.place
            try place.writeNumbers("x.npy", shape: [50, 10])
            try place.writeNumbers("y.npy", shape: [50, 1])
            try place.write("some.json", String(decoding: try JSONEncoder().encode(some), as: UTF8.self))
            try place.write("data.json", #"{"x": "x.npy", "y": "y.npy", "evaluate": true}"#)
            let loaded = try await Tool.python(
                "load_models.py", ["run", "some.json", "data.json"], in: place.root, as: Loaded.self)
            #expect(loaded.loaded == 20)
            #expect(loaded.losses.allSatisfy { $0.isFinite })
            #expect(Set(loaded.losses).count == 20)
        }

        /// SplitMix64, so that every run of the tests draws the same files.
        struct Draws: RandomNumberGenerator {
            var state: UInt64

            mutating func next() -> UInt64 {
                state &+= 0x9E37_79B9_7F4A_7C15
                var value = state
                value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
                value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
                return value ^ (value >> 31)
            }
        }
    }
}
