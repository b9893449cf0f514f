import Programs
import Units

/// What callbacks do before an epoch and around its validation.
extension CohortCallbacks {
    /// Calls every callback's `on_epoch_begin` for the lanes that will train the epoch.
    mutating func epochBegins(_ epoch: Int, _ state: inout LoadedProgram.State) throws {
        if swap?.swapOnEpoch == true { exchangeAverages(&state, stand: false) }
        guard unit.callbacks.contains(where: \.isScheduler), var rates else { return }
        for (index, lane) in unit.lanes.enumerated() where isActive[index] {
            let place = epoch - unit.fit.initialEpoch
            guard let table = lane.rates, table.indices.contains(place) else {
                throw TrainingError(.invalidUnit, "trial \(lane.name) has no learning rate for epoch \(epoch)")
            }
            rates[index] = Float(table[place])
        }
        if rates == self.rates { return }
        self.rates = rates
        try program.set("learning_rate", to: rates.map { Double($0) }, in: &state)
    }

    /// `on_test_begin`: validation sees the averages.
    mutating func validationBegins(_ state: inout LoadedProgram.State) {
        if swap != nil { exchangeAverages(&state, stand: true) }
    }

    /// `on_test_end`.
    mutating func validationEnded(_ state: inout LoadedProgram.State) {
        if swap != nil { exchangeAverages(&state, stand: false) }
    }

    /// What `Model.fit` does to the weights at its end, for lanes that have come to it.
    ///
    /// After the last epoch `SwapEMAWeights.on_epoch_end` makes the averages the weights' own, so that they stay. It does not
    /// where training ended before: the optimizer then takes for averages what stands in their place, which is the weights.
    mutating func finalize(_ state: inout LoadedProgram.State) throws {
        guard averagesStand else { return try program.finalize(&state) }
        let early = lanes.map { lane in lane.ending.map { $0.epochs < unit.fit.lastEpoch } ?? false }
        if !early.contains(false) { return try program.finalize(&state) }
        var ended = try early.contains(true) ? program.choose(early, state, state) : nil
        exchangeAverages(&state, stand: false)
        try program.finalize(&state)
        guard var swapped = ended.take() else { return }
        try program.finalize(&swapped)
        state = try program.choose(early, swapped, state)
    }
}

extension Unit.Callback {
    var isScheduler: Bool {
        if case .learningRateScheduler = self { true } else { false }
    }
}
