extension Unit {
    /// When the unit ends because few of its lanes are still active, so that they go on in a program with fewer lanes.
    public struct Narrowing: Codable, Sendable, Equatable {
        /// The lanes that a smaller program may have, the largest first.
        public var sizes: [Int]
        /// The steps of single lanes that must be saved at least.
        public var leastLaneSteps: Int

        public init(sizes: [Int], leastLaneSteps: Int) {
            self.sizes = sizes
            self.leastLaneSteps = leastLaneSteps
        }

        /// The smallest size that holds so many lanes, if it is smaller than the program they are in.
        public func size(holding active: Int, below lanes: Int) -> Int? {
            sizes.filter { $0 >= active && $0 < lanes }.min()
        }

        /// Whether it pays to go on with fewer lanes.
        ///
        /// - Parameters:
        ///   - active: lanes that still train.
        ///   - lanes: lanes of the program they are in.
        ///   - steps: steps that any of them has left, at most.
        public func pays(active: Int, lanes: Int, steps: Int) -> Bool {
            guard active > 0, let size = size(holding: active, below: lanes) else { return false }
            return (lanes - size) * steps >= leastLaneSteps
        }
    }

    /// Whether the unit ends before an epoch, so that its active lanes go on in a smaller program.
    ///
    /// - Parameter active: whether each lane still trains.
    public func narrows(before epoch: Int, active: [Bool]) -> Bool {
        // Lanes that were spare from the beginning were planned so.
        guard let narrowing, active.contains(false) else { return false }
        let rows = zip(lanes, active).filter(\.1).map { $0.0.training.count }.max() ?? 0
        let batches = (rows + fit.batchSize - 1) / fit.batchSize
        let steps = min(batches, fit.stepsPerEpoch ?? .max) * (fit.lastEpoch - epoch)
        return narrowing.pays(active: active.count { $0 }, lanes: packing.lanes, steps: steps)
    }
}
