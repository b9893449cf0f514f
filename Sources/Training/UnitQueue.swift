import Dispatch
import Foundation
import Synchronization

/// Unit folders that have been read from standard input and not been worked on.
///
/// A thread of its own reads, so that the input's end is noticed at once: when it comes while a unit is being trained,
/// the process that wanted the result is gone, and this one ends there and then.
final class UnitQueue: Sendable {
    private struct State {
        var paths: [String] = []
        var isWorking = false
        var isClosed = false
        var shallStop = false
    }

    private let state = Mutex(State())
    private let changed = DispatchSemaphore(value: 0)
    private let stopLine: String

    init(stopLine: String) {
        self.stopLine = stopLine
    }

    /// Whether whoever holds the input wants training to end after the epoch at hand.
    var shallStop: Bool { state.withLock(\.shallStop) }

    /// Begins to read.
    func listen() {
        let reader = Thread { [self] in
            while let line = readLine(strippingNewline: true) {
                if line.isEmpty { continue }
                state.withLock { state in
                    if line == stopLine { state.shallStop = true } else { state.paths.append(line) }
                }
                changed.signal()
            }
            let abandoned = state.withLock { state in
                state.isClosed = true
                return state.isWorking || !state.paths.isEmpty
            }
            // Nothing may be cleaned up: the plugin could be at work on another thread.
            if abandoned { _exit(1) }
            changed.signal()
        }
        reader.start()
    }

    /// The next folder, waiting for one; nil when the input has ended.
    func next() -> String? {
        while true {
            let (path, isClosed) = state.withLock { state -> (String?, Bool) in
                guard !state.paths.isEmpty else { return (nil, state.isClosed) }
                state.isWorking = true
                return (state.paths.removeFirst(), false)
            }
            if let path { return path }
            if isClosed { return nil }
            changed.wait()
        }
    }

    /// Says that the last folder has been worked on.
    func done() {
        state.withLock { $0.isWorking = false }
    }
}
