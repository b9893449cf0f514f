import Units

/// Whether a monitored value is better than another: `keras.src.callbacks.monitor_callback.MonitorCallback`.
struct Improvement: Codable, Sendable, Equatable {
    /// Whether less is better.
    let isLess: Bool
    /// What a value must be better by, at least; its sign does not count.
    let minDelta: Double

    init(_ mode: Unit.MonitorMode, minDelta: Double = 0) {
        isLess = mode != .max
        self.minDelta = minDelta.magnitude
    }

    /// As `_is_improvement`: the difference is Python's, in double precision, the comparison JAX's, in single precision.
    ///
    /// NaN is better than nothing at all, and then nothing is better than NaN.
    func callAsFunction(_ value: Double, over reference: Double?) -> Bool {
        guard let reference else { return true }
        return isLess
            ? Float(value + minDelta) < Float(reference) : Float(value - minDelta) > Float(reference)
    }
}
