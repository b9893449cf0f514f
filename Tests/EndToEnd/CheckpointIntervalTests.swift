import Foundation
import Testing

extension EndToEndTests {
    /// What an interruption costs at most: the epochs since the last checkpoint.
    @Suite struct CheckpointIntervalTests {
        private static let epochs = 400

        private static func place(_ checkpoint: String) throws -> Workplace {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [512, 6], stream: 1)
            try place.writeNumbers("y.npy", shape: [512, 1], stream: 2)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):regression
                data: {x: x.npy, y: y.npy}
                trials: {seed: {range: 5}}
                fit: {epochs: \(epochs), batch_size: 16}
                checkpoint: \(checkpoint)
                """)
            return place
        }

        /// How often each trial was trained for each epoch, over all units: `[trial: [epoch: times]]`.
        static func trainings(_ place: Workplace) throws -> [Int: [Int: Int]] {
            var times: [Int: [Int: Int]] = [:]
            for unit in try place.list("run/units") {
                guard let text = try? place.contents("run/units/\(unit)/events.ndjson"),
                    let description = try JSONSerialization.jsonObject(
                        with: place.contents("run/units/\(unit)/unit.json")) as? [String: Any],
                    let lanes = description["lanes"] as? [[String: Any]]
                else { continue }
                let trials = lanes.compactMap { $0["trial"] as? Int }
                for line in text.split(separator: UInt8(ascii: "\n")) {
                    // A process that is killed may leave half a line.
                    guard let event = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any],
                        let what = event["what"] as? [String: Any], let epoch = what["epoch"] as? [String: Any],
                        let number = epoch["epoch"] as? Int, let trained = epoch["lanes"] as? [Int]
                    else { continue }
                    for lane in trained { times[trials[lane], default: [:]][number, default: 0] += 1 }
                }
            }
            return times
        }

        @Test(
            "After a kill no more is trained again than one checkpoint interval",
            arguments: [("{every_epochs: 30}", 30), ("{every_seconds: 0, at_end: false}", 1)])
        func interval(_ checkpoint: String, _ most: Int) async throws {
            let place = try Self.place(checkpoint)
            var isKilled = false
            let killed = try await Tool.follow(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"], in: place.root
            ) { line, control in
                guard !isKilled, line.hasPrefix("cpu:0: unit 0000,") else { return }
                isKilled = true
                try await waitUntil("unit 0000 is well into its training") {
                    ResumeTests.epochs(of: "0000", place) >= 80
                }
                #expect(kill(control, SIGKILL) == 0)
            }
            #expect(killed.status == -Int(SIGKILL), "\(killed)")
            let before = try Self.trainings(place)
            #expect(before.count == 5 && before.values.allSatisfy { $0.count >= 79 && $0.count < Self.epochs })

            let resumed = try await Tool.run(["resume", "run", "--devices", "cpu:1", "--json"], in: place.root)
            #expect(try resumed.json(SummaryObject.self).finished == 5, "\(resumed)")
            let times = try Self.trainings(place)
            for trial in 0..<5 {
                let epochs = times[trial] ?? [:]
                #expect(epochs.keys.sorted() == Array(0..<Self.epochs), "trial \(trial) lacks epochs")
                let repeated = epochs.values.reduce(0) { $0 + $1 - 1 }
                #expect(repeated <= most, "trial \(trial) trained \(repeated) epochs twice")
            }
            let last = try place.list("run/units").last ?? ""
            let kept = try place.list("run/units/\(last)").filter { $0.hasPrefix("checkpoint-") }
            #expect(kept == (checkpoint.contains("at_end") ? [] : ["checkpoint-000400.safetensors"]) || most == 1)
        }
    }
}
