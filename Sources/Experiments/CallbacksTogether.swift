extension Experiment {
    /// Whether a trial's steps end at a loss that is NaN or infinite.
    public var terminatesOnNaN: Bool {
        callbacks.contains { if case .terminateOnNaN = $0 { true } else { false } }
    }

    /// Whether a trial ends at an epoch whose loss is NaN or infinite; `terminate_on_nan` has a rule of its own.
    public var endsOnDivergence: Bool { fit.onDivergence == .stop && !terminatesOnNaN }

    /// Whether a callback may end a trial's training before its last epoch.
    public var endsEarly: Bool {
        callbacks.contains { callback in
            switch callback {
            case .earlyStopping, .terminateOnNaN: true
            default: false
            }
        }
    }

    /// The callback that sets the learning rate by a user's function, and its place in the list.
    public var learningRateScheduler: (index: Int, schedule: FunctionReference)? {
        for (index, callback) in callbacks.enumerated() {
            if case .learningRateScheduler(let scheduler) = callback { return (index, scheduler.schedule) }
        }
        return nil
    }

    /// Why only real `Model.fit` can run the callbacks, and which of them it is about; nil where the native engine does.
    ///
    /// Natively a schedule is a table, made before training begins: nothing may depend on what happens meanwhile.
    public var callbacksNeedFitEngine: (index: Int, reason: String)? {
        for (index, callback) in callbacks.enumerated() {
            if let reason = callback.needsFitEngine { return (index, reason) }
        }
        func places(_ isOne: (Callback) -> Bool) -> [Int] { callbacks.indices.filter { isOne(callbacks[$0]) } }
        let schedulers = places { if case .learningRateScheduler = $0 { true } else { false } }
        let plateaus = places { if case .reduceLROnPlateau = $0 { true } else { false } }
        let swaps = places { if case .swapEMAWeights = $0 { true } else { false } }
        if let scheduler = schedulers.first, !plateaus.isEmpty {
            return (
                scheduler,
                "learning_rate_scheduler is given rates that reduce_lr_on_plateau sets by what an epoch measures"
            )
        }
        if schedulers.count > 1 {
            return (schedulers[1], "one learning_rate_scheduler is given the rates that another sets")
        }
        if swaps.count > 1 { return (swaps[1], "two swap_ema_weights exchange the weights twice") }
        return nil
    }
}
