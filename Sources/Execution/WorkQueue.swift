import Units

/// A unit that waits for a device.
struct QueuedUnit: Sendable {
    var unit: Unit
    /// How long it is among its like; the longest goes first.
    var cost: Double
}

/// Units that wait for a device: the next free device takes the longest of the kind that comes first.
///
/// Units may be added while devices work, so that training begins before the last program is lowered.
actor WorkQueue {
    private var waiting: [QueuedUnit] = []
    private var takers: [Int: CheckedContinuation<Void, Never>] = [:]
    private var takerCount = 0
    private var isClosed = false
    /// Whether what waited was taken away, and what comes is not taken either.
    private var isCleared = false
    /// Units that were taken and have not ended: each may come back as others.
    private var taken = 0

    /// Whether no unit waits for a device.
    var isEmpty: Bool { waiting.isEmpty }

    /// Adds units; after `clear` they are left to a run that goes on.
    func add(_ units: [QueuedUnit]) {
        if isCleared { return }
        waiting.append(contentsOf: units)
        waiting.sort { $0.cost == $1.cost ? $0.unit.id < $1.unit.id : $0.cost > $1.cost }
        wake()
    }

    /// Says that a unit that was taken has ended; what it leaves to be done has been added before.
    func ended() {
        taken -= 1
        wake()
    }

    /// Says that no more units come but those that taken ones come back as.
    func close() {
        isClosed = true
        wake()
    }

    /// Takes away all units that wait, and any that are added later, so that devices end after what they are at.
    func clear() {
        waiting = []
        isCleared = true
        isClosed = true
        wake()
    }

    /// The next unit of a kind, waiting for one; nil when none can come any more, when units of another kind are to be done
    /// first, or when the task that waits is cancelled.
    func next(_ kind: WorkKind) async -> QueuedUnit? {
        while let first = await waitForWork(), !Task.isCancelled {
            guard first == kind else { return nil }
            guard let index = waiting.firstIndex(where: { $0.unit.kind == kind }) else { continue }
            taken += 1
            return waiting.remove(at: index)
        }
        return nil
    }

    /// Waits until there is a unit to take, which another may take first, and says of which kind those are that are to be done
    /// first; nil when there are no more.
    func waitForWork() async -> WorkKind? {
        while waiting.isEmpty, !(isClosed && taken == 0), !Task.isCancelled { await change() }
        return waiting.lazy.map(\.unit.kind).min()
    }

    /// Waits until something has changed, or the task is cancelled.
    private func change() async {
        takerCount += 1
        let number = takerCount
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { continuation.resume() } else { takers[number] = continuation }
            }
        } onCancel: {
            Task { await self.release(number) }
        }
    }

    private func release(_ number: Int) {
        takers.removeValue(forKey: number)?.resume()
    }

    private func wake() {
        for taker in takers.values { taker.resume() }
        takers = [:]
    }
}
