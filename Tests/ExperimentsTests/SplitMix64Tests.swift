import Experiments
import Testing

@Test func drawsAreThePublishedGeneratorsDraws() {
    // The first draws of Java's SplittableRandom algorithm from seed 1234567, as published with Vigna's splitmix64.c.
    var generator = SplitMix64(seed: 1_234_567)
    #expect(
        (0..<5).map { _ in generator.next() } == [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ])
}

@Test func everyNumberBelowABoundIsAsLikely() {
    var generator = SplitMix64(seed: 1)
    var counts = [Int](repeating: 0, count: 6)
    for _ in 0..<60_000 { counts[Int(generator.below(6))] += 1 }
    // Six standard deviations of a binomial with n = 60,000 and p = 1/6 are 548.
    #expect(counts.allSatisfy { abs($0 - 10_000) < 548 })
    #expect(generator.below(1) == 0)
    #expect(generator.below(0) == 0)
}

@Test func shufflingKeepsEveryElementAndDependsOnTheSeedAlone() {
    var first = Array(0..<1000)
    var second = first
    var third = first[...]
    var generator = SplitMix64(seed: 5, streams: 1, 2)
    generator.shuffle(&first)
    generator = SplitMix64(seed: 5, streams: 1, 2)
    generator.shuffle(&second)
    generator = SplitMix64(seed: 5, streams: 2, 1)
    generator.shuffle(&third)
    #expect(first == second)
    #expect(first != Array(third))
    #expect(first.sorted() == Array(0..<1000))
    #expect(first != first.sorted())
}
