import Execution
import Files
import Ledger
import SystemPackage

extension Terminal {
    /// The ledger of a run's folder for reading; what had to be done for it is said on standard error.
    static func ledger(of folder: String, inspects: Bool = true) throws -> Ledger {
        try RunFolder(Folder.absolute(FilePath(folder))).readLedger(inspects: inspects) { error("note: \($0)") }
    }
}
