import Experiments
import Files
import FoundationEssentials
import SystemPackage

/// What a run was begun with, kept in its folder as `run.json`, so that it can go on.
struct RunDescription: Codable, Sendable {
    static let currentVersion = 1

    var version = RunDescription.currentVersion
    var experiment: Experiment
    /// What `experiment.yaml` is to hold; nil for an experiment that was made in code, and in what an older version wrote.
    ///
    /// When a run is given more, the file is written after this: either both count or none.
    var text: String?
    /// What the experiment's paths are relative to.
    var folder: String
    /// How many devices there were, by which `partition: {count: devices}` divided the rows.
    var devices: Int
    var checkpointSeconds: Double
    /// Bytes of a device's memory that data may take: what was packed by it goes on so.
    var dataMemory: Int?
    /// When the run began, in seconds since 1970, by which version of the tool, and on which devices: for a ledger that is lost.
    var created: Double?
    var tool: String?
    var deviceNames: [String]?
    /// How many trials it was begun with, where others were added.
    var firstTrials: Int?

    func write(to path: FilePath) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(Array(try encoder.encode(self)), to: path, durable: true)
    }

    /// The description in a run's folder; one that is gone or cannot be read is made anew from the experiment file that is kept
    /// beside it.
    ///
    /// - Parameter note: told what the user should know.
    static func read(in folder: RunFolder, _ note: (String) -> Void) throws(RunError) -> RunDescription {
        let path = folder.description
        let isThere = (try? FileStamp(of: path)) != nil
        do {
            return try read(path)
        } catch {
            // A later version's is no damage.
            if isThere, error.cause == nil { throw error }
            guard let made = try? RunDescription(remakingFrom: folder) else { throw error }
            do {
                if isThere {
                    var number = 1
                    func place() -> FilePath { folder.path.appending("run.json.unreadable-\(number)") }
                    while (try? FileStamp(of: place())) != nil { number += 1 }
                    try Folder.rename(path, to: place())
                }
                try made.write(to: path)
            } catch let error {
                throw RunError(.machine, "\(path) cannot be written", cause: error)
            }
            note("\(path) was made anew from \(folder.experiment)")
            return made
        }
    }

    /// The description in a run's folder, or what the experiment file beside it says; nil without either.
    ///
    /// Nothing is written.
    static func found(in folder: RunFolder) -> RunDescription? {
        (try? read(folder.description)) ?? (try? RunDescription(remakingFrom: folder))
    }

    static func read(_ path: FilePath) throws(RunError) -> RunDescription {
        do {
            let description = try MappedFile(path).withBytes { bytes in
                try JSONDecoder().decode(RunDescription.self, from: Data(bytes))
            }
            guard description.version == currentVersion else {
                throw RunError(.request, "\(path) was written by another version of Pronghorn")
            }
            return description
        } catch let error as RunError {
            throw error
        } catch {
            throw RunError(.request, "there is no run to go on with: \(path) cannot be read", cause: error)
        }
    }
}

extension RunDescription {
    /// Makes it from the experiment file in the run's folder, which says where it was and on how many devices.
    fileprivate init(remakingFrom folder: RunFolder) throws {
        let kept = try MappedFile(folder.experiment).withBytes { String(decoding: $0, as: UTF8.self) }
        let text = ExperimentText(kept)
        guard let place = text.folder, let devices = text.devices else {
            throw RunError(.request, "\(folder.experiment) does not say where the run was begun")
        }
        self.init(
            experiment: try Experiment(yaml: text.yaml, file: folder.experiment.string, overrides: text.settings),
            text: kept, folder: place, devices: devices, checkpointSeconds: CheckpointPolicy.usualSeconds)
    }
}
