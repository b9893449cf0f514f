import Files
import Ledger

/// A run that this process works on: its ledger, and the lock that keeps others away for as long as this lives.
final class OpenRun: Sendable {
    let ledger: Ledger
    private let lock: FileLock

    init(_ ledger: Ledger, _ lock: consuming FileLock) {
        self.ledger = ledger
        self.lock = lock
    }

    /// Closes the ledger, and notes what it is then.
    func close(in folder: RunFolder) throws {
        try ledger.close()
        try LedgerDigest(folder: folder).write()
    }
}
