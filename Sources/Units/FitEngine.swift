extension Unit {
    /// What trains a unit.
    public enum Engine: Codable, Sendable, Equatable {
        /// The unit's program, by the verb `runner`.
        case native
        /// Real `Model.fit`, by `python -m pronghorn.fit_runner`; the unit has exactly one lane and no program.
        case fit(FitEngine)
    }

    /// What a fit runner needs besides what every unit says: where the model comes from and what it runs on.
    ///
    /// What only Python reads is JSON text inside the JSON, since a float that is whole would otherwise arrive as an
    /// integer, which a build function may tell apart.
    public struct FitEngine: Codable, Sendable, Equatable {
        public var backend: Backend
        /// Where the model comes from: the lowering process's MODEL (docs/Contracts.md, section 1).
        public var model: String
        /// A file of weights that the model starts from, as `Model.load_weights` takes it.
        public var weights: String?
        /// Which layers are adapted to the trial's rows: `true`, or a list of names; nil: none.
        public var adapt: String?
        /// An object of arguments that the build function is given if it takes such: the trial's `seed` and
        /// `learning_rate`.
        public var offered: String
        /// What each array of the unit's sources is to `Model.fit`, in their order.
        public var roles: [Role]

        public init(
            backend: Backend, model: String, weights: String? = nil, adapt: String? = nil, offered: String,
            roles: [Role]
        ) {
            self.backend = backend
            self.model = model
            self.weights = weights
            self.adapt = adapt
            self.offered = offered
            self.roles = roles
        }
    }
}

extension Unit.FitEngine {
    /// What Keras computes with.
    public enum Backend: String, Codable, Sendable, Hashable, CaseIterable, Comparable {
        case jax, tensorflow, torch

        public static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }
    }

    /// What an array is to `Model.fit`.
    public enum Role: String, Codable, Sendable {
        case x, y
        case sampleWeight = "sample_weight"
    }
}
