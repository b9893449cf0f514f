import Units

/// One lane's `keras.callbacks.EarlyStopping`.
struct EarlyStopping: Codable, Sendable, Equatable {
    let settings: Unit.EarlyStopping
    private let improves: Improvement
    private var wait = 0
    private var best: Double?
    /// The epoch that was best so far.
    private(set) var bestEpoch = 0
    /// Whether the weights of an epoch are being kept, to be restored at the end whether it stopped early or not.
    private(set) var hasWeights = false

    /// What an epoch's end asks for.
    struct Verdict: Equatable {
        /// The weights as they are now are those to restore.
        var keepsWeights = false
        /// Training ends here.
        var stops = false
    }

    init(_ settings: Unit.EarlyStopping) {
        self.settings = settings
        improves = Improvement(settings.mode, minDelta: settings.minDelta)
    }

    /// Takes in an epoch's end.
    ///
    /// - Parameter value: the monitored metric; nil where the epoch did not measure it.
    mutating func epochEnded(_ epoch: Int, _ value: Double?) -> Verdict {
        var verdict = Verdict()
        guard let value, epoch >= settings.startFromEpoch else { return verdict }
        if settings.restoreBestWeights, !hasWeights { keepWeights(of: epoch, &verdict) }
        wait += 1
        if improves(value, over: best) {
            best = value
            bestEpoch = epoch
            if settings.restoreBestWeights { keepWeights(of: epoch, &verdict) }
            // What beats the best so far, but not the baseline, does not buy more time.
            if settings.baseline.map({ improves(value, over: $0) }) ?? true { wait = 0 }
            return verdict
        }
        verdict.stops = wait >= settings.patience && epoch > 0
        return verdict
    }

    private mutating func keepWeights(of epoch: Int, _ verdict: inout Verdict) {
        hasWeights = true
        bestEpoch = epoch
        verdict.keepsWeights = true
    }
}
