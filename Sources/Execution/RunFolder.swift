import Files
import Ledger
public import SystemPackage

/// Where everything of a run stands.
///
/// ```
/// DIR/experiment.yaml      the experiment as it was when the run began
/// DIR/run.json             what the run was begun with, by which it can go on
/// DIR/trials.ndjson        the trials in the order of their numbers
/// DIR/ledger.sqlite        the record of trials, units, epochs
/// DIR/models/0042.keras    models; in folders of a thousand, models/003/3042.keras, where there are more
/// DIR/partitions/          partitions.json: what each trained on and validated on; rows.npy: the row numbers
/// DIR/csv/0042.csv         what `csv_logger` wrote, in folders as the models
/// DIR/ledger.sha256        the ledger's digest, while nobody is at work on the run
/// DIR/units/0007/          a unit: unit.json, rows.npy, events.ndjson, outcome.json
/// DIR/logs/cpu-0.log       what a runner wrote on standard error
/// DIR/summary.json         what the user's `summarize` function returned
/// ```
public struct RunFolder: Sendable {
    public let path: FilePath

    public init(_ path: FilePath) {
        self.path = path
    }

    /// The first of `runs/NAME`, `runs/NAME-2`, … in the current folder that is not there.
    public static func free(for name: String) -> FilePath {
        let first = FilePath("runs").appending(name)
        var path = first
        var number = 2
        while (try? FileStamp(of: path)) != nil {
            path = FilePath("\(first)-\(number)")
            number += 1
        }
        return path
    }

    public var experiment: FilePath { path.appending("experiment.yaml") }
    public var models: FilePath { path.appending("models") }
    public var units: FilePath { path.appending("units") }
    public var logs: FilePath { path.appending("logs") }
    public var partitions: FilePath { path.appending("partitions") }
    public var summary: FilePath { path.appending("summary.json") }

    /// What `experiment.yaml` holds, if it is there.
    var experimentText: String? {
        try? MappedFile(experiment).withBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether a run was begun in it.
    var holdsRun: Bool {
        [description, trials, path.appending("ledger.sqlite")].contains { (try? FileStamp(of: $0)) != nil }
    }

    /// Makes the folders.
    func create() throws(FilesError) {
        for folder in [path, models, units, logs] { try Folder.create(folder) }
    }

    var trials: FilePath { path.appending("trials.ndjson") }
    var description: FilePath { path.appending("run.json") }

    /// Takes the run for this process.
    ///
    /// - Throws: when another `pronghorn` is at work on it.
    func lock() throws(RunError) -> FileLock {
        do {
            return try FileLock(path.appending("lock"), wait: false)
        } catch let error where error.code == .locked {
            throw RunError(.request, "another pronghorn is at work on \(path)")
        } catch {
            throw RunError(.machine, "\(path) cannot be locked", cause: error)
        }
    }

    /// The first number that no unit has, nor had one whose folder is lost.
    func unitsBefore(_ ledger: Ledger) throws -> Int {
        let names = try Folder.list(units) + ledger.units().map(\.id)
        return names.compactMap { Int($0) }.max().map { $0 + 1 } ?? 0
    }

    /// A unit's folder.
    func unit(_ id: String) -> FilePath { units.appending(id) }

    /// What a runner's standard error goes to.
    func log(of device: String) -> FilePath {
        logs.appending("\(device.map { $0 == ":" ? "-" : $0 }.reduce(into: "") { $0.append($1) }).log")
    }

    /// A model file's path relative to the run's folder.
    func model(_ fileName: String, trial: Int, of count: Int) -> String {
        Self.sharded("models", fileName, trial: trial, of: count)
    }

    /// What the `number`-th `csv_logger`, from 1, writes of a trial.
    func csv(_ name: String, number: Int, trial: Int, of count: Int) -> FilePath {
        let file = number == 1 ? "\(name).csv" : "\(name)-\(number).csv"
        return path.pushing(FilePath(Self.sharded("csv", file, trial: trial, of: count)))
    }

    private static func sharded(_ folder: String, _ fileName: String, trial: Int, of count: Int) -> String {
        guard count > 1000 else { return "\(folder)/\(fileName)" }
        let shard = String(trial / 1000)
        return "\(folder)/\(String(repeating: "0", count: max(0, 3 - shard.count)))\(shard)/\(fileName)"
    }
}
