import Testing
import Units

@testable import Execution

@Suite struct InterruptedUnitTests {
    func unit(_ id: String, trials: [Int], _ work: Unit.Work = .train) -> Unit {
        Unit(
            id: id, work: work, program: .init(folder: "", key: ""),
            packing: .init(lanes: trials.count, steps: 1, evaluateSteps: 0, form: "vectorized"),
            lanes: trials.map {
                .init(
                    trial: $0, name: "\($0)", seed: 0, parameters: [:], start: .initialize, source: 0,
                    training: .init(start: nil, count: 1))
            }, sources: [],
            fit: .init(
                firstEpoch: 0, lastEpoch: 1, batchSize: 1, validationBatchSize: 1, validationFrequency: .every(1),
                shuffle: .rows), save: .init(final: true))
    }

    @Test("Each trial goes on from the last unit that holds it, and one that has ended from none")
    func last() {
        let (later, earlier) = (unit("0003", trials: [0, 1]), unit("0001", trials: [0, 1]))
        let (probe, other) = (unit("0002", trials: [7], .probe), unit("0000", trials: [2, 3]))
        var left: Set = [0, 1, 3, 7]
        let found = InterruptedUnit.last(of: [later, probe, earlier, other], holding: &left)
        #expect(found == [.init(unit: later, lanes: [0, 1]), .init(unit: other, lanes: [1])])
        #expect(left == [7], "what no unit trains is packed anew")
    }

    @Test(
        "Killed between writing a narrower unit and recording the ended trials, a run begins none of them anew"
    )
    func narrowing() {
        let (wide, narrow) = (unit("0000", trials: [0, 1, 2, 3]), unit("0001", trials: [1, 3]))
        var left: Set = [0, 1, 2, 3]
        let found = InterruptedUnit.last(of: [narrow, wide], holding: &left)
        #expect(found == [.init(unit: narrow, lanes: [0, 1]), .init(unit: wide, lanes: [0, 2])])
        #expect(left.isEmpty)
    }
}
