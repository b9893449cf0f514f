import Dispatch
import PJRT

/// The inputs of a pass's calls, in order: while the device computes a call, those of the next are gathered from the mapped files
/// and brought over on a thread of its own, so that reading a disk and computing overlap.
///
/// No more than two calls' inputs are held at a time. Used by one thread.
final class CallFeed {
    /// What one call is given, once it is there.
    private final class Slot: @unchecked Sendable {
        // Safe: written by the queue's thread before `isReady` is signalled, and read after it by the one that waits.
        var inputs: BufferList?
        var error: (any Error)?
        let isReady = DispatchSemaphore(value: 0)
    }

    private let make: @Sendable (Int) throws -> BufferList
    private let isAhead: (Int) -> Bool
    private let queue = DispatchQueue(label: "pronghorn.feed")
    private var number = 0
    private let count: Int
    private var coming: Slot?

    /// - Parameters:
    ///   - isAhead: whether a call is worth being made ready on another thread.
    ///   - make: makes a call's inputs.
    init(
        count: Int, isAhead: @escaping (Int) -> Bool, make: @escaping @Sendable (Int) throws -> BufferList
    ) {
        self.count = count
        self.isAhead = isAhead
        self.make = make
    }

    /// The inputs of the next call.
    func next() throws -> BufferList {
        var inputs: BufferList
        if let slot = coming {
            slot.isReady.wait()
            coming = nil
            if let error = slot.error { throw error }
            guard let made = slot.inputs.take() else { return try make(number) }
            inputs = made
        } else {
            inputs = try make(number)
        }
        number += 1
        if number < count, isAhead(number) {
            let slot = Slot()
            coming = slot
            queue.async { [make, number] in
                do { slot.inputs = try make(number) } catch { slot.error = error }
                slot.isReady.signal()
            }
        }
        return inputs
    }
}
