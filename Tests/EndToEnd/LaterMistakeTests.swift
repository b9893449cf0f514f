import Testing

extension EndToEndTests {
    /// A mistake that shows when training has begun already.
    @Suite struct LaterMistakeTests {
        @Test("A model that cannot be built ends a run that trains others, with its place, and what was begun is kept")
        func endsInOrder() async throws {
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
                trials: {units: [8, -1], seed: {range: 4}}
                fit: {epochs: 2000}
                """)
            let train = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:2", "--output", "run"], in: place.root)
            #expect(train.status == 2, "\(train)")
            #expect(train.errors.contains("experiment.yaml:2:"), "\(train)")
            #expect(train.errors.contains("wide.py:5"), "\(train)")
            // No runner is started again once the run is lost: one a device is all there were.
            #expect(
                train.output.split(separator: "\n").filter { $0.contains("runner") && $0.contains("started") }.count
                    <= 2)
            let status = try await Tool.run(["status", "run", "--json"], in: place.root)
            #expect(status.output.contains("\"state\":\"stopped\""), "\(status)")
        }
    }
}
