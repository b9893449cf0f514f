import Files
import FoundationEssentials
public import Ledger
public import SystemPackage
import Units

/// What a runner wrote on standard error while it was at work on a unit: one attempt at the unit's trials.
public struct UnitLog: Sendable {
    public var unit: String
    public var device: String
    /// How many trials were in the unit.
    public var trials: Int
    /// Seconds since 1970.
    public var started: Double
    /// How the attempt ended: `finished`, `failed`, …; `running` while it goes on.
    public var outcome: String
    /// What there was to say of its end.
    public var message: String?
    /// The file; it is not there where nothing was kept.
    public var path: FilePath

    /// The attempts at a trial, in their order.
    ///
    /// - Parameter ledger: that of the run in the folder `run`.
    public static func all(of trial: Int, in run: FilePath, _ ledger: Ledger) throws -> [UnitLog] {
        let folder = RunFolder(run)
        return try ledger.units().filter { $0.trials.contains(trial) }.map { unit in
            let attempt = try ledger.attempts(of: unit.id).last
            return UnitLog(
                unit: unit.id, device: unit.device, trials: unit.trials.count, started: unit.started,
                outcome: attempt?.outcome ?? unit.status.rawValue, message: attempt?.message,
                path: folder.unit(unit.id).appending(Unit.logName))
        }
    }

    /// The end of a log: so many bytes, or fewer; a log that ran away is not read whole for its end.
    static func end(of log: FilePath, bytes: Int) -> String {
        guard let file = try? MappedFile(log) else { return "" }
        return file.withBytes { String(decoding: $0.suffix(bytes), as: UTF8.self) }
    }

    /// The last lines of a log, or fewer.
    public static func lastLines(_ count: Int, of log: FilePath) -> [String] {
        end(of: log, bytes: count * 2000).split(separator: "\n").suffix(count).map { String($0.prefix(2000)) }
    }

    /// The lines at the end of a log that say most of a failure, or fewer.
    public static func tellingLines(_ count: Int, of log: FilePath) -> [String] {
        tellingLines(count, of: end(of: log, bytes: 1 << 16))
    }

    static func tellingLines(_ count: Int, of text: String) -> [String] {
        var lines = text.split(separator: "\n").filter { line in !greetings.contains { line.contains($0) } }
        // Swift's backtrace stays in the log: what the process said itself stands before it.
        if let backtrace = lines.lastIndex(where: { $0.hasPrefix("*** Signal ") }) {
            let crash = lines[backtrace...].first { $0.contains("Program crashed") }
            lines = lines[..<backtrace] + [crash].compactMap { $0 }
        }
        return lines.suffix(count).map { String($0.prefix(2000)) }
    }

    /// What the plugin greets with, which says nothing of a failure.
    private static let greetings = ["absl::InitializeLog()", "pjrt_c_api_cpu_internal.cc"]
}
