import ArgumentParser
import Execution
import Files
import FoundationEssentials
import Ledger
import SystemPackage

/// Prints what runners wrote while they were at work on a trial.
struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Prints what runners wrote while they were at work on a trial, attempt by attempt.",
        discussion: """
            Each attempt has a heading: its unit, its device, when it began and how it ended. A unit's log is that of all
            trials that were in it. A trial of Model.fit has its exceptions whole, and what your code printed.

              pronghorn logs runs/digits 7
              pronghorn logs runs/digits 7 --lines 20      the last 20 lines of each attempt
            """)

    @Argument(help: "The run's folder.")
    var folder: String

    @Argument(help: "The trial's number.")
    var trial: Int

    @Option(help: "At most so many lines of each attempt, the last ones.")
    var lines: Int?

    func validate() throws {
        if let lines, lines < 1 { throw ValidationError("--lines must be at least 1") }
    }

    func run() async throws {
        try await Failure.reporting {
            let run = FilePath(folder)
            let ledger = try Terminal.ledger(of: folder)
            guard
                let result = try ledger.results(filter: TrialFilter(trials: [trial]), history: false).first
            else { throw Failure(.request, "there is no trial \(trial) in \(folder)") }
            let logs = try UnitLog.all(of: trial, in: run, ledger)
            for log in logs { try show(log) }
            if logs.isEmpty {
                Terminal.line("trial \(trial) is \(result.status.rawValue) and was never on a device")
            }
            if let message = result.message { Terminal.line("trial \(trial) \(result.status.rawValue): \(message)") }
        }
    }

    private func show(_ log: UnitLog) throws {
        let began = Date(timeIntervalSince1970: log.started).formatted(.iso8601)
        Terminal.line(
            "── unit \(log.unit) on \(log.device), \(Quantity.count(log.trials, "trial")), began \(began): \(log.outcome)"
        )
        if let message = log.message { Terminal.line("   \(message)") }
        if let lines {
            UnitLog.lastLines(lines, of: log.path).forEach(Terminal.line)
            return
        }
        guard let file = try? MappedFile(log.path) else { return Terminal.line("(no log was kept)") }
        if file.size == 0 { Terminal.line("(it wrote nothing)") }
        file.withBytes { bytes in
            Terminal.write(bytes)
            if let last = bytes.last, last != UInt8(ascii: "\n") { Terminal.line("") }
        }
    }
}
