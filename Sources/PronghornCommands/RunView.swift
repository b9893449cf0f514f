import Devices
import Execution
import Synchronization

/// What is shown of a run while it goes on: a live view on a terminal, plain lines elsewhere, events as JSON or nothing for
/// programs.
final class RunView: Sendable {
    /// How a run is shown.
    enum Style: Sendable {
        case live, plain, quiet, events
    }

    private let style: Style
    private let state: Mutex<RunState>

    /// The view that goes with how the end is told.
    convenience init(of ending: RunShow.Ending) {
        switch ending {
        case .table: self.init(Terminal.isInteractive ? .live : .plain)
        case .json: self.init(.quiet)
        case .events: self.init(.events)
        }
    }

    init(_ style: Style) {
        self.style = style
        state = Mutex(RunState(began: .now))
    }

    /// Shows an event.
    func show(_ event: RunEvent) {
        state.withLock { state in
            let line = state.take(event)
            switch style {
            case .quiet: return
            case .events:
                let line = RunLine(event)
                if let line { Terminal.line(line.text) }
                // What has ended is told at once: whoever waits for it may hear nothing more until he goes on. Where the run
                // stands when it is gone on with is told before anything is added to it.
                guard event.changesTrials || (line == nil && state.isDue()) else { return }
                Terminal.line(RunLine(state.progress).text)
            case .plain: if let line { Terminal.line(line) }
            case .live:
                // A line that stays is written above the view; the view itself is drawn at most ten times a second.
                let stays = line != nil && state.isLasting(event)
                guard state.isDue() || stays else { return }
                var text = state.drawnLines > 0 ? "\u{1b}[\(state.drawnLines)A\u{1b}[J" : ""
                if stays, let line { text += line + "\n" }
                let view = state.lines(at: .now, width: Terminal.width)
                text += view.map { $0 + "\n" }.joined()
                state.drawnLines = view.count
                Terminal.write(text)
            }
        }
    }

    /// Takes the view away, so that what follows stands where it was.
    func close() {
        guard style == .live || style == .events else { return }
        state.withLock { state in
            if style == .events { return Terminal.line(RunLine(state.progress).text) }
            if state.drawnLines > 0 { Terminal.write("\u{1b}[\(state.drawnLines)A\u{1b}[J") }
            state.drawnLines = 0
        }
    }
}

extension RunEvent {
    /// Whether there are other trials than before, or trials have ended.
    fileprivate var changesTrials: Bool {
        switch self {
        case .trials, .unitFinished, .unitFailed, .trialsFailed: true
        default: false
        }
    }
}

/// What is known of a run from its events.
struct RunState: Sendable {
    /// What a device does.
    struct DeviceState: Sendable {
        var doing = "starting"
        var trials = 0
        var epochs = 0
        var epoch = 0
        var metrics: [String: Double] = [:]
    }

    /// By a clock that nobody sets.
    let began: ContinuousClock.Instant
    private var drawn: ContinuousClock.Instant?
    var drawnLines = 0
    private var devices: [String: DeviceState] = [:]
    private var order: [String] = []
    private var preparing: String?
    private var planned = 0
    private var standing = RunStanding()
    /// When the first unit was begun, and the share of the run that had been trained by then.
    private var firstUnit: (at: ContinuousClock.Instant, share: Double)?

    init(began: ContinuousClock.Instant) { self.began = began }

    /// Whether it is time to draw again, as it is ten times a second; what is due is taken to be drawn.
    mutating func isDue() -> Bool {
        let now = ContinuousClock.now
        if let drawn, now - drawn < .milliseconds(100) { return false }
        drawn = now
        return true
    }

