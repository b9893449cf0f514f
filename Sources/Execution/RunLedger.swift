import Files
import FoundationEssentials
public import Ledger
import SystemPackage

/// A ledger's digest, written when it is closed whole and removed when it is opened: what has changed since without Pronghorn
/// is damaged, which SQLite alone would not see.
struct LedgerDigest {
    let folder: RunFolder

    private var path: FilePath { folder.path.appending("ledger.sha256") }
    private var ledger: FilePath { folder.path.appending(Ledger.fileName) }

    /// What the digest says of the ledger.
    enum Verdict {
        case sound, damaged, unknown
    }

    /// Compares; a ledger with a log beside it has not been closed.
    func judge() -> Verdict {
        guard let file = try? MappedFile(path) else { return .unknown }
        let text = file.withBytes { String(decoding: $0, as: UTF8.self) }
        guard let digest = text.split(separator: " ").first, digest.utf8.count == 64 else { return .unknown }
        guard let actual = try? Digest.sha256(file: ledger) else { return .damaged }
        return actual == digest ? .sound : .damaged
    }

    func write() throws {
        let text = "\(try Digest.sha256(file: ledger))  \(Ledger.fileName)\n"
        try AtomicFile.write(Array(text.utf8), to: path, durable: true)
    }

    func remove() throws {
        guard (try? FileStamp(of: path)) != nil else { return }
        try Folder.remove(own: path)
        try Folder.synchronize(folder.path)
    }
}

extension RunFolder {
    /// Opens the ledger for this process, which holds the run's lock; one that is gone or damaged is made anew from the units.
    ///
    /// - Parameter note: told what the user should know.
    func openLedger(note: (String) -> Void) throws -> Ledger {
        let digest = LedgerDigest(folder: self)
        let verdict = digest.judge()
        var ledger: Ledger?
        do {
            guard verdict != .damaged else {
                throw LedgerError(.corrupt, "\(path.appending(Ledger.fileName)) is not what it was when it was closed")
            }
            let opened = try Ledger.open(in: path.string)
            ledger = opened
            if verdict == .unknown {
                try opened.inspect()
                // A run whose process ended at once may have a ledger that lacks what its units have left.
                if let rebuilding = try? LedgerRebuilding(self), let why = try rebuilding.compare(opened) {
                    throw LedgerError(.corrupt, "\(opened.path) is not what the run's units left: \(why)")
                }
            }
        } catch let error as LedgerError where error.code == .absent || error.code == .corrupt {
            try? ledger?.close()
            ledger = nil
            note("\(error.message); it is made anew")
            note(try rebuild(after: error))
        }
        try digest.remove()
        return try ledger ?? Ledger.open(in: path.string)
    }

    /// Opens the ledger for reading, while another process may be at work on the run; one that is gone or damaged is made anew
    /// from the units.
    ///
    /// - Parameters:
    ///   - inspects: whether the whole of a ledger is looked through that was not closed since it was written.
    ///   - note: told what the user should know.
    public func readLedger(inspects: Bool = true, note: (String) -> Void) throws -> Ledger {
        do {
            let verdict = LedgerDigest(folder: self).judge()
            guard verdict != .damaged else {
                throw LedgerError(.corrupt, "\(path.appending(Ledger.fileName)) is not what it was when it was closed")
            }
            let ledger = try Ledger.openReadOnly(in: path.string)
            if verdict == .unknown, inspects { try ledger.inspect() }
            return ledger
        } catch let error as LedgerError where error.code == .absent || error.code == .corrupt {
            // What another process is at work on is its own to mend; it may just have begun to write.
            guard (try? FileStamp(of: trials)) != nil else { throw error }
            guard let lock = try? lock() else { return try Ledger.openReadOnly(in: path.string) }
            note("\(error.message); it is made anew")
            note(try rebuild(after: error))
            try LedgerDigest(folder: self).write()
            _ = consume lock
            return try Ledger.openReadOnly(in: path.string)
        }
    }

    private func rebuild(after error: LedgerError) throws -> String {
        let rebuilding: LedgerRebuilding
        do {
            rebuilding = try LedgerRebuilding(self)
        } catch {
            throw RunError(.machine, error.message, cause: error)
        }
        let said = try rebuilding.replace()
        try LedgerDigest(folder: self).remove()
        return said
    }
}
