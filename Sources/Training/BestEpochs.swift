import Units

/// Which lanes are better than ever before, by the metric that `save: best` watches.
struct BestEpochs {
    private let best: Unit.Best?
    private var values: [Double?]

    init(_ best: Unit.Best?, lanes: Int) {
        self.best = best
        values = Array(repeating: nil, count: lanes)
    }

    /// The lanes that this epoch improved, or nil when none did or nothing is watched.
    ///
    /// As `keras.callbacks.ModelCheckpoint(save_best_only=True)`: strictly better; NaN never is; an epoch without the
    /// metric changes nothing.
    mutating func update(_ metrics: [String: [Double]]) -> [Bool]? {
        guard let best, let watched = metrics[best.monitor] else { return nil }
        var improved = false
        let better = watched.enumerated().map { lane, value in
            guard !value.isNaN else { return false }
            if let earlier = values[lane], best.lessIsBetter ? value >= earlier : value <= earlier { return false }
            values[lane] = value
            improved = true
            return true
        }
        return improved ? better : nil
    }
}