    /// Takes an event in, and says it in a line where it is worth one.
    mutating func take(_ event: RunEvent) -> String? {
        standing.take(event)
        switch event {
        case .trials: return nil
        case .preparing(let what):
            preparing = what
            return what
        case .note(let text): return "note: \(text)"
        case .planned(let plan):
            preparing = nil
            planned = plan.trials.count
            return "\(plan.experiment): \(Quantity.count(plan.trials.count, "trial")), "
                + "\(Quantity.count(plan.programs.count, "program")), \(Quantity.count(plan.cohorts, "cohort")), "
                + (plan.fitTrials > 0 ? "\(Quantity.count(plan.fitTrials, "trial")) by Model.fit, " : "")
                + "on \(plan.devices.map(\.name).joined(separator: ", "))"
        case .runnerStarted(let device, let process):
            touch(device) { $0.doing = "starting" }
            return "\(device): runner \(process) started"
        case .unitStarted(let device, let unit, let trials, let epochs):
            firstUnit = firstUnit ?? (.now, share)
            touch(device) {
                $0 = DeviceState(
                    doing: "unit \(unit)", trials: trials.count, epochs: epochs.upperBound, epoch: epochs.lowerBound)
            }
            return "\(device): unit \(unit), \(Quantity.count(trials.count, "trial"))"
        case .compiling(let device, let function):
            touch(device) { $0.doing = "compiling \(function.prefix { $0 != "-" && $0 != "." })" }
            return nil
        case .epoch(let device, let unit, let epoch, let metrics):
            touch(device) { state in
                state.doing = "unit \(unit)"
                state.epoch = epoch + 1
                state.metrics = metrics
            }
            return nil
        case .unitFinished(let device, let unit, let trials, let diverged, let seconds):
            return
                "\(device): unit \(unit) finished, \(Quantity.count(trials.count, "trial")) in \(Quantity.seconds(seconds))"
                + (diverged > 0 ? "; \(diverged) diverged" : "")
        case .trialsFailed(let trials, let message):
            return "\(Quantity.count(trials.count, "trial")) FAILED: \(message)"
        case .unitFailed(let device, let unit, let trials, let message):
            return "\(device): unit \(unit) FAILED, \(Quantity.count(trials.count, "trial")): \(message)"
        }
    }

    /// How far the run is, in numbers.
    var progress: RunLine.Progress {
        let doing = devices.values.filter { !$0.metrics.isEmpty }
        var metrics: [String: Double] = [:]
        for name in Set(doing.flatMap(\.metrics.keys)) {
            let values = doing.compactMap { $0.metrics[name] }
            metrics[name] = values.reduce(0, +) / Double(values.count)
        }
        return RunLine.Progress(
            trials: trials, ended: standing.ended, failed: standing.failed, epochsDone: standing.epochsDone,
            epochs: standing.epochs, metrics: metrics)
    }

    /// All trials of the run, as far as they are known yet.
    private var trials: Int { standing.trials > 0 ? standing.trials : planned }

    /// The share of the run that is trained, from 0 to 1.
    private var share: Double { Double(standing.epochsDone) / Double(max(standing.epochs, 1)) }

    /// Whether an event's line stays on a terminal.
    func isLasting(_ event: RunEvent) -> Bool {
        switch event {
        case .note, .planned, .trialsFailed, .unitFailed: true
        default: false
        }
    }

    private mutating func touch(_ device: String, _ change: (inout DeviceState) -> Void) {
        if devices[device] == nil { order.append(device) }
        change(&devices[device, default: DeviceState()])
    }

    /// The live view: a line a device, one for the whole.
    func lines(at now: ContinuousClock.Instant, width: Int) -> [String] {
        var lines: [String] = []
        for name in order.sorted() {
            guard let device = devices[name] else { continue }
            let metrics = device.metrics.sorted { $0.key < $1.key }
                .map { "\($0.key) \(Quantity.fixed($0.value, 4))" }.joined(separator: "  ")
            let progress =
                device.epochs > 0
                ? "\(bar(Double(device.epoch) / Double(device.epochs), 10)) epoch \(device.epoch)/\(device.epochs)  \(Quantity.count(device.trials, "trial"))"
                : ""
            lines.append(cut("\(padded(name, 8)) \(padded(device.doing, 20)) \(progress)  \(metrics)", to: width))
        }
        if let preparing { lines.append(cut("\(preparing) …", to: width)) }
        if standing.trials > 0 {
            let (share, before) = (share, firstUnit?.share ?? share)
            let elapsed = (now - (firstUnit?.at ?? now)) / .seconds(1)
            // By how fast it has gone since this process began.
            let trained = share - before
            let left =
                trained > 0.02 * (1 - before) ? "  \(Quantity.seconds(elapsed / trained * (1 - share))) left" : ""
            let failures = standing.failed > 0 ? ", \(standing.failed) failed" : ""
            lines.append(
                cut(
                    "\(padded("all", 8)) \(bar(share, 20)) \(standing.ended)/\(trials) trials\(failures)  \(Quantity.seconds((now - began) / .seconds(1)))\(left)",
                    to: width))
        }
        return lines
    }

    private func bar(_ share: Double, _ width: Int) -> String {
        let full = Int((min(share, 1) * Double(width)).rounded())
        return String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private func cut(_ text: String, to width: Int) -> String { String(text.prefix(max(20, width - 1))) }
}
