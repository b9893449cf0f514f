import Units

/// One lane's `keras.callbacks.ModelCheckpoint` with `save_freq="epoch"`.
struct ModelCheckpoint: Codable, Sendable, Equatable {
    let settings: Unit.ModelCheckpoint
    private let improves: Improvement
    private var best: Double?
    /// Whether it has saved a model yet.
    private(set) var hasSaved = false

    init(_ settings: Unit.ModelCheckpoint) {
        self.settings = settings
        improves = Improvement(settings.mode)
        best = settings.initialValueThreshold
    }

    /// Takes in an epoch's end.
    ///
    /// - Parameter value: the monitored metric; nil where the epoch did not measure it, which saves, as in Keras.
    /// - Returns: whether the model as it is now is saved.
    mutating func epochEnded(_ value: Double?) -> Bool {
        if settings.saveBestOnly, let value {
            guard improves(value, over: best) else { return false }
            best = value
        }
        hasSaved = true
        return true
    }
}
