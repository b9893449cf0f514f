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
                // What has ended is told at once: whoever waits for it may hear nothing more until he goes on.
                guard event.endsTrials || (line == nil && state.isDue()) else { return }
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
    /// Whether trials have ended.
    fileprivate var endsTrials: Bool {
        switch self {
        case .unitFinished, .unitFailed, .trialsFailed: true
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
    private var trials = 0
    private var ended = 0
    private var failed = 0
    private var epochsPerTrial = 0
    private var trialEpochs = 0
    private var firstUnit: ContinuousClock.Instant?

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
        switch event {
        case .preparing(let what):
            preparing = what
            return what
        case .note(let text): return "note: \(text)"
        case .planned(let plan):
            preparing = nil
            trials = plan.trials.count
            return "\(plan.experiment): \(Quantity.count(plan.trials.count, "trial")), "
                + "\(Quantity.count(plan.programs.count, "program")), \(Quantity.count(plan.cohorts, "cohort")), "
                + (plan.fitTrials > 0 ? "\(Quantity.count(plan.fitTrials, "trial")) by Model.fit, " : "")
                + "on \(plan.devices.map(\.name).joined(separator: ", "))"
        case .runnerStarted(let device, let process):
            touch(device) { $0.doing = "starting" }
            return "\(device): runner \(process) started"
        case .unitStarted(let device, let unit, let trials, let epochs):
            firstUnit = firstUnit ?? .now
            // What goes on from a checkpoint has fewer.
            epochsPerTrial = max(epochsPerTrial, epochs)
            touch(device) { $0 = DeviceState(doing: "unit \(unit)", trials: trials, epochs: epochs) }
            return "\(device): unit \(unit), \(Quantity.count(trials, "trial"))"
        case .compiling(let device, let function):
            touch(device) { $0.doing = "compiling \(function.prefix { $0 != "-" && $0 != "." })" }
            return nil
        case .epoch(let device, let unit, _, let metrics):
            trialEpochs += devices[device]?.trials ?? 0
            touch(device) { state in
                state.doing = "unit \(unit)"
                state.epoch += 1
                state.metrics = metrics
            }
            return nil
        case .unitFinished(let device, let unit, let trials, let diverged, let seconds):
            ended += trials
            // Trials that callbacks have ended need no more epochs.
            if let state = devices[device], state.doing == "unit \(unit)" {
                trialEpochs += trials * max(0, state.epochs - state.epoch)
            }
            return
                "\(device): unit \(unit) finished, \(Quantity.count(trials, "trial")) in \(Quantity.seconds(seconds))"
                + (diverged > 0 ? "; \(diverged) diverged" : "")
        case .trialsFailed(let trials, let message):
            ended += trials
            failed += trials
            return "\(Quantity.count(trials, "trial")) FAILED: \(message)"
        case .unitFailed(let device, let unit, let trials, let message):
            ended += trials
            failed += trials
            return "\(device): unit \(unit) FAILED, \(Quantity.count(trials, "trial")): \(message)"
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
            trials: trials, ended: ended, failed: failed, epochsDone: trialEpochs, epochs: trials * epochsPerTrial,
            metrics: metrics)
    }

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
        if trials > 0 {
            let total = Double(trials * max(epochsPerTrial, 1))
            let share = min(1, Double(trialEpochs) / total)
            let elapsed = (now - (firstUnit ?? now)) / .seconds(1)
            let left = share > 0.02 ? "  \(Quantity.seconds(elapsed / share * (1 - share))) left" : ""
            let failures = failed > 0 ? ", \(failed) failed" : ""
            lines.append(
                cut(
                    "\(padded("all", 8)) \(bar(share, 20)) \(ended)/\(trials) trials\(failures)  \(Quantity.seconds((now - began) / .seconds(1)))\(left)",
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
