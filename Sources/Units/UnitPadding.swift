extension Unit {
    /// Training steps of lanes: all that are computed, and those of them that no trial takes.
    public struct Padding: Sendable, Equatable {
        public var computed: Int
        public var idle: Int

        public init(computed: Int, idle: Int) {
            self.computed = computed
            self.idle = idle
        }
    }

    /// The steps of the unit's epochs, if no lane ends early; of a trial that `Model.fit` trains none is idle.
    ///
    /// A vectorized lane computes as long as any other has steps left, a lane of a loop only its own.
    public var padding: Padding {
        var total = Padding(computed: 0, idle: 0)
        let epochs = fit.firstEpoch..<fit.lastEpoch
        // Without `steps_per_epoch` all epochs are alike.
        for epoch in fit.stepsPerEpoch == nil ? epochs.prefix(1) : epochs {
            let rows = lanes.map { fit.epochRows(epoch, of: $0.training.count).rows.count }
            let whole = rows.map { $0 / fit.batchSize }
            let tails = rows.map { $0 % fit.batchSize }.filter { $0 > 0 }
            let taken = whole.reduce(0, +) + tails.count
            func isLooped(_ isTail: Bool) -> Bool { packing.form(evaluates: false, isTail: isTail) == "looped" }
            // Masked, a single row is a call, and all other sizes are another.
            let isMasked = packing.maskedForm(evaluates: false) != nil
            let calls = Set(isMasked ? tails.map { min($0, 2) } : tails).count
            let computed =
                (isLooped(false) ? whole.reduce(0, +) : (whole.max() ?? 0) * packing.lanes)
                + (isLooped(true) ? tails.count : calls * packing.lanes)
            total.computed += computed
            total.idle += computed - taken
        }
        guard fit.stepsPerEpoch == nil else { return total }
        return Padding(computed: total.computed * epochs.count, idle: total.idle * epochs.count)
    }
}
