import Units

/// What one callback of a unit remembers of one lane, as a checkpoint keeps it.
enum LaneCallback: Codable, Sendable, Equatable {
    case earlyStopping(EarlyStopping)
    case reduceLROnPlateau(ReduceLROnPlateau)
    case modelCheckpoint(ModelCheckpoint)
    /// It remembers nothing.
    case stateless

    /// The callback before the first epoch: `on_train_begin`.
    init(_ callback: Unit.Callback) {
        switch callback {
        case .earlyStopping(let settings): self = .earlyStopping(EarlyStopping(settings))
        case .reduceLROnPlateau(let settings): self = .reduceLROnPlateau(ReduceLROnPlateau(settings))
        case .modelCheckpoint(let settings): self = .modelCheckpoint(ModelCheckpoint(settings))
        case .learningRateScheduler, .terminateOnNaN, .csvLogger, .swapEMAWeights, .python: self = .stateless
        }
    }
}

/// What all callbacks of a unit remember of one lane.
struct LaneCallbacks: Codable, Sendable, Equatable {
    /// One a callback, in the unit's order.
    var callbacks: [LaneCallback]
    /// How the lane's training was ended before its last epoch; nil while it trains.
    var ending: Ending?

    /// A lane's training that a callback has ended, or that has diverged.
    struct Ending: Codable, Sendable, Equatable {
        /// The epochs that were trained.
        var epochs: Int
        /// The callback's name; `divergence`.
        var by: String
        /// The epochs that are in the lane's state, where it has diverged; nil where a callback ended it.
        var kept: Int?
    }

    init(_ callbacks: [Unit.Callback]) {
        self.callbacks = callbacks.map(LaneCallback.init)
    }

    /// `EarlyStopping.best_epoch` of the first such callback.
    var bestEpoch: Int? {
        for case .earlyStopping(let callback) in callbacks { return callback.bestEpoch }
        return nil
    }
}
