import Testing
import Units

@testable import Execution

@Suite struct WorkQueueTests {
    func queued(_ id: String, cost: Double, by engine: Unit.Engine = .native) -> QueuedUnit {
        QueuedUnit(
            unit: Unit(
                id: id, work: .train, engine: engine, program: .init(folder: "", key: ""),
                packing: .init(lanes: 1, steps: 1, evaluateSteps: 0, form: "vectorized"), lanes: [], sources: [],
                fit: .init(
                    firstEpoch: 0, lastEpoch: 1, batchSize: 1, validationBatchSize: 1, validationFrequency: .every(1),
                    shuffle: .rows), save: .init(final: true)), cost: cost)
    }

    @Test("The next free device takes the longest unit, equal ones in their order, however they came")
    func longestFirst() async {
        let queue = WorkQueue()
        await queue.add([queued("0000", cost: 1), queued("0001", cost: 5), queued("0002", cost: 5)])
        await queue.add([queued("0003", cost: 3)])
        await queue.close()
        var order: [String] = []
        while let next = await queue.next(.native) {
            order.append(next.unit.id)
            await queue.ended()
        }
        #expect(order == ["0001", "0002", "0003", "0000"])
    }

    @Test("Devices wait for units that are still being prepared, and leave when none can come any more")
    func waits() async {
        let queue = WorkQueue()
        @Sendable func work() async -> [String] {
            var ids: [String] = []
            while let next = await queue.next(.native) {
                ids.append(next.unit.id)
                await queue.ended()
            }
            return ids
        }
        async let first = work()
        async let second = work()
        await queue.add([queued("0000", cost: 1)])
        await queue.add([queued("0001", cost: 1), queued("0002", cost: 1)])
        await queue.close()
        let ids = await first + second
        #expect(ids.sorted() == ["0000", "0001", "0002"])
    }

    @Test("A device without work stays for what a unit on another device may leave to be done again")
    func comesBack() async {
        let queue = WorkQueue()
        await queue.add([queued("0000", cost: 1)])
        await queue.close()
        #expect(await queue.next(.native)?.unit.id == "0000")
        async let other = queue.next(.native)
        await queue.add([queued("0001", cost: 1)])
        await queue.ended()
        #expect(await other?.unit.id == "0001")
        await queue.ended()
        #expect(await queue.next(.native) == nil)
    }

    @Test("What no device has begun can be taken back, and then devices leave")
    func clear() async {
        let queue = WorkQueue()
        await queue.add([queued("0000", cost: 1), queued("0001", cost: 2)])
        #expect(await queue.next(.native)?.unit.id == "0001")
        await queue.clear()
        await queue.add([queued("0002", cost: 1)])
        await queue.ended()
        #expect(await queue.next(.native) == nil, "nor is what comes later begun")
    }

    @Test(
        "A device works on programs first, then on one backend's units after another's, and is told when its kind is over"
    )
    func kinds() async {
        func fit(_ backend: Unit.FitEngine.Backend) -> Unit.Engine {
            .fit(Unit.FitEngine(backend: backend, model: "{}", offered: "{}", roles: [.x]))
        }
        let queue = WorkQueue()
        await queue.add([
            queued("0000", cost: 9, by: fit(.tensorflow)), queued("0001", cost: 8, by: fit(.jax)),
            queued("0002", cost: 1),
        ])
        #expect(await queue.waitForWork() == .native)
        #expect(await queue.next(.fit(.jax)) == nil, "a program waits, which comes first")
        #expect(await queue.next(.native)?.unit.id == "0002")
        #expect(await queue.next(.native) == nil, "only units for Model.fit wait")
        #expect(await queue.next(.fit(.jax))?.unit.id == "0001")
        // What comes meanwhile goes first again.
        await queue.add([queued("0003", cost: 1)])
        #expect(await queue.next(.fit(.tensorflow)) == nil)
        #expect(await queue.next(.native)?.unit.id == "0003")
        #expect(await queue.next(.fit(.tensorflow))?.unit.id == "0000")
        await queue.close()
        for _ in 0..<4 { await queue.ended() }
        #expect(await queue.waitForWork() == nil)
    }
}
