import Dispatch
import Files
import Programs
import Synchronization
import SystemPackage
import TensorFiles
import Units

/// Writes model files on a thread of its own, so that the device trains the next unit meanwhile.
///
/// A unit is reported finished only when everything it left is on the disk: one `syncfs` for all its files, since an
/// fsync for each of 1,000 files took twenty times as long.
final class ModelWriter: Sendable {
    private let queue = DispatchQueue(label: "pronghorn.models")
    private let log: EventLog
    private let failures = Mutex<[String: TrainingError]>([:])
    /// Whether models were written that are not known to be on the disk.
    private let hasUnsynced = Mutex(false)
    /// Bounds the states that wait in memory: the trainer stops at two.
    private let room = DispatchSemaphore(value: 2)

    init(log: EventLog) {
        self.log = log
    }

    /// Writes a state's models into the unit's folder `models`, after those that came before.
    func write(_ state: TrainedState, in folder: FilePath) {
        room.wait()
        queue.async { [self] in
            defer { room.signal() }
            do {
                try writeModels(of: state, in: folder.appending("models"))
            } catch {
                failures.withLock {
                    $0[state.unit.id] = TrainingError(
                        .files, "models cannot be written to \(folder)", cause: error)
                }
            }
        }
    }

    /// Writes the checkpoint of a unit's last epoch, after the models that came before.
    func write(_ image: CheckpointImage, of unit: String, in folder: FilePath) {
        room.wait()
        queue.async { [self] in
            defer { room.signal() }
            do {
                try synchronize(in: folder)
                try log.synchronize(unit: unit)
                try image.write(in: folder)
                log.say(.checkpoint(epochs: image.epochs, file: image.fileName), unit: unit)
                try Checkpoint.removeOthers(than: image.fileName, in: folder)
            } catch {
                failures.withLock {
                    $0[unit] = TrainingError(.files, "the checkpoint of \(folder) cannot be written", cause: error)
                }
            }
        }
    }

    /// Says that a unit is finished, once all its models are durable.
    func finish(_ unit: Unit, in folder: FilePath, seconds: @escaping @Sendable () -> Double) {
        close(unit, in: folder) { .finished(seconds: seconds()) }
    }

    /// Says the last word on a unit, once all its models are durable.
    private func close(_ unit: Unit, in folder: FilePath, saying word: @escaping @Sendable () -> RunnerEvent.What) {
        queue.async { [self] in
            do {
                if let failure = failures.withLock({ $0.removeValue(forKey: unit.id) }) { throw failure }
                try log.synchronize(unit: unit.id)
                try Folder.syncFileSystem(containing: folder)
                log.say(word(), unit: unit.id)
            } catch {
                log.say(.failed(code: TrainingError.Code.files.rawValue, message: "\(error)"), unit: unit.id)
            }
            log.end(unit: unit.id)
        }
    }

    /// Says that a unit was stopped, after whatever of it is still being written.
    func stop(_ unit: Unit, epochs: Int) {
        queue.async { [self] in
            failures.withLock { _ = $0.removeValue(forKey: unit.id) }
            log.say(.stopped(epochs: epochs), unit: unit.id)
            log.end(unit: unit.id)
        }
    }

    /// Says that a unit's active lanes go on elsewhere, once the models of the others are durable.
    func narrow(_ unit: Unit, in folder: FilePath, epochs: Int) {
        close(unit, in: folder) { .narrowed(epochs: epochs) }
    }

    /// Forgets what went wrong with a unit that has failed for another reason.
    func abandon(_ unit: String) {
        queue.async { [self] in failures.withLock { _ = $0.removeValue(forKey: unit) } }
    }

    /// Waits until all that was given is written, and brings it to the disk: whatever goes on from a checkpoint takes the
    /// models that came before it as they are.
    func settle(in folder: FilePath) throws {
        try queue.sync { try synchronize(in: folder) }
    }

    private func synchronize(in folder: FilePath) throws {
        guard hasUnsynced.withLock({ $0 }) else { return }
        try Folder.syncFileSystem(containing: folder)
        hasUnsynced.withLock { $0 = false }
    }

    /// Waits until all that was given is written.
    func drain() {
        queue.sync {}
    }

    private func writeModels(of state: TrainedState, in models: FilePath) throws {
        hasUnsynced.withLock { $0 = true }
        try Folder.create(models)
        let template = try KerasTemplate(state.bundle.template)
        for index in state.lanes {
            let lane = state.unit.lanes[index]
            let name = state.fileName(of: lane)
            let bytes = try template.write(
                to: models.appending(name), patches: state.patches(lane: index),
                configPatches: try state.configPatches(lane: index, of: template), durable: false)
            log.say(
                .saved(trial: lane.trial, file: "models/\(name)", kind: state.kind.rawValue, bytes: bytes),
                unit: state.unit.id)
        }
    }
}
