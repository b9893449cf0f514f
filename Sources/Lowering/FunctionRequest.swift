import Bundles

/// Asks for one function of a program, for static sizes.
public struct FunctionRequest: Sendable, Hashable {
    /// Which function.
    public var name: Name
    /// Lanes, K: how many models side by side.
    public var lanes: Int
    /// Steps a call, S; nil for `initialize` and `finalize`.
    public var steps: Int?
    /// Rows a batch, R; nil for `initialize` and `finalize`.
    public var rows: Int?
    /// How the lanes are computed.
    public var form: Form
    /// Of `train`: whether a lane takes no step after one whose loss is NaN or infinite.
    public var halt: Bool

    /// Asks for a function that takes steps.
    public init(_ name: Name, lanes: Int, steps: Int, rows: Int, form: Form = .auto, halt: Bool = false) {
        self.name = name
        self.lanes = lanes
        self.steps = name.takesSteps ? steps : nil
        self.rows = name.takesSteps ? rows : nil
        self.form = form
        self.halt = halt && name == .train
    }

    /// Asks for `initialize` or `finalize`, which have lanes only.
    public init(_ name: Name, lanes: Int) {
        self.name = name
        self.lanes = lanes
        self.form = .auto
        self.halt = false
    }

    /// The functions of a program.
    public enum Name: String, Sendable {
        case initialize, train, evaluate, predict, finalize

        /// Whether its sizes are lanes, steps and rows, and not lanes alone.
        var takesSteps: Bool { self != .initialize && self != .finalize }
    }

    /// How the lanes of a function are computed.
    public enum Form: String, Sendable {
        /// Looped where the program holds a convolution and there is more than one lane, otherwise vectorized.
        case auto
        /// All at once (`jax.vmap`).
        case vectorized
        /// One after the other (`jax.lax.map`).
        case looped
        /// All at once, with batches of which only the first places hold rows; of `train` and `evaluate`.
        case masked
        /// The same, one lane after the other.
        case maskedLooped = "masked_looped"
    }

    var json: JSONValue {
        var fields: [String: JSONValue] = ["name": .string(name.rawValue), "lanes": .int(lanes)]
        if let steps, let rows {
            fields["steps"] = .int(steps)
            fields["rows"] = .int(rows)
            fields["form"] = .string(form.rawValue)
            if halt { fields["halt"] = .bool(true) }
        }
        return .object(fields)
    }

    /// The function of a program that answers this request, if it has been lowered.
    func answer(in program: ProgramDescription) -> ProgramDescription.Function? {
        let form = form == .auto ? (program.hasConvolution && lanes > 1 ? .looped : .vectorized) : form
        return program.functions.first { function in
            function.name == name.rawValue && function.lanes == lanes
                && (!name.takesSteps
                    || (function.steps == steps && function.rows == rows && function.form == form.rawValue
                        && function.halt ?? false == halt))
        }
    }
}
