import Files
import FoundationEssentials
import GRDB

/// A run's record: its trials, units, attempts, every epoch's metrics and the devices' times, in one SQLite file.
///
/// One process writes; any number may read meanwhile (WAL). What must survive a loss of power is committed with
/// `synchronous=FULL`; the rest (epochs, attempts' beginnings, busy times) becomes durable with the next such commit. The methods block
/// for the time of one transaction and may be called from any thread.
public struct Ledger: Sendable {
    /// The ledger's file name in the run's folder.
    public static let fileName = "ledger.sqlite"

    /// The file's path; `:memory:` for a ledger of `inMemory()`.
    public let path: String

    private let writer: any DatabaseWriter
    private let journal: Journal

    enum Journal: Sendable {
        /// Write-ahead log: readers and the writer don't wait for each other.
        case wal
        /// A rollback journal, where no memory can be shared.
        case delete
        /// Opened for reading only.
        case none
    }
}

// MARK: - Opening

extension Ledger {
    /// Makes the ledger of a run in its folder, which exists.
    ///
    /// Throws `exists` when there is one already.
    public static func create(in folder: String) throws(LedgerError) -> Ledger {
        let path = path(in: folder)
        guard !fileExists(path) else {
            throw LedgerError(.exists, "\(path) is there already: resume that run or choose another output folder")
        }
        return try Ledger(path: path, sharesMemory: SharedMemory.isReliable(in: folder))
    }

    /// Opens the ledger in a run's folder for writing, and brings an older one's tables up to date.
    ///
    /// Throws `absent`, `newer` or `corrupt` when it can't.
    public static func open(in folder: String) throws(LedgerError) -> Ledger {
        let path = try existing(in: folder)
        return try Ledger(path: path, sharesMemory: SharedMemory.isReliable(in: folder))
    }

    /// Opens the ledger in a run's folder for reading, while another process may write to it.
    ///
    /// Throws `absent`, and makes no file, when there is none.
    public static func openReadOnly(in folder: String) throws(LedgerError) -> Ledger {
        try Ledger(readingAt: existing(in: folder))
    }

    /// A ledger that is gone with the value, for tests and for what leaves no run behind.
    public static func inMemory() throws(LedgerError) -> Ledger {
        let path = ":memory:"
        do {
            let queue = try DatabaseQueue(configuration: configuration())
            try Schema.migrator.migrate(queue)
            return Ledger(path: path, writer: queue, journal: .delete)
        } catch {
            throw .wrap(error, "Making a ledger", path)
        }
    }

    init(path: String, sharesMemory: Bool) throws(LedgerError) {
        do {
            let (writer, journal) = try Self.connect(to: path, sharesMemory: sharesMemory)
            let isNewer = try writer.read { db in try Schema.migrator.hasBeenSuperseded(db) }
            if isNewer { throw Self.newer(path) }
            try Schema.migrator.migrate(writer)
            self.init(path: path, writer: writer, journal: journal)
        } catch {
            throw .wrap(error, "Opening the ledger", path)
        }
    }

    private init(readingAt path: String) throws(LedgerError) {
        var configuration = Self.configuration()
        configuration.readonly = true
        do {
            let queue: DatabaseQueue
            do {
                queue = try Self.readable(path, path, configuration)
            } catch let error as DatabaseError where Self.canBeImmutable(path, error) {
                // A WAL ledger on a disk that takes no writes: its log was folded in when the run ended, so the file alone is whole.
                queue = try Self.readable(Self.immutableURI(path), path, configuration)
            }
            self.init(path: path, writer: queue, journal: .none)
        } catch {
            throw .wrap(error, "Opening the ledger", path)
        }
    }

