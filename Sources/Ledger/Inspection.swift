import FoundationEssentials
import GRDB

extension Ledger {
    /// Reads the whole ledger and sees whether it is sound: SQLite's own check of its structure, the type of every value,
    /// and what the texts hold.
    ///
    /// Throws `corrupt` when it is not. SQLite keeps no checksums, so that a number that became another number is not seen.
    public func inspect() throws(LedgerError) {
        do throws(LedgerError) {
            try read("Inspecting the ledger") { db in
                let complaints = try String.fetchAll(db, sql: "PRAGMA integrity_check(3)")
                guard complaints == ["ok"] else { throw damaged(complaints.joined(separator: "; ")) }
                for table in try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'table'") {
                    try inspect(table, db)
                }
            }
            try forEachResult { _ in }
            _ = try units()
            guard try run() != nil else {
                throw LedgerError(.absent, "\(path) holds no run yet: try again in a moment")
            }
        } catch {
            if error.code == .corrupt || error.code == .absent { throw error }
            throw LedgerError(.corrupt, "\(path) is damaged", cause: error)
        }
    }

    private func inspect(_ table: String, _ db: Database) throws {
        let columns = try db.columns(in: table)
        let wrong = columns.map { column in
            let types: [String] =
                switch column.type {
                case "INTEGER": ["integer"]
                case "REAL": ["real", "integer"]
                default: ["text"]
                }
            let accepted = types.map { "'\($0)'" } + (column.isNotNull || column.primaryKeyIndex > 0 ? [] : ["'null'"])
            return "typeof(\"\(column.name)\") NOT IN (\(accepted.joined(separator: ", ")))"
        }
        let sql = "SELECT COUNT(*) FROM \"\(table)\" WHERE \(wrong.joined(separator: " OR "))"
        let count = try Int.fetchOne(db, sql: sql) ?? 0
        if count > 0 { throw damaged("\(count) rows of \(table) hold values of the wrong type") }
    }

    private func damaged(_ what: String) -> LedgerError { LedgerError(.corrupt, "\(path) is damaged: \(what)") }

    /// What this ledger lacks or says otherwise than one that was made anew from what the run's units left; nil when it can
    /// be relied on.
    ///
    /// This one may know more: what was recorded after the units' own records were last brought to the disk.
    public func disagreement(with other: Ledger) throws(LedgerError) -> String? {
        let mine = try results(history: false)
        let others = try other.results(history: false)
        guard mine.count == others.count else { return "it has \(mine.count) trials of \(others.count)" }
        for (mine, other) in zip(mine, others) {
            if mine.name != other.name || mine.plan.seed != other.plan.seed || mine.parameters != other.parameters
                || mine.plan.partitionLabel != other.plan.partitionLabel
            {
                return "trial \(other.trial) is another one"
            }
            guard other.status == .finished || other.status == .diverged else { continue }
            if mine.status != other.status { return "trial \(other.trial) is \(other.status.rawValue)" }
            if mine.model != other.model, mine.model != nil, other.model != nil {
                return "the model of trial \(other.trial) is \(other.model ?? "none")"
            }
        }
        let rows = try epochRows()
        for (key, row) in try other.epochRows() {
            if let known = rows[key], known.metrics != row.metrics {
                return "the metrics of epoch \(key.epoch) of trial \(key.trial) are others"
            }
        }
        return nil
    }

    /// Takes over the epochs that another ledger of the run counts and this one does not: a runner may have brought them to the
    /// disk, with the checkpoint that they led to, when nobody was there any more to record them.
    ///
    /// This one may hold such an epoch all the same, from a time before it was trained again.
    public func fill(from other: Ledger) throws(LedgerError) {
        let mine = try epochRows()
        let counted = try epochCounts()
        let counts = try other.epochCounts()
        let lacking = try other.epochRows().filter { key, _ in
            key.epoch < counts[key.trial] ?? 0 && (mine[key] == nil || key.epoch >= counted[key.trial] ?? 0)
        }
        if lacking.isEmpty { return }
        try write("Recording epochs that were not recorded") { db in
            for (key, row) in lacking.sorted(by: { ($0.key.trial, $0.key.epoch) < ($1.key.trial, $1.key.epoch) }) {
                try db.execute(
                    sql: "INSERT OR REPLACE INTO epochs (trial, epoch, seconds, metrics) VALUES (?, ?, ?, ?)",
                    arguments: [key.trial, key.epoch, row.seconds, row.metrics])
                try db.execute(
                    sql: "UPDATE trials SET epochs = MAX(epochs, ?) WHERE trial = ?",
                    arguments: [key.epoch + 1, key.trial])
            }
        }
    }

    private struct EpochKey: Hashable {
        var trial: Int
        var epoch: Int
    }

    private func epochCounts() throws(LedgerError) -> [Int: Int] {
        Dictionary(try results(history: false).map { ($0.trial, $0.epochs) }) { $1 }
    }

    private func epochRows() throws(LedgerError) -> [EpochKey: (seconds: Double, metrics: String)] {
        try read("Reading the epochs") { db in
            var found: [EpochKey: (seconds: Double, metrics: String)] = [:]
            let rows = try Row.fetchCursor(db, sql: "SELECT trial, epoch, seconds, metrics FROM epochs")
            while let row = try rows.next() { found[EpochKey(trial: row[0], epoch: row[1])] = (row[2], row[3]) }
            return found
        }
    }
}

extension Ledger {
    /// Gives a ledger that cannot be used another name, with the files that SQLite keeps beside it.
    ///
    /// - Returns: the new name; nil when there was no ledger.
    public static func setAside(in folder: String) throws(LedgerError) -> String? {
        let manager = FileManager.default
        let present = ["", "-wal", "-shm", "-journal"].filter {
            manager.fileExists(atPath: "\(folder)/\(fileName)\($0)")
        }
        if present.isEmpty { return nil }
        var number = 1
        func name(_ suffix: String) -> String { "\(fileName).unreadable-\(number)\(suffix)" }
        while ["", "-wal", "-shm", "-journal"].contains(where: { manager.fileExists(atPath: "\(folder)/\(name($0))") })
        {
            number += 1
        }
        do {
            // The log first: a new ledger must never stand beside the log of an old one.
            for suffix in present.reversed() {
                try manager.moveItem(atPath: "\(folder)/\(fileName)\(suffix)", toPath: "\(folder)/\(name(suffix))")
            }
        } catch {
            throw LedgerError(.io, "\(folder)/\(fileName) cannot be set aside", cause: error)
        }
        return name("")
    }
}
