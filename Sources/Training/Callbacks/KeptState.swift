import Programs

/// A state that is kept on the device beside the one that is trained: each lane as it was after an epoch of its own.
final class KeptState {
    /// What it is called in a checkpoint.
    let group: Checkpoint.Group
    private var state: LoadedProgram.State?

    init(_ group: Checkpoint.Group, _ state: consuming LoadedProgram.State? = nil) {
        self.group = group
        self.state = consume state
    }

    /// Whether any lane has been kept.
    var isEmpty: Bool { state == nil }

    /// Keeps some lanes as they are now; the others stay as they were kept.
    func keep(_ lanes: [Bool], of current: borrowing LoadedProgram.State, _ program: LoadedProgram) throws {
        if let earlier = state.take() {
            state = try program.choose(lanes, current, earlier)
        } else {
            state = try program.choose(lanes.map { _ in true }, current, current)
        }
    }

    /// Puts the kept weights (`Model.weights`) of some lanes in the place of those that a state has.
    func restoreWeights(
        _ lanes: [Bool], of current: borrowing LoadedProgram.State, _ program: LoadedProgram
    ) throws -> LoadedProgram.State? {
        switch state {
        case .some(let kept): return try program.choose(lanes, kept, current, onlyWeights: true)
        case .none: return nil
        }
    }

    /// Puts all that was kept of some lanes in the place of what a state has of them.
    func restore(
        _ lanes: [Bool], in current: inout LoadedProgram.State, _ program: LoadedProgram
    ) throws {
        if let kept = state.take() {
            current = try program.choose(lanes, kept, current)
            state = consume kept
        }
    }

    /// Looks at the kept state, where there is one.
    func withState<Result>(_ body: (borrowing LoadedProgram.State) throws -> Result) throws -> Result? {
        switch state {
        case .some(let kept): return try body(kept)
        case .none: return nil
        }
    }
}
