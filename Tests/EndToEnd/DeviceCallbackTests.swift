import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// Callbacks that need the device or Python: what they do to each trial of a cohort is what Keras's own do to it alone.
    @Suite struct DeviceCallbackTests {
        struct Settings: Encodable {
            var file = Tool.regressions.string
            var x = "x.npy"
            var y = "y.npy"
            var epochs: Int
            var batchSize: Int
            var validation = 0.25
            /// Keras's class and the JSON of its arguments.
            var callbacks: [(name: String, arguments: [String: Value])]
            var only: [Int] = []

            enum Value: Encodable {
                case text(String), number(Double), bool(Bool)

                func encode(to encoder: any Encoder) throws {
                    var container = encoder.singleValueContainer()
                    switch self {
                    case .text(let value): try container.encode(value)
                    case .number(let value): try container.encode(value)
                    case .bool(let value): try container.encode(value)
                    }
                }
            }

            enum CodingKeys: String, CodingKey {
                case file, x, y, epochs, validation, callbacks, only
                case batchSize = "batch_size"
            }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(file, forKey: .file)
                try container.encode(x, forKey: .x)
                try container.encode(y, forKey: .y)
                try container.encode(epochs, forKey: .epochs)
                try container.encode(batchSize, forKey: .batchSize)
                try container.encode(validation, forKey: .validation)
                try container.encode(only, forKey: .only)
                var list = container.nestedUnkeyedContainer(forKey: .callbacks)
                for callback in callbacks {
                    var pair = list.nestedUnkeyedContainer()
                    try pair.encode(callback.name)
                    try pair.encode(callback.arguments)
                }
            }
        }

        struct Findings: Decodable {
            struct Row: Decodable {
                var trial: Int
                var epochs: Int
                var stoppedEpoch: Int?
                var by: String?

                enum CodingKeys: String, CodingKey {
                    case trial, epochs, by
                    case stoppedEpoch = "stopped_epoch"
                }
            }

            var trials: Int
            var problems: [String]
            var worst: [String: Double]
            var table: [Row]
        }

        func workplace(rows: Int, _ lines: String) throws -> Workplace {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [rows, 10])
            try place.writeNumbers("y.npy", shape: [rows, 1], stream: 3)
            try place.write(
                "experiment.yaml", "data: {x: x.npy, y: y.npy}\nsave: [initial, all]\n\(lines)")
            return place
        }

        /// Trains the experiment on one device and repeats its trials in Keras.
        func compare(_ place: Workplace, _ settings: Settings, trials: Int, units: Int = 1) async throws -> Findings {
            let train = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run", "--json"], in: place.root)
            try #require(train.status == 0, "\(train)")
            #expect(try train.json(SummaryObject.self).finished == trials)
            #expect(try place.list("run/units").count == units)
            let results = try await Tool.run(["results", "run", "--json"], in: place.root)
            try place.write("results.json", results.output)
            try place.write("settings.json", String(decoding: try JSONEncoder().encode(settings), as: UTF8.self))
            let findings = try await Tool.python(
                "device_callbacks.py", ["run", "results.json", "settings.json"], in: place.root, as: Findings.self)
            #expect(findings.problems == [])
            #expect(findings.worst["history", default: 1] <= 1e-5, "\(findings.worst)")
            #expect(findings.worst["weights", default: 1] <= 2e-5, "\(findings.worst)")
            // The last figures before infinity have been multiplied by every step of an explosion.
            #expect(findings.worst["diverged", default: 1] <= 1e-2, "\(findings.worst)")
            return findings
        }

        @Test("Trials of one cohort that diverge stop at Keras's batch, and the others go on")
        func terminateOnNaN() async throws {
            let place = try workplace(
                rows: 71,
                """
                model: \(Tool.regressions):descending
                trials: {learning_rate: [0.01, 1, 3, 8, 50, 1000, 1.0e10, 1.0e25], seed: [3, 4]}
                fit: {epochs: 5, batch_size: 8, validation: 0.25, shuffle: false}
                callbacks: [terminate_on_nan]
                """)
            let findings = try await compare(
                place, Settings(epochs: 5, batchSize: 8, callbacks: [("TerminateOnNaN", [:])]), trials: 16)
            let stopped = findings.table.filter { $0.stoppedEpoch != nil }
            #expect(stopped.allSatisfy { $0.by == "terminate_on_nan" })
            #expect(Set(findings.table.map(\.epochs)).count >= 2, "\(findings.table)")
        }

        @Test("A schedule sets every trial's learning rate, from its own first one, as Keras would")
        func schedule() async throws {
            let place = try workplace(
                rows: 71,
                """
                model: \(Tool.regressions):descending
                trials: {learning_rate: [0.001, 0.003, 0.01], epochs: [3, 6]}
                fit: {batch_size: 8, validation: 0.25, shuffle: false}
                callbacks: [{learning_rate_scheduler: {schedule: "\(Tool.regressions):decay"}}]
                """)
            // Trials of three epochs end with the schedule of three.
            for (epochs, only) in [(3, [0, 2, 4]), (6, [1, 3, 5])] {
                let settings = Settings(
                    epochs: epochs, batchSize: 8,
                    callbacks: [("LearningRateScheduler", ["schedule": .text("decay")])], only: only)
                if epochs == 3 {
                    #expect(try await compare(place, settings, trials: 6, units: 2).trials == 3)
                } else {
                    try place.write(
                        "settings.json", String(decoding: try JSONEncoder().encode(settings), as: UTF8.self))
                    let findings = try await Tool.python(
                        "device_callbacks.py", ["run", "results.json", "settings.json"], in: place.root,
                        as: Findings.self)
                    #expect(findings.problems == [])
                    #expect(findings.worst["history", default: 1] <= 1e-5)
                }
            }
        }

        @Test("A cohort whose lanes end goes on in smaller programs, and every trial is still what its Model.fit gives")
        func narrowing() async throws {
            let diverging = "1.0e3, 2.0e3, 5.0e3, 1.0e4, 2.0e4, 5.0e4, 1.0e5, 1.0e6, 1.0e8, 1.0e10, 1.0e20, 1.0e30"
            let place = try workplace(
                rows: 300,
                """
                model: \(Tool.regressions):wide
                trials: {learning_rate: [\(diverging), 1.0e-12, 1.0e-11, 1.0e-10, 0.01], seed: {range: 2}}
                fit: {epochs: 45, batch_size: 32, shuffle: false}
                callbacks:
                - terminate_on_nan
                - early_stopping: {monitor: loss, patience: 1, min_delta: 0.000001, restore_best_weights: true}
                """)
            let settings = Settings(
                epochs: 45, batchSize: 32, validation: 0,
                callbacks: [
                    ("TerminateOnNaN", [:]),
                    (
                        "EarlyStopping",
                        [
                            "monitor": .text("loss"), "patience": .number(1), "min_delta": .number(1e-6),
                            "restore_best_weights": .bool(true),
                        ]
                    ),
                ], only: [1, 25, 30, 31])
            let findings = try await compare(place, settings, trials: 32, units: 3)
            #expect(findings.table.map(\.by).prefix(2) == ["terminate_on_nan", "early_stopping"])
            let widths = try place.list("run/units").sorted().map { id in
                try JSONDecoder().decode(Width.self, from: place.contents("run/units/\(id)/unit.json"))
            }
            #expect(widths.map(\.packing.lanes) == [32, 8, 2])
            #expect(widths.map(\.lanes.count) == [32, 8, 2])
        }

        struct Width: Decodable {
            struct Packing: Decodable { var lanes: Int }
            struct Lane: Decodable { var trial: Int }
            var packing: Packing
            var lanes: [Lane]
        }

        @Test("A schedule that raises is told at the user's line")
        func brokenSchedule() async throws {
            let place = try workplace(
                rows: 71,
                """
                model: \(Tool.regressions):descending
                fit: {epochs: 4, batch_size: 8}
                callbacks: [{learning_rate_scheduler: {schedule: "\(Tool.regressions):broken"}}]
                """)
            let train = try await Tool.run(["train", "experiment.yaml", "--devices", "cpu:1"], in: place.root)
            #expect(train.status != 0)
            #expect(train.errors.contains("IndexError: list index out of range"), "\(train)")
            #expect(train.errors.contains("regressions.py:"), "\(train)")
            #expect(train.errors.contains("learning_rate_scheduler.schedule"), "\(train)")
        }

        @Test(
            "Averaged weights are exchanged for validation and at an epoch's end as Keras exchanges them",
            arguments: [false, true], [false, true])
        func swap(onEpoch: Bool, stopping: Bool) async throws {
            let early = stopping ? ", {early_stopping: {monitor: loss, patience: 1, min_delta: 0.02}}" : ""
            let place = try workplace(
                rows: 71,
                """
                model: \(Tool.regressions):averaged
                trials: {learning_rate: [0.001, 0.03, 0.1], seed: [1, 2]}
                fit: {epochs: 5, batch_size: 8, validation: 0.25, shuffle: false}
                callbacks: [{swap_ema_weights: {swap_on_epoch: \(onEpoch)}}\(early)]
                """)
            var settings = Settings(
                epochs: 5, batchSize: 8, callbacks: [("SwapEMAWeights", ["swap_on_epoch": .bool(onEpoch)])])
            if stopping {
                settings.callbacks.append(
                    ("EarlyStopping", ["monitor": .text("loss"), "patience": .number(1), "min_delta": .number(0.02)]))
            }
            let findings = try await compare(place, settings, trials: 6)
            if stopping { #expect(findings.table.contains { $0.stoppedEpoch != nil }, "\(findings.table)") }
        }

        @Test("Without averages there is nothing to exchange, which is told at the key")
        func noAverages() async throws {
            let place = try workplace(
                rows: 71,
                """
                model: \(Tool.regressions):descending
                fit: {epochs: 2, batch_size: 8}
                callbacks: [swap_ema_weights]
                """)
            let train = try await Tool.run(["train", "experiment.yaml", "--devices", "cpu:1"], in: place.root)
            #expect(train.status != 0)
            #expect(train.errors.contains("swap_ema_weights"), "\(train)")
            #expect(train.errors.contains("use_ema=True"), "\(train)")
        }
    }
}
