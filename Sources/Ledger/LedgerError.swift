import GRDB

/// What went wrong with a run's ledger.
public struct LedgerError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure, for programs.
    public var code: Code
    /// What happened, to what, and what to do.
    public var message: String
    /// The error underneath, where there is one.
    public var cause: (any Error)?

    /// Makes an error.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message, with the cause behind it.
    public var description: String {
        guard let cause else { return message }
        return "\(message) (\(cause))"
    }
}

extension LedgerError {
    /// The kinds of failure.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The code's name, as it appears in logs.
        public let description: String

        /// There is no ledger in the folder.
        public static let absent = Code(description: "absent")
        /// There is a ledger already where a new one was to be made.
        public static let exists = Code(description: "exists")
        /// The file is not a ledger, or it is torn.
        public static let corrupt = Code(description: "corrupt")
        /// The file was written by a later version of Pronghorn.
        public static let newer = Code(description: "newer")
        /// The ledger was opened for reading, or its folder does not take writes.
        public static let readOnly = Code(description: "readOnly")
        /// The disk is full.
        public static let diskFull = Code(description: "diskFull")
        /// Another process kept the ledger locked.
        public static let busy = Code(description: "busy")
        /// The disk failed or refused.
        public static let io = Code(description: "io")
        /// What was asked does not fit the ledger: an unknown trial, metric or key.
        public static let badRequest = Code(description: "badRequest")
    }
}

extension LedgerError {
    /// The error that SQLite's answer means for somebody who did `what` with the ledger at `path`.
    static func wrap(_ error: any Error, _ what: String, _ path: String) -> LedgerError {
        if let error = error as? LedgerError { return error }
        guard let database = error as? DatabaseError else {
            return LedgerError(.io, "\(what) failed for the ledger \(path)", cause: error)
        }
        switch database.resultCode {
        case .SQLITE_NOTADB, .SQLITE_CORRUPT:
            return LedgerError(
                .corrupt, "\(what) failed: \(path) is damaged or is no ledger; set the file aside to go on without it",
                cause: error)
        case .SQLITE_FULL:
            return LedgerError(
                .diskFull, "\(what) failed: the disk of \(path) is full; make space and resume the run", cause: error)
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            return LedgerError(
                .readOnly, "\(what) failed: \(path) can't be written; check the permissions of its folder",
                cause: error)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return LedgerError(
                .busy, "\(what) failed: another process holds \(path) locked; try again when it is done", cause: error)
        default:
            return LedgerError(
                .io, "\(what) failed for the ledger \(path); check that its disk is there and works", cause: error)
        }
    }
}
