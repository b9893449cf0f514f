import Testing

@testable import Execution

@Suite("What becomes of a unit whose process died") struct UnitLineageTests {
    @Test("A first death tries the same packing again, a second splits the cohort")
    func splits() {
        var lineage = UnitLineage()
        #expect(lineage.ended(.crash, trials: 8) == .again)
        #expect(lineage.ended(.crash, trials: 8) == .split)
    }

    @Test("A checkpoint since the last death counts as progress, so that the cohort stays whole")
    func progresses() {
        var lineage = UnitLineage()
        #expect(lineage.ended(.crash, trials: 8) == .again)
        lineage.progressed()
        #expect(lineage.ended(.crash, trials: 8) == .again)
    }

    @Test(
        "One trial among many that ends every process it is in fails alone, and all others get through",
        arguments: 1...64)
    func findsThePoison(count: Int) {
        let poison = count / 3
        var waiting: [(trials: Range<Int>, lineage: UnitLineage)] = [(0..<count, UnitLineage())]
        var finished: Set<Int> = []
        var failed: [Int] = []
        var deaths = 0
        while let unit = waiting.popLast() {
            guard unit.trials.contains(poison) else {
                finished.formUnion(unit.trials)
                continue
            }
            deaths += 1
            var lineage = unit.lineage
            let middle = unit.trials.lowerBound + unit.trials.count / 2
            switch lineage.ended(.crash, trials: unit.trials.count) {
            case .again: waiting.append((unit.trials, lineage))
            case .split, .smaller:
                waiting.append((unit.trials.lowerBound..<middle, lineage.part))
                waiting.append((middle..<unit.trials.upperBound, lineage.part))
            case .fail: failed.append(contentsOf: unit.trials)
            }
            guard deaths < 100 else { break }
        }
        #expect(failed == [poison])
        #expect(finished == Set(0..<count).subtracting([poison]))
        #expect(deaths <= 10)
    }
}
