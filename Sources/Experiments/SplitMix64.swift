/// The generator that every random choice about rows is drawn from.
///
/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014): the state grows by
/// `0x9E3779B97F4A7C15` a draw, and each draw is the state mixed by two multiplications. Anyone can write it again in
/// ten lines, so that a partition or a row order can be repeated outside Pronghorn.
public struct SplitMix64: RandomNumberGenerator, Sendable, Equatable {
    private var state: UInt64

    /// A generator that starts from `seed`.
    public init(seed: UInt64) {
        state = seed
    }

    /// A generator for one of several independent uses of the same seed.
    ///
    /// It starts from the first draw of `seed`, mixed with each of `streams` in turn by `xor` and one more draw.
    public init(seed: UInt64, streams: UInt64...) {
        var generator = SplitMix64(seed: seed)
        for stream in streams {
            generator = SplitMix64(seed: generator.next() ^ stream)
        }
        self = SplitMix64(seed: generator.next())
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number in `0..<bound`, each as likely as the others.
    ///
    /// The high half of `draw × bound`, drawn again while the low half is below `2⁶⁴ mod bound` (Lemire: "Fast random
    /// integer generation in an interval", 2019). A bound of 0 gives 0.
    public mutating func below(_ bound: UInt64) -> UInt64 {
        guard bound > 1 else { return 0 }
        let threshold = (0 &- bound) % bound
        while true {
            let product = next().multipliedFullWidth(by: bound)
            if product.low >= threshold { return product.high }
        }
    }

    /// Puts `elements` in a random order: Fisher and Yates, from the last position down to the second.
    public mutating func shuffle<Elements: MutableCollection & RandomAccessCollection>(_ elements: inout Elements)
    where Elements.Index == Int {
        guard elements.count > 1 else { return }
        for position in stride(from: elements.count - 1, to: 0, by: -1) {
            let other = Int(below(UInt64(position) + 1))
            elements.swapAt(elements.startIndex + position, elements.startIndex + other)
        }
    }
}
