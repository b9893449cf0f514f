import ArgumentParser
import FoundationEssentials
import Ledger

/// Says how far a run is, from any terminal.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Says how far a run is, from any terminal.")

    @Argument(help: "The run's folder.")
    var folder: String

    @Flag(help: "Prints one JSON object.")
    var json = false

    func run() async throws {
        try await Failure.reporting {
            let progress = try progress()
            if json { return try printJSON(progress) }
            let run = progress.run
            let counts = TrialStatus.allCases.compactMap { status in
                progress.counts[status].map { "\($0) \(status.rawValue)" }
            }
            Terminal.line("\(run.name): \(run.state.rawValue), \(Quantity.seconds(progress.elapsed))")
            Terminal.line("trials:  \(counts.joined(separator: ", ")) of \(progress.trials)")
            if progress.stoppedEarly > 0 { Terminal.line("stopped early by callbacks: \(progress.stoppedEarly)") }
            if progress.retries > 0 {
                Terminal.line(
                    "begun again: \(Quantity.count(progress.retried, "trial")), \(progress.retries) times in all")
            }
            Terminal.line("epochs:  \(progress.epochsDone) of \(progress.epochsPlanned)")
            if let padding = progress.padding {
                Terminal.line("padding: \(Quantity.fixed(padding * 100, 1))% of the steps of lanes")
            }
            for device in progress.devices {
                var text = device.unit.map { "unit \($0), \(Quantity.count(device.trials, "trial"))" } ?? "waits"
                if device.epochsPlanned > 0 { text += ", \(device.epochsDone) of \(device.epochsPlanned) epochs" }
                if run.state != .running { text = "busy \(Quantity.seconds(device.busySeconds))" }
                Terminal.line("\(device.device):  \(text)")
            }
        }
    }

    /// How far the run is; only a ledger that fails is looked through, since status is asked for often.
    private func progress() throws -> RunProgress {
        let now = Date().timeIntervalSince1970
        do {
            return try Terminal.ledger(of: folder, inspects: false).progress(at: now)
        } catch let error as LedgerError where error.code == .corrupt {
            return try Terminal.ledger(of: folder).progress(at: now)
        }
    }

    private func printJSON(_ progress: RunProgress) throws {
        struct Status: Encodable {
            var name: String
            var state: String
            var trials: Int
            var counts: [String: Int]
            var stoppedEarly: Int
            var retried: Int
            var retries: Int
            var epochsDone: Int
            var epochsPlanned: Int
            var padding: Double?
            var seconds: Double

            enum CodingKeys: String, CodingKey {
                case name, state, trials, counts, retried, retries, padding, seconds
                case stoppedEarly = "stopped_early"
                case epochsDone = "epochs_done"
                case epochsPlanned = "epochs_planned"
            }
        }
        let status = Status(
            name: progress.run.name, state: progress.run.state.rawValue, trials: progress.trials,
            counts: Dictionary(progress.counts.map { ($0.key.rawValue, $0.value) }) { $1 },
            stoppedEarly: progress.stoppedEarly, retried: progress.retried, retries: progress.retries,
            epochsDone: progress.epochsDone, epochsPlanned: progress.epochsPlanned,
            padding: progress.padding, seconds: progress.elapsed)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        Terminal.line(String(decoding: try encoder.encode(status), as: UTF8.self))
    }
}
