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
}
