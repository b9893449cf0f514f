import Synchronization

/// Whether a run has been asked to end early, and whom to tell.
final class StopSwitch: Sendable {
    /// How a run ends early.
    enum Ending: Int, Sendable, Comparable {
        /// What is being trained ends its epoch and leaves a checkpoint.
        case soon
        /// There is no time left for that: what is being trained goes on from the checkpoint it has.
        case now

        static func < (one: Ending, other: Ending) -> Bool { one.rawValue < other.rawValue }
    }

    private struct State {
        var ending: Ending?
        var listener: (@Sendable (Ending) -> Void)?
        /// What cancels the work that is only done as long as the run goes on, by its number.
        var cancellations: [Int: @Sendable () -> Void] = [:]
        var works = 0
    }

    private let state = Mutex(State())

    /// Whether the run has been asked.
    var isOn: Bool { state.withLock { $0.ending != nil } }

    /// Asks; to ask for no more than was asked for before does nothing.
    func turnOn(_ ending: Ending = .soon) {
        let asked = state.withLock { state -> State? in
            if let before = state.ending, before >= ending { return nil }
            state.ending = ending
            return state
        }
        guard let asked else { return }
        for cancel in asked.cancellations.values { cancel() }
        asked.listener?(ending)
    }

    /// Calls the listener when the run is asked, at once if it has been; in the place of the one before.
    func listen(_ listener: @escaping @Sendable (Ending) -> Void) {
        let ending = state.withLock { state in
            state.listener = listener
            return state.ending
        }
        if let ending { listener(ending) }
    }

    /// Does work in a task of its own, which is cancelled when the run is asked to end, or when the caller's task is.
    func cancelling<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let task = Task(operation: work)
        let (number, isOn) = state.withLock { state in
            state.works += 1
            state.cancellations[state.works] = { task.cancel() }
            return (state.works, state.ending != nil)
        }
        defer { state.withLock { $0.cancellations[number] = nil } }
        if isOn { task.cancel() }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
