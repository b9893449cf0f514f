import Files
import Ledger
import SystemPackage

/// The run's trials in the order of their numbers, a line of JSON each, in `trials.ndjson`: by it trials keep their numbers when
/// others are added, and a ledger that is lost can be made anew.
struct TrialList {
    static func write(_ trials: [TrialRecord], in folder: RunFolder) throws(FilesError) {
        let text = trials.map { "\($0.line)\n" }.joined()
        try AtomicFile.write(Array(text.utf8), to: folder.trials, durable: true)
    }

    /// The list; nil when there is none that can be read whole.
    static func read(in folder: RunFolder) -> [TrialRecord]? {
        guard let file = try? MappedFile(folder.trials) else { return nil }
        let text = file.withBytes { String(decoding: $0, as: UTF8.self) }
        let trials = text.split(separator: "\n").compactMap { try? TrialRecord(line: $0) }
        guard !trials.isEmpty, trials.count == text.utf8.count(where: { $0 == UInt8(ascii: "\n") }),
            trials.map(\.trial) == Array(trials.indices)
        else { return nil }
        return trials
    }
}
