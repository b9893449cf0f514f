import Units

/// One lane's `keras.callbacks.ReduceLROnPlateau`.
struct ReduceLROnPlateau: Codable, Sendable, Equatable {
    let settings: Unit.ReduceLROnPlateau
    private let improves: Improvement
    private var wait = 0
    private var best: Double?
    private var cooldown = 0

    init(_ settings: Unit.ReduceLROnPlateau) {
        self.settings = settings
        improves = Improvement(settings.mode, minDelta: settings.minDelta)
    }

    /// Takes in an epoch's end.
    ///
    /// - Parameters:
    ///   - value: the monitored metric; nil where the epoch did not measure it.
    ///   - rate: the learning rate that the optimizer's float32 variable holds.
    /// - Returns: what the variable holds from now on, where that is something else.
    mutating func epochEnded(_ value: Double?, rate: Float) -> Float? {
        guard let value else { return nil }
        if cooldown > 0 {
            cooldown -= 1
            wait = 0
        }
        if improves(value, over: best) {
            best = value
            wait = 0
            return nil
        }
        guard cooldown == 0 else { return nil }
        wait += 1
        guard wait >= settings.patience, rate > Float(settings.minLearningRate) else { return nil }
        cooldown = settings.cooldown
        wait = 0
        // The product is Python's, in double precision; the variable rounds it.
        return Float(max(Double(rate) * settings.factor, settings.minLearningRate))
    }
}
