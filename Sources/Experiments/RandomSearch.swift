import Randomness

import func Glibc.exp
import func Glibc.log

/// What a random search draws a hyperparameter from.
public enum Distribution: Sendable, Equatable {
    /// One of these values, each as likely as the others.
    case choice([ParameterValue])
    /// A number from the first bound to the second.
    case uniform(Double, Double)
    /// A number whose logarithm is even between those of the bounds, which are above 0.
    case logUniform(Double, Double)

    /// A value; numbers have 6 significant digits, and stay within their bounds.
    func draw(_ generator: inout SplitMix64) -> ParameterValue {
        switch self {
        case .choice(let values): return values[Int(generator.below(UInt64(values.count)))]
        case .uniform(let low, let high):
            return .double(Self.short(low + Self.unit(&generator) * (high - low), low, high))
        case .logUniform(let low, let high):
            let logarithm = log(low) + Self.unit(&generator) * (log(high) - log(low))
            return .double(Self.short(exp(logarithm), low, high))
        }
    }

    /// A number from 0 to below 1, of 53 bits.
    private static func unit(_ generator: inout SplitMix64) -> Double { Double(generator.next() >> 11) * 0x1p-53 }

    private static func short(_ value: Double, _ low: Double, _ high: Double) -> Double {
        guard value != 0 else { return value }
        // Powers of ten up to 10^22 are exact, so that the result is the double nearest to the digits.
        var (scale, divisor, digits) = (1.0, 1.0, value.magnitude)
        while digits < 100_000, scale < 1e22 {
            digits *= 10
            scale *= 10
        }
        while digits >= 1_000_000, divisor < 1e22 {
            digits /= 10
            divisor *= 10
        }
        return min(max((value * scale / divisor).rounded() / scale * divisor, low), high)
    }
}

extension TrialSpace {
    /// Combinations that are drawn at random, as `trials: {random: COUNT, …}` draws them.
    ///
    /// Combination i is drawn by `SplitMix64(seed: seed, stream: 3 · 2⁴⁰ + i)`, one hyperparameter after the other, so that
    /// a longer search begins with the combinations of a shorter one.
    /// - Parameter axes: hyperparameters, and what each is drawn from.
    public static func random(
        _ count: Int, _ axes: [(name: String, distribution: Distribution)], seed: UInt64
    ) -> TrialSpace {
        .list(
            (0..<max(count, 0)).map { index in
                var generator = SplitMix64(seed: seed, stream: (3 << 40) + UInt64(index))
                var parameters: [String: ParameterValue] = [:]
                for axis in axes { parameters[axis.name] = axis.distribution.draw(&generator) }
                return parameters
            })
    }
}
