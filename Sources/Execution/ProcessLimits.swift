import FoundationEssentials
import Glibc

/// What the system lets this process and its user have, against what a run needs.
struct ProcessLimits: Equatable {
    /// Files that a process may have open; nil: any number.
    var files: Int?
    /// Threads that the user may still start; nil: any number.
    var threads: Int?

    /// Files that the control process opens besides those of its runners: the ledger's, mapped data, caches.
    static let ownFiles = 64
    /// Files of a runner in the control process: three pipes, its log, and what starting it takes for a moment.
    static let filesARunner = 10
    /// Threads of this process, and those of a runner: the plugin's, its compiler's and its own.
    static let ownThreads = 32
    static let threadsARunner = 24

    /// Why so many runners cannot be had; nil where they can.
    func problem(runners: Int) -> String? {
        let neededFiles = Self.ownFiles + Self.filesARunner * runners
        if let files, files < neededFiles {
            return "a process may open \(files) files here, and \(Self.needs(runners)) \(neededFiles): "
                + Self.advice("ulimit -n", (files - Self.ownFiles) / Self.filesARunner)
        }
        let neededThreads = Self.ownThreads + Self.threadsARunner * runners
        if let threads, threads < neededThreads {
            return
                "this user may start \(max(0, threads)) more threads here, and \(Self.needs(runners)) \(neededThreads): "
                + Self.advice("ulimit -u", (threads - Self.ownThreads) / Self.threadsARunner)
        }
        return nil
    }

    private static func needs(_ count: Int) -> String { count == 1 ? "a runner needs" : "\(count) runners need" }

    private static func advice(_ limit: String, _ possible: Int) -> String {
        possible > 0
            ? "raise the limit (\(limit)), or use fewer devices (--devices cpu:\(possible))"
            : "raise the limit (\(limit))"
    }

    /// This process's own, after its limit of open files has been raised as far as it may raise it.
    static func current() -> ProcessLimits {
        var limits = ProcessLimits()
        var files = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 {
            var raised = files
            raised.rlim_cur = files.rlim_max
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { files = raised }
            limits.files = Int(exactly: files.rlim_cur)
        }
        var processes = rlimit()
        // The system does not hold root to this one.
        if getuid() != 0, getrlimit(__rlimit_resource_t(__RLIMIT_NPROC.rawValue), &processes) == 0,
            let most = Int(exactly: processes.rlim_cur)
        {
            limits.threads = most - threads(of: getuid())
        }
        return limits
    }

    /// The threads of all processes of a user, as `/proc` has them; 0 where it says nothing.
    static func threads(of user: uid_t, in processes: String = "/proc") -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: processes)) ?? []
        return names.filter { $0.allSatisfy(\.isNumber) }.reduce(0) { total, name in
            guard let data = FileManager.default.contents(atPath: "\(processes)/\(name)/status") else { return total }
            var count = 0
            var isTheirs = false
            for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
                let words = line.split(whereSeparator: \.isWhitespace)
                guard words.count > 1 else { continue }
                if words[0] == "Uid:" { isTheirs = words[1] == "\(user)" }
                if words[0] == "Threads:" { count = Int(words[1]) ?? 0 }
            }
            return total + (isTheirs ? count : 0)
        }
    }
}
