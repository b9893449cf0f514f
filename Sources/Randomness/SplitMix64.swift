/// The generator behind every draw that Pronghorn makes itself: row orders, folds, bootstrap samples.
///
/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014): a counter that
/// grows by the golden ratio, each value scrambled by a bijection. Its output for a seed will never change, so a run can
/// be repeated by anyone who implements these few lines.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator whose first value follows from `seed` alone.
    public init(seed: UInt64) {
        state = seed
    }

    /// A generator for one of many independent streams of a seed: an epoch of a trial, a repetition of a fold.
    ///
    /// The state begins at `scramble(seed) ^ scramble(~stream)`.
    public init(seed: UInt64, stream: UInt64) {
        state = Self.scramble(seed) ^ Self.scramble(~stream)
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.scramble(state)
    }

    /// A number drawn evenly from `0..<bound`, by Lemire's multiplication with rejection (ACM TOMACS 29, 2019).
    ///
    /// - Precondition: `bound` is above zero.
    public mutating func below(_ bound: UInt64) -> UInt64 {
        precondition(bound > 0, "no number is below zero")
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold {
                product = next().multipliedFullWidth(by: bound)
            }
        }
        return product.high
    }

    /// Puts the elements into an order drawn evenly from all orders, from the last place down (Fisher and Yates).
    public mutating func shuffle<Element>(_ elements: inout [Element]) {
        elements.withUnsafeMutableBufferPointer { elements in
            var place = elements.count
            while place > 1 {
                let other = Int(below(UInt64(place)))
                place -= 1
                elements.swapAt(place, other)
            }
        }
    }

    private static func scramble(_ value: UInt64) -> UInt64 {
        var bits = value
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}
