import Experiments
import Files
import FoundationEssentials
import SystemPackage

/// What a run was begun with, kept in its folder as `run.json`, so that it can go on.
struct RunDescription: Codable, Sendable {
    static let currentVersion = 1

    var version = RunDescription.currentVersion
    var experiment: Experiment
    /// What the experiment's paths are relative to.
    var folder: String
    /// How many devices there were, by which `partition: {count: devices}` divided the rows.
    var devices: Int
    var checkpointSeconds: Double

    func write(to path: FilePath) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(Array(try encoder.encode(self)), to: path, durable: true)
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
