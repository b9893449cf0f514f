public import Bundles
import Randomness

extension ProgramDescription {
    /// The row of `initialize`'s argument for a trial's seed.
    ///
    /// It is what Keras would draw after
    /// `keras.utils.set_random_seed(seed)`, and the seed itself where the program wants it.
    public func seeds(for seed: UInt64) -> [UInt32] {
        let wantsSeed = seedColumn ?? false
        let drawn = PythonRandom.kerasSeeds(seed: seed, count: draws - (wantsSeed ? 1 : 0))
        return wantsSeed ? drawn + [UInt32(truncatingIfNeeded: seed)] : drawn
    }
}
