import Synchronization

/// Whether a run has been asked to end early, and whom to tell.
final class StopSwitch: Sendable {
    private struct State {
        var isOn = false
        var listener: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Whether the run has been asked.
    var isOn: Bool { state.withLock(\.isOn) }

    /// Asks; a second time does nothing.
    func turnOn() {
        let listener = state.withLock { state in
            defer { state.isOn = true }
            return state.isOn ? nil : state.listener
        }
        listener?()
    }

    /// Calls the listener when the run is asked, at once if it has been.
    func listen(_ listener: @escaping @Sendable () -> Void) {
        let isOn = state.withLock { state in
            state.listener = listener
            return state.isOn
        }
        if isOn { listener() }
    }
}
