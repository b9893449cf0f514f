import Units

/// The codes of a unit's failure that mean more than that it would fail again; as `TrainingError.Code` has them.
enum RunnerFailure {
    static let files = "files"
    static let device = "device"
    static let lostDevice = "device_lost"
    /// The exit status of a runner whose device does not answer any more.
    static let lostDeviceStatus: Int32 = 86
    static let outOfMemory = "out_of_memory"
}

/// What a runner holds, from what it was told and what it said: a pure state machine, without a process.
///
/// A runner trains one unit at a time; the models of earlier ones may still be being written.
struct RunnerLife: Sendable, Equatable {
    /// The unit that is on the device.
    private(set) var training: String?
    /// Units that are trained, whose models are not yet durable.
    private(set) var writing: Set<String> = []

    /// What an event means for those who feed the runner.
    enum Change: Sendable, Equatable {
        /// Nothing they must act on.
        case none
        /// The device is free for the next unit.
        case free
        /// The unit and everything it left is durable; the device is free by it only if nothing was trained (a probe).
        case finished(String, wasTraining: Bool)
        /// The unit was ended early as asked; its checkpoint holds so many epochs.
        case stopped(String, epochs: Int)
        /// The unit ended because few of its lanes are active, which its checkpoint holds after so many epochs; the models of
        /// the others are durable.
        case narrowed(String, epochs: Int, wasTraining: Bool)
        /// The unit failed; the device is free if it was being trained.
        case failed(String, code: String, message: String, wasTraining: Bool)
    }

    /// The unit was handed over.
    mutating func began(_ unit: String) {
        training = unit
    }

    /// The runner said something.
    mutating func heard(_ event: RunnerEvent) -> Change {
        guard let unit = event.unit else { return .none }
        switch event.what {
        case .trained:
            guard training == unit else { return .none }
            training = nil
            writing.insert(unit)
            return .free
        case .finished:
            // A probe is finished without ever having been trained.
            let wasTraining = training == unit
            if wasTraining { training = nil }
            writing.remove(unit)
            return .finished(unit, wasTraining: wasTraining)
        case .stopped(let epochs):
            guard training == unit else { return .none }
            training = nil
            return .stopped(unit, epochs: epochs)
        case .narrowed(let epochs):
            let wasTraining = training == unit
            guard wasTraining || writing.contains(unit) else { return .none }
            if wasTraining { training = nil }
            writing.remove(unit)
            return .narrowed(unit, epochs: epochs, wasTraining: wasTraining)
        case .failed(let code, let message):
            let wasTraining = training == unit
            guard wasTraining || writing.contains(unit) else { return .none }
            if wasTraining { training = nil }
            writing.remove(unit)
            return .failed(unit, code: code, message: message, wasTraining: wasTraining)
        case .ready, .started, .compiling, .compiled, .working, .beat, .epoch, .ended, .diverged, .best, .saved,
            .checkpoint, .evaluated:
            return .none
        }
    }

    /// The process is gone: the units that it held, none of which counts.
    mutating func ended() -> [String] {
        defer { self = RunnerLife() }
        return [training].compactMap { $0 } + writing.sorted()
    }

    /// Whether nothing is in its hands.
    var isIdle: Bool { training == nil && writing.isEmpty }
}
