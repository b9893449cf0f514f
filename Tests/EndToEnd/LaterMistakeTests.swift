import Testing

extension EndToEndTests {
    /// A mistake that shows when training has begun already.
    @Suite struct LaterMistakeTests {
        @Test("A model that cannot be built fails its trials with its place, and all others train")
        func failsItsTrials() async throws {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [100, 10])
            try place.writeNumbers("y.npy", shape: [100, 1])
            try place.write(
                "wide.py",
                """
                import keras


                def build(units):
                    model = keras.Sequential([keras.layers.Input((10,)), keras.layers.Dense(units), keras.layers.Dense(1)])
                    model.compile("sgd", "mse")
                    return model
                """)
            try place.write(
                "experiment.yaml",
                """
                name: wide
                model: wide.py:build
                data: {x: x.npy, y: y.npy}
                trials: {units: [8, -1, 4], seed: {range: 2}}
                fit: {epochs: 5}
                """)
            let train = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:2", "--output", "run"], in: place.root)
            #expect(train.status == 1, "\(train)")
            #expect(train.output.contains("2 trials FAILED: experiment.yaml:2:"), "\(train)")
            let results = try await Tool.run(["results", "run", "--json"], in: place.root).json([TrialObject].self)
            #expect(
                results.map(\.status)
                    == ["finished", "finished", "failed", "failed", "finished", "finished"], "\(train)")
            #expect(results[2].message?.contains("wide.py:5") ?? false, "\(results[2])")
            let status = try await Tool.run(["status", "run", "--json"], in: place.root)
            #expect(status.output.contains("\"state\":\"failed\""), "\(status)")
        }
    }
}
