import Glibc
import Synchronization

/// A moment beside a step that makes something durable.
///
/// Tests end the process at one of them, and see that nothing is lost. In debug builds `PRONGHORN_TEST_KILL=NAME:COUNT` has
/// the process kill itself, by SIGKILL, when it passes the boundary for the COUNT-th time, and `PRONGHORN_TEST_BOUNDARIES=FILE`
/// has the name of each boundary that is passed appended to a file, a line each; ``observer`` is told within the process. Release
/// builds do nothing.
public enum WriteBoundary: String, CaseIterable, Sendable {
    /// A temporary file is complete, and nothing of it need be on the disk.
    case beforeFileSync = "file-sync.before"
    case afterFileSync = "file-sync.after"
    /// The temporary file of a file that is written whole takes its place.
    case beforeReplacing = "replacing.before"
    case afterReplacing = "replacing.after"
    /// A folder's entries go to the disk.
    case beforeFolderSync = "folder-sync.before"
    case afterFolderSync = "folder-sync.after"
    /// Everything on a file system goes to the disk.
    case beforeFileSystemSync = "file-system-sync.before"
    case afterFileSystemSync = "file-system-sync.after"
    /// A file is given another place.
    case beforeMove = "move.before"
    case afterMove = "move.after"
    /// A file of Pronghorn's own is removed.
    case beforeRemoval = "removal.before"
    case afterRemoval = "removal.after"
    /// A folder is made.
    case beforeFolder = "folder.before"
    case afterFolder = "folder.after"
    /// A transaction of the ledger is committed; after it, a durable one is on the disk.
    case beforeCommit = "commit.before"
    case afterCommit = "commit.after"

    #if DEBUG
        /// Is told which boundaries the task passes.
        @TaskLocal public static var observer: (@Sendable (WriteBoundary) -> Void)?
    #endif

    /// Says that the process passes here.
    public func pass() {
        #if DEBUG
            Self.observer?(self)
            BoundaryTest.shared?.passed(self)
        #endif
    }
}

#if DEBUG
    /// What a test has asked for in the environment.
    private struct BoundaryTest: ~Copyable {
        static let shared = BoundaryTest()

        private let fatal: (name: String, count: Int)?
        /// A file that is open for as long as the process lives; -1 for none.
        private let record: Int32
        private let passings = Atomic<Int>(0)

        private init?() {
            let words = getenv("PRONGHORN_TEST_KILL").map { String(cString: $0).split(separator: ":") }
            if let words, words.count == 2, let count = Int(words[1]) {
                fatal = (String(words[0]), count)
            } else {
                fatal = nil
            }
            let file = getenv("PRONGHORN_TEST_BOUNDARIES").map { String(cString: $0) }
            record = file.map { open($0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666) } ?? -1
            if fatal == nil, file == nil { return nil }
        }

        func passed(_ boundary: WriteBoundary) {
            if record >= 0 {
                let line = Array("\(boundary.rawValue)\n".utf8)
                _ = line.withUnsafeBytes { write(record, $0.baseAddress, $0.count) }
            }
            guard let fatal, fatal.name == boundary.rawValue else { return }
            if passings.add(1, ordering: .relaxed).newValue == fatal.count { kill(getpid(), SIGKILL) }
        }
    }
#endif
