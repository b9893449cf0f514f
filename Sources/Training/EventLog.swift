import FoundationEssentials
import Glibc
import Synchronization
import SystemPackage
import Units

/// Where a runner's events go: a line each on standard output, and those of a unit in its `events.ndjson` too.
final class EventLog: Sendable {
    private struct State {
        var number = 0
        var lastBeat: ContinuousClock.Instant?
        var files: [String: FileDescriptor] = [:]
        /// Units whose record lacks an event: nothing more is written after what may be half a line.
        var broken: [String: any Error] = [:]
    }

    private let state = Mutex(State())
    private let output: FileDescriptor

    init(output: FileDescriptor = .standardOutput) {
        self.output = output
    }

    /// Opens the unit's own record; its events are appended to it from now on.
    func begin(unit: String, in folder: FilePath) throws(TrainingError) {
        do {
            let file = try FileDescriptor.open(
                folder.appending("events.ndjson"), .writeOnly, options: [.create, .append, .closeOnExec],
                permissions: .ownerReadWrite)
            let previous = state.withLock { state in
                defer { state.files[unit] = file }
                return state.files[unit]
            }
            try previous?.close()
        } catch {
            throw TrainingError(.files, "\(folder.appending("events.ndjson")) cannot be written", cause: error)
        }
    }

    /// Says how far a pass is, at most every half second.
    ///
    /// - Parameter call: seconds of the longest piece of work that may come again unannounced.
    func beat(unit: String, epoch: Int, step: Int, steps: Int, call: Double) {
        // Not the time of day, which may be set back.
        let now = ContinuousClock().now
        let due = state.withLock { state in
            if let last = state.lastBeat, now - last < .milliseconds(500) { return false }
            state.lastBeat = now
            return true
        }
        if due { say(.beat(epoch: epoch, step: min(step, steps), steps: steps, call: call), unit: unit) }
    }

    /// Puts what was said of a unit so far on the disk: a checkpoint without the epochs that led to it would have no history.
    func synchronize(unit: String) throws(TrainingError) {
        let (file, failure) = state.withLock { ($0.files[unit], $0.broken[unit]) }
        if let failure {
            throw TrainingError(.files, "the events of unit \(unit) cannot be written", cause: failure)
        }
        guard let file else { return }
        guard fdatasync(file.rawValue) == 0 else {
            throw TrainingError(.files, "the events of unit \(unit) cannot be written", cause: Errno(rawValue: errno))
        }
    }

    /// Closes the unit's record.
    func end(unit: String) {
        let file = state.withLock { state in
            state.broken[unit] = nil
            return state.files.removeValue(forKey: unit)
        }
        try? file?.close()
    }

    /// Says something of a unit, or of the runner itself.
    ///
    /// A reader that is gone is no error here: the watch on standard input ends the process.
    func say(_ what: RunnerEvent.What, unit: String? = nil) {
        state.withLock { state in
            let event = RunnerEvent(number: state.number, time: Date().timeIntervalSince1970, unit: unit, what: what)
            state.number += 1
            guard var line = try? event.line() else { return }
            line.append(UInt8(ascii: "\n"))
            line.withUnsafeBytes { bytes in
                _ = try? output.writeAll(bytes)
                guard let unit, let file = state.files[unit], state.broken[unit] == nil else { return }
                do { _ = try file.writeAll(bytes) } catch { state.broken[unit] = error }
            }
        }
    }
}
