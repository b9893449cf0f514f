import FoundationEssentials
import Glibc

/// What the system shows of a process: whether it is stopped, sleeps or works.
struct ProcessSigns: Sendable {
    let process: pid_t
    /// Processor time at the last look, in clock ticks, and when that was.
    private var last: (ticks: UInt64, at: Double)?

    init(_ process: pid_t) {
        self.process = process
    }

    /// The share of a core from which on a process works: threads that only wake up to look take less.
    private static let leastShare = 0.03

    /// - Parameter time: seconds of a clock that never goes back.
    /// - Returns: nil when there is no such process any more.
    mutating func look(at time: Double) -> RunnerWatch.Sign? {
        guard let now = Self.status(of: "/proc/\(process)/stat") else { return nil }
        switch now.state {
        case "Z", "X", "x": return nil
        case "T": return .stopped
        case "t": return .traced
        default: break
        }
        defer { last = (now.ticks, time) }
        guard let last else { return .working }
        let seconds = Double(now.ticks &- last.ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
        if seconds > Self.leastShare * max(0, time - last.at) { return .working }
        return waitsForDisk ? .working : .asleep
    }

    private var waitsForDisk: Bool {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        return threads.contains { Self.status(of: "/proc/\(process)/task/\($0)/stat")?.state == "D" }
    }

    /// The state's letter and the processor time that `proc_pid_stat(5)` gives.
    private static func status(of path: String) -> (state: Character, ticks: UInt64)? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        // The name stands in parentheses and may hold any of them.
        let fields = String(decoding: data, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let state = fields[0].first else { return nil }
        return (state, (UInt64(fields[11]) ?? 0) + (UInt64(fields[12]) ?? 0))
    }
}
