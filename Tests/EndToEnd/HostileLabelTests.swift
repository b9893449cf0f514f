import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// Labels that come out of the data are text in tables, and never paths.
    @Suite struct HostileLabelTests {
        static let labels = [
            "../../out", "/tmp/out", "a\u{0}b", "line\nbreak", "trailing...", "~", "$HOME", "é\u{202E}名🦌", "-rf",
            "\"quoted\",;",
            String(repeating: "long", count: 500), "\u{1b}[2J",
        ]

        @Test(
            "Groups called by hostile names leave files called by numbers, in the run's folder alone, and whole tables")
        func labels() async throws {
            let place = Workplace()
            let listed = String(
                decoding: try JSONEncoder().encode(Self.labels), as: UTF8.self)
            try place.write("labels.json", listed)
            try place.write(
                "shops.py",
                """
                import json
                import os

                import keras
                import numpy as np

                def load():
                    with open(os.path.join(os.path.dirname(__file__), "labels.json")) as file:
                        labels = json.load(file)
                    random = np.random.default_rng(0)
                    rows = 8 * len(labels)
                    return {
                        "x": random.normal(size=(rows, 3)).astype("f4"),
                        "y": random.normal(size=(rows, 1)).astype("f4"),
                        "shop": np.repeat(np.array(labels), 8),
                    }

                def build():
                    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
                    model.compile("sgd", "mse")
                    return model
                """)
            try place.write(
                "experiment.yaml",
                """
                model: shops.py:build
                data: shops.py:load
                partition: {by: shop}
                callbacks: [csv_logger, model_checkpoint]
                save: [initial, all]
                """)
            try FileManager.default.createDirectory(
                atPath: place.path("deep").string, withIntermediateDirectories: true)
            let before = try place.list("").filter { $0 != "deep" }
            let train = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "deep/run", "--json"], in: place.root)
            #expect(train.status == 0, "\(train)")
            #expect(try place.list("").filter { $0 != "deep" && $0 != "__pycache__" } == before)
            #expect(try place.list("deep") == ["run"])
            #expect(!FileManager.default.fileExists(atPath: "/tmp/out"))
            let numbers = Self.labels.indices.map { String(String($0 + 10_000).dropFirst()) }
            #expect(try place.list("deep/run/csv") == numbers.map { "\($0).csv" })
            #expect(
                Set(try place.list("deep/run/models"))
                    == Set(numbers.flatMap { ["\($0).keras", "\($0).initial.keras", "\($0).epoch-001.keras"] }))
            for format in ["json", "csv", "table"] {
                let results = try await Tool.run(["results", "deep/run", "--format", format], in: place.root)
                #expect(results.status == 0, "\(results)")
            }
            let exported = try await Tool.run(
                ["export", "deep/run", "--all", "--to", "keras", "--output", "deep/out"], in: place.root)
            #expect(exported.status == 0, "\(exported)")
            #expect(try place.list("deep/out") == numbers.map { "\($0).keras" })
        }
    }
}
