import Synchronization
import Testing

@testable import Execution

@Suite struct StopSwitchTests {
    /// Waits to be cancelled; a minute is taken for never.
    private static func untilCancelled() async throws -> Bool {
        try await Task.sleep(for: .seconds(60))
        return false
    }

    @Test(
        "Work is cancelled when the run is asked to end, and the listener hears of it as well", .timeLimit(.minutes(2)))
    func cancelling() async throws {
        let stop = StopSwitch()
        let heard = Mutex<[StopSwitch.Ending]>([])
        stop.listen { ending in heard.withLock { $0.append(ending) } }
        #expect(try await stop.cancelling { 7 } == 7)
        let begun = AsyncStream<Void>.makeStream()
        let task = Task {
            try await stop.cancelling {
                begun.continuation.finish()
                return try await Self.untilCancelled()
            }
        }
        for await _ in begun.stream {}
        stop.turnOn()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        #expect(heard.withLock { $0 } == [.soon])
    }

    @Test("Work that begins after the run was asked to end is cancelled at once", .timeLimit(.minutes(2)))
    func late() async throws {
        let stop = StopSwitch()
        stop.turnOn(.now)
        await #expect(throws: CancellationError.self) {
            _ = try await stop.cancelling { try await Self.untilCancelled() }
        }
    }

    @Test("Work ends with the task that waits for it", .timeLimit(.minutes(2)))
    func caller() async throws {
        let stop = StopSwitch()
        let task = Task { try await stop.cancelling { try await Self.untilCancelled() } }
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        #expect(!stop.isOn)
    }
}
