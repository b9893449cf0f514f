import ArgumentParser
import Dispatch
import Execution
import Experiments
import Glibc
import Synchronization

/// A run as the command line carries it out: shown while it goes on, stopped by signals, told at its end.
enum RunShow {
    /// How a run's end is told.
    enum Ending {
        case table, json, events
    }

    /// - Parameters:
    ///   - stop: asks the run to end early.
    ///   - abandon: ends it at once, what is being trained going on later from the checkpoint that it has.
    ///   - train: carries it out.
    static func watch(
        _ view: RunView, experiment: Experiment, ending: Ending, grace: Double, stop: @escaping @Sendable () -> Void,
        abandon: @escaping @Sendable () -> Void, train: () async throws -> RunSummary
    ) async throws {
        if ending == .events { Lease.hold(stop) }
        let signals = StopSignals(grace: grace) { deadline in
            let word = deadline.map { ", at the latest in \($0) s" } ?? ""
            Terminal.error("stopping after the epoch at hand\(word); once more stops now")
            stop()
        } abandon: {
            Terminal.error("the epoch at hand takes too long; stopping now")
            abandon()
        }
        defer { signals.cancel() }
        let summary: RunSummary
        do {
            summary = try await train()
        } catch {
            view.close()
            throw error
        }
        view.close()
        switch ending {
        case .table: try SummaryText.show(summary, of: experiment)
        case .json: Terminal.line(try SummaryJSON(summary).text)
        case .events: Terminal.line(RunLine(SummaryJSON(summary)).text)
        }
        // What diverged is a finding about its hyperparameters, not a failure of the run.
        if summary.finished + summary.diverged < summary.trials {
            let left = summary.trials - summary.finished - summary.diverged - summary.failed
            if left > 0, ending != .events {
                Terminal.error(
                    "\(Quantity.count(left, "trial")) not trained to the end; go on with: pronghorn resume \(summary.output)"
                )
            }
            throw ExitCode(1)
        }
    }
}

/// The input of a process that says events: the line `stop`, and its end, ask the run to end early, since whoever reads the
/// events wants no more of them or is gone.
enum Lease {
    static func hold(_ stop: @escaping @Sendable () -> Void) {
        // A queue of its own: reading blocks its thread for as long as the run goes on.
        DispatchQueue(label: "lease").async {
            while let line = readLine() { if line == "stop" { break } }
            stop()
        }
    }
}

/// Ctrl-C and SIGTERM: the first asks, the second ends the process at once, and its runners with it.
///
/// SIGTERM comes before a machine is taken away, so that it has a deadline: shortly before it, training ends in the midst of
/// its epoch, and when it has passed the process ends in any case.
final class StopSignals {
    private let sources: [any DispatchSourceSignal]

    /// - Parameters:
    ///   - grace: seconds from SIGTERM to the process's end.
    ///   - ask: asks to end after the epoch; is told the seconds that are left, if there is a limit.
    ///   - abandon: asks to end at once.
    init(
        grace: Double, _ ask: @escaping @Sendable (_ deadline: Double?) -> Void,
        abandon: @escaping @Sendable () -> Void
    ) {
        let asked = Atomic(0)
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                // Runners end when the pipe that this process holds closes.
                if asked.wrappingAdd(1, ordering: .relaxed).newValue > 1 { _exit(128 + number) }
                ask(number == SIGTERM ? grace : nil)
                guard number == SIGTERM else { return }
                let queue = DispatchQueue.global()
                queue.asyncAfter(deadline: .now() + Self.patience(grace), execute: abandon)
                queue.asyncAfter(deadline: .now() + grace) { _exit(128 + number) }
            }
            source.resume()
            return source
        }
    }

    /// Seconds that an epoch is waited for: what is left of the grace is for the ledger and the files.
    static func patience(_ grace: Double) -> Double { max(grace / 2, grace - 5) }

    func cancel() {
        for source in sources { source.cancel() }
    }
}
