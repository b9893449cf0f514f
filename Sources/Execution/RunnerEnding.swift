import FoundationEssentials
import Subprocess

/// Why a runner's process is gone, as far as it decides what becomes of its units.
enum RunnerEnding: Sendable, Equatable, CaseIterable {
    /// It ended itself, by a fault, a failed check or its exit: perhaps a trial of its cohort is to blame.
    case crash
    /// It did nothing any more and was ended for it: perhaps a trial is to blame.
    case stuck
    /// Somebody had stopped it by a signal, so that it was ended.
    case paused
    /// Somebody ended it by a signal.
    case killed
    /// The device failed under it.
    case lostDevice
    /// The system ended it for want of memory.
    case memory

    /// - Parameters:
    ///   - stuck: why it was ended by us, if it was.
    ///   - memoryKills: how many processes the system has ended for want of memory meanwhile.
    init(_ status: TerminationStatus, stuck: RunnerStuck?, memoryKills: Int) {
        switch status {
        case _ where stuck != nil: self = stuck?.isStopped == true ? .paused : .stuck
        case .signaled(9): self = memoryKills > 0 ? .memory : .killed
        // SIGHUP, SIGINT, SIGQUIT and SIGTERM: nothing that a program does to itself.
        case .signaled(1), .signaled(2), .signaled(3), .signaled(15): self = .killed
        case .exited(RunnerFailure.lostDeviceStatus): self = .lostDevice
        default: self = .crash
        }
    }
}

/// A runner that was silent for too long.
struct RunnerStuck: Sendable, Equatable, CustomStringConvertible {
    /// Seconds.
    var silence: Double
    /// Whether a signal had stopped it.
    var isStopped: Bool

    var description: String {
        let seconds = (silence * 10).rounded() / 10
        return isStopped ? "had been stopped by a signal for \(seconds) s" : "had done nothing for \(seconds) s"
    }
}

/// How many processes the system has ended for want of memory.
enum MemoryKills {
    /// The count of this process's control group, which its children share; of the whole machine where there is none.
    static func count() -> Int {
        var files = ["/proc/vmstat"]
        for line in lines(of: "/proc/self/cgroup") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            if parts[1].isEmpty {
                files.insert("/sys/fs/cgroup\(parts[2])/memory.events", at: 0)
            } else if parts[1].split(separator: ",").contains("memory") {
                files.insert("/sys/fs/cgroup/memory\(parts[2])/memory.oom_control", at: 0)
            }
        }
        return files.lazy.compactMap(kills).first ?? 0
    }

    /// The figure behind `oom_kill` in a file; nil where there is none.
    static func kills(in file: String) -> Int? {
        lines(of: file).lazy.compactMap { line in
            let words = line.split(separator: " ")
            return words.count == 2 && words[0] == "oom_kill" ? Int(words[1]) : nil
        }.first
    }

    private static func lines(of file: String) -> [Substring] {
        let data = FileManager.default.contents(atPath: file) ?? Data()
        return String(decoding: data, as: UTF8.self).split(separator: "\n")
    }
}

/// How often in a row a runner's process ended before it was ready: a pure state machine for one device.
struct RunnerStarts: Sendable, Equatable {
    private(set) var failures = 0

    /// Failures in a row after which no further start is tried.
    static let mostFailures = 3

    enum Verdict: Sendable, Equatable {
        case goOn
        /// The device, or what is needed to use it, is not there any more.
        case giveUp
    }

    /// A process has ended.
    mutating func ended(wasReady: Bool) -> Verdict {
        failures = wasReady ? 0 : failures + 1
        return failures >= Self.mostFailures ? .giveUp : .goOn
    }
}
