import Units

/// Which lanes are better than ever before, by the metric that `save: best` watches.
struct BestEpochs {
    private let best: Unit.Best?
    private var values: [Double?]

    init(_ best: Unit.Best?, lanes: Int) {
        self.best = best
        values = Array(repeating: nil, count: lanes)
    }

    /// Lanes that have had best values before.
    init(_ best: Unit.Best?, values: [Double?]) {
        self.best = best
        self.values = values
    }

    /// The values in a text that `bits` gave.
    static func values(ofBits bits: String) -> [Double?] {
        bits.split(separator: ",", omittingEmptySubsequences: false).map { text in
            UInt64(text, radix: 16).map { Double(bitPattern: $0) }
        }
    }

    /// The best values so far, exactly: the bits of each in hexadecimal, nothing for a lane without one.
    var bits: String { values.map { $0.map { String($0.bitPattern, radix: 16) } ?? "" }.joined(separator: ",") }

    /// The lanes that this epoch improved, or nil when none did or nothing is watched.
    ///
    /// As `keras.callbacks.ModelCheckpoint(save_best_only=True)`: strictly better; NaN never is; an epoch without the
    /// metric changes nothing.
    /// - Parameter excluded: lanes that this epoch cannot have improved.
    mutating func update(_ metrics: [String: [Double]], but excluded: [Int] = []) -> [Bool]? {
        guard let best, let watched = metrics[best.monitor] else { return nil }
        var improved = false
        let better = watched.enumerated().map { lane, value in
            guard !value.isNaN, !excluded.contains(lane) else { return false }
            if let earlier = values[lane], best.lessIsBetter ? value >= earlier : value <= earlier { return false }
            values[lane] = value
            improved = true
            return true
        }
        return improved ? better : nil
    }
}
