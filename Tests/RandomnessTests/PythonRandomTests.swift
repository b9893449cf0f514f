import Randomness
import Testing

@Suite struct PythonRandomTests {
    // Printed by CPython 3.11: r = random.Random(seed); [r.randint(1, 10**9) for _ in range(3)]
    @Test(
        "A trial's seed gives the numbers that Keras would draw from Python's random",
        arguments: [
            (0, [906_691_060, 413_654_000, 813_847_340]),
            (1, [144_272_510, 611_178_003, 909_925_048]),
            (7, [347_712_783, 161_973_070, 423_938_500]),
            (12345, [447_342_178, 786_714_831, 10_919_058]),
            (4_294_967_301, [168_869_941, 521_297_323, 303_317_710]),
            (9_223_372_036_854_775_808, [594_277_443, 422_938_368, 224_770_963]),
        ] as [(UInt64, [UInt32])])
    func drawsAsPythonDoes(seed: UInt64, expected: [UInt32]) {
        #expect(PythonRandom.kerasSeeds(seed: seed, count: 3) == expected)
    }

    @Test("A model with more draws than the generator's state keeps to Python's sequence")
    func goesOnPastOneTwist() {
        let many = PythonRandom.kerasSeeds(seed: 3, count: 2000)
        #expect(many.allSatisfy { (1...1_000_000_000).contains($0) })
        #expect(Array(many.prefix(5)) == PythonRandom.kerasSeeds(seed: 3, count: 5))
        #expect(Set(many).count > 1990)
    }
}

@Suite struct SplitMix64Tests {
    // The reference implementation's first values for seed 1234567 (Vigna, splitmix64.c).
    @Test("Row orders of earlier runs can be drawn again")
    func reference() {
        var generator = SplitMix64(seed: 1_234_567)
        #expect(generator.next() == 6_457_827_717_110_365_317)
        #expect(generator.next() == 3_203_168_211_198_807_973)
        #expect(generator.next() == 9_817_491_932_198_370_423)
    }

    @Test("A shuffle keeps every row once and differs between epochs")
    func shuffles() {
        var first = Array(Int32(0)..<1000)
        var second = first
        var one = SplitMix64(seed: 5, stream: 0)
        var two = SplitMix64(seed: 5, stream: 1)
        one.shuffle(&first)
        two.shuffle(&second)
        #expect(first != second)
        #expect(first.sorted() == Array(Int32(0)..<1000))
    }

    @Test("Every place of a shuffled order is drawn evenly")
    func evenly() {
        var counts = [Int](repeating: 0, count: 7)
        var generator = SplitMix64(seed: 9)
        for _ in 0..<70_000 { counts[Int(generator.below(7))] += 1 }
        #expect(counts.allSatisfy { abs($0 - 10_000) < 500 })
    }
}
