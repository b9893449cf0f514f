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
    ///   - train: carries it out.
    static func watch(
        _ view: RunView, experiment: Experiment, ending: Ending, stop: @escaping @Sendable () -> Void,
        train: () async throws -> RunSummary
    ) async throws {
        if ending == .events { Lease.hold(stop) }
        let signals = StopSignals {
            Terminal.error("stopping after the epoch at hand; once more stops now")
            stop()
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
final class StopSignals {
    private let sources: [any DispatchSourceSignal]

    init(_ ask: @escaping @Sendable () -> Void) {
        let asked = Atomic(0)
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                // Runners end when the pipe that this process holds closes.
                if asked.wrappingAdd(1, ordering: .relaxed).newValue > 1 { _exit(128 + number) }
                ask()
            }
            source.resume()
            return source
        }
    }

    func cancel() {
        for source in sources { source.cancel() }
    }
}
