import Units

/// Tells a runner that is stuck from one that is slow: a pure state machine that knows no clock and no process.
///
/// It is told what the runner says and what the system says of the process, each with a time in seconds, and answers
/// whether the silence has lasted too long. How long that is depends on what the runner is at, and on whether the process
/// does anything at all: one that was stopped from outside will say nothing more; one that computes is slow rather than
/// stuck, and gets many times longer than one that sleeps.
///
/// The times are to come from `AttendedTime`, which stands still while this process does not run.
struct RunnerWatch: Sendable, Equatable {
    /// What the runner is at, as far as its silence goes.
    enum Work: Sendable, Equatable {
        /// The process has not said yet that it is ready.
        case starting
        /// Nothing is in its hands.
        case none
        /// Models are being written and made durable, which takes as long as the disk likes.
        case writing
        /// Something of which nobody knows how long it takes: reading a unit, compiling, a first call, a checkpoint.
        case announced
        /// Calls whose like has been measured.
        case calling
    }

    private(set) var work = Work.starting
    /// Seconds of the longest call, or of `Model.fit` the longest epoch, of the unit at hand; 0 before one was measured.
    private(set) var call = 0.0
    /// Whether it is `Model.fit` that trains, in whose midst the user's code may wait for anything.
    let isFit: Bool
    private var heardAt: Double
    /// Whether what the runner has said is still being dealt with, so that nobody listens.
    private var isDeaf = false
    /// When the process was first seen to be stopped, and has been since.
    private var stoppedSince: Double?

    init(isFit: Bool, at time: Double) {
        self.isFit = isFit
        heardAt = time
    }

    // MARK: What happens

    /// A unit was handed over.
    mutating func began(at time: Double) {
        if work != .starting { work = .announced }
        call = 0
        heardAt = time
    }

    /// The runner has said something, which is now being dealt with: no silence counts until `listens`.
    mutating func hears() {
        isDeaf = true
    }

    /// What the runner said has been dealt with, and the next word is waited for.
    ///
    /// - Parameter life: what is in the runner's hands after the event.
    mutating func listens(after event: RunnerEvent?, _ life: RunnerLife, at time: Double) {
        isDeaf = false
        heardAt = time
        guard let event else { return }
        switch event.what {
        case .ready: work = life.training == nil ? resting(life) : .announced
        case .trained, .finished, .stopped, .narrowed, .failed:
            work = life.training == nil ? resting(life) : work
        case _ where event.unit != life.training || event.unit == nil: break
        case .started, .compiling, .compiled, .working: work = .announced
        case .beat(_, _, _, let seconds):
            work = .calling
            call = max(call, seconds ?? 0)
        case .epoch(_, let seconds, _, _) where isFit:
            work = .calling
            call = max(call, seconds)
        case .checkpoint: work = call > 0 ? .calling : .announced
        // What is saved is written beside the training, and says nothing of it.
        case .epoch, .ended, .diverged, .best, .saved, .evaluated: break
        }
    }

    private func resting(_ life: RunnerLife) -> Work { life.isIdle ? .none : .writing }

    // MARK: The answer

    /// What the system says of the process.
    enum Sign: Sendable, Equatable, CaseIterable {
        /// Stopped by a signal: it does nothing until another lets it go on.
        case stopped
        /// Held by a debugger, whose user knows better.
        case traced
        /// All its threads sleep.
        case asleep
        /// It computes, or waits for a disk.
        case working
    }

    /// Whether the runner has been silent for too long.
    enum Verdict: Sendable, Equatable {
        case healthy
        /// It was silent for so many seconds, where at most so many were expected.
        case stuck(silence: Double, limit: Double)
    }

    /// Judges the silence, given what the process does now.
    mutating func judge(_ sign: Sign, at time: Double) -> Verdict {
        if sign == .stopped { stoppedSince = stoppedSince ?? time } else { stoppedSince = nil }
        guard !isDeaf, let limit = limit(sign) else { return .healthy }
        var silence = time - heardAt
        // A process may be stopped long after its last word: what it did before is no part of it.
        if let stoppedSince { silence = min(silence, time - stoppedSince + Self.attention) }
        return silence > limit ? .stuck(silence: silence, limit: limit) : .healthy
    }

    /// After how many seconds of silence so far the process is worth a look.
    func isWorthALook(at time: Double) -> Bool {
        !isDeaf && work != .none && (stoppedSince != nil || time - heardAt >= Self.attention)
    }

    /// Seconds of silence that are no reason to look at the process.
    private static let attention = 0.75

    /// The seconds of silence that are allowed; nil where there is no limit.
    func limit(_ sign: Sign) -> Double? {
        switch (sign, work) {
        case (.traced, _), (_, .none): nil
        // It is to be replaced within three times a call and three seconds, some of which noticing takes.
        case (.stopped, _): isFit ? 1.5 : 3 * call + 1.5
        case (.asleep, .calling): isFit ? 3 * call + 600 : 3 * call + 30
        case (.working, .calling): 30 * call + 600
        case (.asleep, _): 900
        case (.working, _): 7200
        }
    }
}

/// Seconds during which this process has been able to attend to others.
///
/// Whoever was stopped, or starved by an overloaded machine, has heard nothing meanwhile, and must not hold that against
/// those it listens to: a stretch between two ticks counts at most as two ticks that come on time.
struct AttendedTime: Sendable, Equatable {
    /// Seconds between ticks that come on time.
    let interval: Double
    private(set) var seconds = 0.0
    private var last: Double?

    init(interval: Double) {
        self.interval = interval
    }

    /// A tick, at so many seconds of a clock that never goes back.
    mutating func tick(at time: Double) {
        if let last { seconds += min(max(0, time - last), 2 * interval) }
        last = time
    }
}
