/// Python's `random.Random(seed)`, as far as Keras uses it: the numbers that seed its initializers and dropout layers.
///
/// `keras.utils.set_random_seed(s)` calls `random.seed(s)`, and every seedless initializer or layer then draws
/// `random.randint(1, 10**9)` (`keras.src.random.seed_generator.make_default_seed`). The generator is MT19937 (Matsumoto
/// and Nishimura, ACM TOMACS 8, 1998), seeded by `init_by_array` with the seed's 32-bit words as CPython does.
public struct PythonRandom: Sendable {
    private var words: [UInt32]
    private var position: Int

    /// The generator after `random.seed(seed)`.
    public init(seed: UInt64) {
        let low = UInt32(truncatingIfNeeded: seed)
        let high = UInt32(truncatingIfNeeded: seed >> 32)
        let key = high == 0 ? [low] : [low, high]
        words = Self.initial(19_650_218)
        position = Self.size
        var i = 1
        var j = 0
        for _ in 0..<max(Self.size, key.count) {
            words[i] = (words[i] ^ ((words[i - 1] ^ (words[i - 1] >> 30)) &* 1_664_525)) &+ key[j] &+ UInt32(j)
            i += 1
            j += 1
            if i >= Self.size {
                words[0] = words[Self.size - 1]
                i = 1
            }
            if j >= key.count { j = 0 }
        }
        for _ in 0..<(Self.size - 1) {
            words[i] = (words[i] ^ ((words[i - 1] ^ (words[i - 1] >> 30)) &* 1_566_083_941)) &- UInt32(i)
            i += 1
            if i >= Self.size {
                words[0] = words[Self.size - 1]
                i = 1
            }
        }
        words[0] = 0x8000_0000
    }

    /// What Keras draws for a seed that the user did not give: `randint(1, 10**9)`.
    public mutating func kerasSeed() -> UInt32 {
        // randint(1, n) is 1 + _randbelow(n): values of n.bit_length() bits, drawn again until one is below n.
        while true {
            let value = next32() >> 2
            if value < 1_000_000_000 { return value + 1 }
        }
    }

    /// The first `count` of them for a trial's seed.
    public static func kerasSeeds(seed: UInt64, count: Int) -> [UInt32] {
        guard count > 0 else { return [] }
        var generator = PythonRandom(seed: seed)
        return (0..<count).map { _ in generator.kerasSeed() }
    }

    private static let size = 624

    private static func initial(_ seed: UInt32) -> [UInt32] {
        var words = [UInt32](repeating: seed, count: size)
        for i in 1..<size {
            words[i] = 1_812_433_253 &* (words[i - 1] ^ (words[i - 1] >> 30)) &+ UInt32(i)
        }
        return words
    }

    private mutating func next32() -> UInt32 {
        if position >= Self.size { twist() }
        var value = words[position]
        position += 1
        value ^= value >> 11
        value ^= (value << 7) & 0x9d2c_5680
        value ^= (value << 15) & 0xefc6_0000
        return value ^ (value >> 18)
    }

    private mutating func twist() {
        for i in 0..<Self.size {
            let bits = (words[i] & 0x8000_0000) | (words[(i + 1) % Self.size] & 0x7fff_ffff)
            words[i] = words[(i + 397) % Self.size] ^ (bits >> 1) ^ (bits & 1 == 0 ? 0 : 0x9908_b0df)
        }
        position = 0
    }
}
