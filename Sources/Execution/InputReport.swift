import Files
import FoundationEssentials
public import Ledger
public import SystemPackage
import TensorFiles
import Units

/// What a run's data cost it: how large they are and where they lie, and how long training waited for rows.
public struct InputReport: Sendable {
    /// A file that rows are read from.
    public struct File: Sendable, Hashable {
        public var path: String
        /// Bytes of the arrays in it.
        public var bytes: Int
        /// Whether it is a copy that Pronghorn made in its cache.
        public var isCopy: Bool
        /// Whether devices keep all of it in their memory.
        public var isResident: Bool
    }

    /// The files of all arrays, the largest first.
    public var files: [File] = []
    /// Units that have been trained to their end as programs.
    public var units = 0
    /// Seconds that they trained, and how many of those no row was there to train on; nil where no unit says so.
    public var trainSeconds = 0.0
    public var waitSeconds: Double?
    /// Whether rows are taken in an order that goes all over the files.
    public var isShuffled = false

    /// Bytes that are mapped, once a machine.
    public var mappedBytes: Int { files.reduce(0) { $0 + $1.bytes } }
    /// Bytes of those that are copies in the cache.
    public var copiedBytes: Int { files.reduce(0) { $0 + ($1.isCopy ? $1.bytes : 0) } }
    /// Bytes that each device keeps.
    public var residentBytes: Int { files.reduce(0) { $0 + ($1.isResident ? $1.bytes : 0) } }
    /// The share of training that was spent waiting, from 0 to 1.
    public var waitShare: Double? {
        waitSeconds.map { trainSeconds > 0 ? min(1, $0 / trainSeconds) : 0 }
    }

    init(
        files: [File] = [], units: Int = 0, trainSeconds: Double = 0, waitSeconds: Double? = nil,
        isShuffled: Bool = false
    ) {
        self.files = files
        self.units = units
        self.trainSeconds = trainSeconds
        self.waitSeconds = waitSeconds
        self.isShuffled = isShuffled
    }

    /// A share of waiting from which on it is worth doing something.
    static let muchWaiting = 0.1

    /// Why training waits for rows and what would help, a sentence each; empty where it hardly waits.
    ///
    /// - Parameter memory: bytes of the machine's memory.
    public func advice(memory: Int) -> [String] {
        guard let share = waitShare, share >= Self.muchWaiting else { return [] }
        var advice: [String] = []
        if mappedBytes - residentBytes > memory {
            advice.append(
                "the data are larger than the machine's memory, so that rows come from the disk in every epoch")
            if isShuffled {
                advice.append(
                    "fit.shuffle takes rows from all over the files: with {window: ROWS} it takes them from a few places at a time, "
                        + "which a disk reads many times as fast")
            }
        }
        if advice.isEmpty {
            advice.append(
                "the rows are in memory, and gathering them takes as long as it does because each of them trains for a short time: "
                    + "a larger fit.batch_size, or data in a smaller type, makes it less")
        }
        return advice
    }
}

extension InputReport {
    /// Reads what the units of a run were given, and what they said.
    ///
    /// - Parameters:
    ///   - run: the run's folder.
    ///   - ledger: its ledger, as `RunFolder.readLedger` opens it.
    ///   - listens: whether what they said is wanted, too; without it only the data's sizes are known.
    public init(of run: FilePath, _ ledger: Ledger, listens: Bool = true) throws(LedgerError) {
        self.init()
        let folder = RunFolder(run)
        let cache = CacheFolder.path().string
        var known: [String: File] = [:]
        for record in try ledger.units() {
            // What was removed, or is being written, tells nothing.
            guard let unit = try? Unit.read(record.id, in: folder) else { continue }
            isShuffled = isShuffled || unit.fit.shuffle == .rows
            for source in unit.sources {
                for array in source.arrays {
                    known["\(array.file):\(array.offset)"] = File(
                        path: array.file, bytes: DType(rawValue: array.dtype)?.byteCount(of: array.shape) ?? 0,
                        isCopy: array.file.hasPrefix(cache + "/"),
                        isResident: source.isResident ?? false)
                }
            }
            guard listens else { continue }
            for event in RunnerEvent.record(in: folder.unit(record.id)) {
                guard case .trained(let seconds, let input) = event.what, let input else { continue }
                units += 1
                trainSeconds += seconds
                waitSeconds = (waitSeconds ?? 0) + input
            }
        }
        files = known.values.sorted { ($1.bytes, $0.path) < ($0.bytes, $1.path) }
    }
}
