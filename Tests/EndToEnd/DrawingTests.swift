import Testing

extension EndToEndTests {
    /// Dropout, noise and augmentation draw from a trial's own seed, whatever trains beside it.
    @Suite struct DrawingTests {
        func histories(_ place: Workplace, seeds: String, run: String) async throws -> [Int: [String: [Double?]]] {
            let train = try await Tool.run(
                [
                    "train", "experiment.yaml", "--devices", "cpu:1", "--output", run,
                    "--set", "trials.seed=\(seeds)", "--json",
                ], in: place.root)
            try #require(train.status == 0, "\(train)")
            let results = try await Tool.run(["results", run, "--json"], in: place.root)
            let trials = try results.json([TrialObject].self)
            return Dictionary(uniqueKeysWithValues: trials.map { ($0.seed, $0.history) })
        }

        @Test("A seed repeats its draws, another seed draws others, and neighbours in a cohort change nothing")
        func seeds() async throws {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [37, 8, 8, 1])
            try place.writeNumbers("y.npy", shape: [37, 1], stream: 2)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):augmented
                data: {x: x.npy, y: y.npy}
                trials: {seed: [0]}
                fit: {epochs: 3, batch_size: 8, shuffle: false}
                """)
            let together = try await histories(place, seeds: "[3, 4, 5, 6, 7]", run: "together")
            let again = try await histories(place, seeds: "[3, 4, 5, 6, 7]", run: "again")
            #expect(again == together)

            let first = together.values.compactMap { $0["loss"]?[0] }
            #expect(Set(first).count == 5, "all begin with the same weights: only what they draw tells them apart")

            let alone = try await histories(place, seeds: "[5]", run: "alone")
            let losses = try #require(alone[5]?["loss"]), packed = try #require(together[5]?["loss"])
            for (one, other) in zip(losses, packed) {
                let one = try #require(one), other = try #require(other)
                #expect(abs(one - other) <= 1e-5 * max(abs(one), abs(other)))
            }
        }
    }
}