    private static func connect(
        to path: String, sharesMemory: Bool
    ) throws -> (writer: any DatabaseWriter, journal: Journal) {
        if sharesMemory {
            do {
                return (try DatabasePool(path: path, configuration: configuration()), .wal)
            } catch let error as DatabaseError where error.resultCode != .SQLITE_NOTADB {
                // Some file systems that are not known by their type refuse WAL; the journal below says whether more is wrong.
            }
        }
        let queue = try DatabaseQueue(path: path, configuration: configuration())
        try queue.writeWithoutTransaction { db in
            // With an exclusive lock a WAL file from a better disk can be folded in without shared memory.
            try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE")
            try db.execute(sql: "PRAGMA locking_mode = NORMAL")
            // The lock is only given back by the next read.
            _ = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_master")
            guard mode == "delete" else {
                throw LedgerError(.busy, "\(path) is open in another process and can't leave WAL mode")
            }
        }
        return (queue, .delete)
    }

    private static func readable(
        _ name: String, _ path: String, _ configuration: Configuration
    ) throws -> DatabaseQueue {
        let queue = try DatabaseQueue(path: name, configuration: configuration)
        try queue.read { db in
            if try Schema.migrator.hasBeenSuperseded(db) { throw newer(path) }
            // What later migrations add is absent from an older run's ledger, which stays as it is.
            guard try Schema.migrator.appliedIdentifiers(db).contains(Schema.first) else {
                throw LedgerError(.absent, "\(path) holds no run yet: try again in a moment")
            }
        }
        return queue
    }

    private static func canBeImmutable(_ path: String, _ error: DatabaseError) -> Bool {
        let codes: [ResultCode] = [.SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_IOERR]
        return codes.contains(error.resultCode) && !fileExists(path + "-wal")
    }

    /// SQLite's URI for a file that nobody changes, so that it is read without locks and without files beside it.
    static func immutableURI(_ path: String) -> String {
        var uri = "file:"
        for character in path {
            switch character {
            case "%": uri += "%25"
            case "?": uri += "%3f"
            case "#": uri += "%23"
            default: uri.append(character)
            }
        }
        return uri + "?immutable=1"
    }

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        // A reader in rollback-journal mode holds the writer up, and the other way round, for a moment.
        configuration.busyMode = .timeout(20)
        configuration.label = "ledger"
        return configuration
    }

    private static func newer(_ path: String) -> LedgerError {
        LedgerError(.newer, "\(path) was written by a later version of Pronghorn: update to read it")
    }

    private static func path(in folder: String) -> String {
        folder.hasSuffix("/") ? folder + fileName : folder + "/" + fileName
    }

    private static func existing(in folder: String) throws(LedgerError) -> String {
        let path = path(in: folder)
        guard fileExists(path) else {
            throw LedgerError(.absent, "There is no run in \(folder): it holds no \(fileName)")
        }
        return path
    }

    private static func fileExists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path)
    }

    /// Closes the file, which folds the log into it; without it that happens with the last copy of the value.
    public func close() throws(LedgerError) {
        do {
            // The last connection to close folds the log in, and a reader can't.
            (writer as? DatabasePool)?.invalidateReadOnlyConnections()
            try writer.close()
        } catch {
            throw .wrap(error, "Closing the ledger", path)
        }
    }
}

// MARK: - Transactions

extension Ledger {
    /// Runs `body` in one transaction, which is on the disk when this returns if `durable`.
    func write(_ what: String, durable: Bool = true, _ body: (Database) throws -> Void) throws(LedgerError) {
        if journal == .none {
            throw LedgerError(.readOnly, "\(what) failed: the ledger \(path) was opened for reading")
        }
        do {
            try writer.writeWithoutTransaction { db in
                // Without WAL a commit that is not synced could tear the file, not only be lost.
                let level = durable || journal == .delete ? "FULL" : "NORMAL"
                try db.execute(sql: "PRAGMA synchronous = \(level)")
                try db.inTransaction(.immediate) {
                    try body(db)
                    WriteBoundary.beforeCommit.pass()
                    return .commit
                }
                WriteBoundary.afterCommit.pass()
            }
        } catch {
            throw .wrap(error, what, path)
        }
    }

    /// Runs `body` on one state of the ledger, whatever is written meanwhile.
    func read<T>(_ what: String, _ body: (Database) throws -> T) throws(LedgerError) -> T {
        do {
            return try writer.read(body)
        } catch {
            throw .wrap(error, what, path)
        }
    }
}
