import Randomness
import Testing
import Units

@testable import Execution

@Suite("Every way in which work on a unit may end") struct LineageTransitionTests {
    /// What one end makes of a lineage that has come so far.
    struct Transition: Sendable, CustomTestStringConvertible {
        var crashes: Int
        var disturbances: Int
        var trials: Int
        var lanes: Int
        var ending: RunnerEnding
        var verdict: UnitLineage.Verdict
        /// Crashes and disturbances after it.
        var after: (Int, Int)

        var testDescription: String {
            "\(ending) of \(trials) trials in \(lanes) lanes after \(crashes), \(disturbances)"
        }
    }

    /// A lineage that has seen so much.
    func lineage(_ crashes: Int, _ disturbances: Int) -> UnitLineage {
        var lineage = UnitLineage()
        for _ in 0..<disturbances { _ = lineage.ended(.killed, trials: 8, lanes: 8) }
        for _ in 0..<crashes { _ = lineage.ended(.crash, trials: 8, lanes: 8) }
        return lineage
    }

    static let transitions: [Transition] = {
        var all: [Transition] = []
        func add(
            _ ending: RunnerEnding, _ before: (Int, Int), trials: Int, lanes: Int, _ verdict: UnitLineage.Verdict,
            _ after: (Int, Int)
        ) {
            all.append(
                Transition(
                    crashes: before.0, disturbances: before.1, trials: trials, lanes: lanes, ending: ending,
                    verdict: verdict, after: after))
        }
        for ending in [RunnerEnding.crash, .stuck] {
            add(ending, (0, 0), trials: 8, lanes: 8, .again, (1, 0))
            add(ending, (1, 0), trials: 8, lanes: 8, .split, (2, 0))
            add(ending, (0, 0), trials: 1, lanes: 8, .again, (1, 0))
            add(ending, (1, 0), trials: 1, lanes: 1, .again, (2, 0))
            add(ending, (2, 0), trials: 1, lanes: 1, .fail, (3, 0))
            add(ending, (0, 5), trials: 8, lanes: 8, .again, (1, 5))
        }
        for ending in [RunnerEnding.killed, .paused, .lostDevice] {
            for (trials, lanes) in [(8, 8), (1, 8), (1, 1)] {
                add(ending, (0, 0), trials: trials, lanes: lanes, .again, (0, 1))
                add(ending, (0, 19), trials: trials, lanes: lanes, .again, (0, 20))
                add(ending, (0, 20), trials: trials, lanes: lanes, .again, (1, 21))
            }
            add(ending, (1, 20), trials: 8, lanes: 8, .split, (2, 21))
            add(ending, (2, 20), trials: 1, lanes: 1, .fail, (3, 21))
        }
        add(.memory, (0, 0), trials: 8, lanes: 8, .smaller, (0, 0))
        add(.memory, (2, 3), trials: 1, lanes: 4, .smaller, (2, 3))
        add(.memory, (0, 0), trials: 1, lanes: 1, .again, (1, 0))
        add(.memory, (2, 0), trials: 1, lanes: 1, .fail, (3, 0))
        return all
    }()

    @Test(
        "A crash, a kill, a pause, a lost device and want of memory are each counted as what they are",
        arguments: transitions)
    func transition(_ transition: Transition) {
        var lineage = lineage(transition.crashes, transition.disturbances)
        let attempts = lineage.attempts
        let verdict = lineage.ended(transition.ending, trials: transition.trials, lanes: transition.lanes)
        #expect(verdict == transition.verdict)
        #expect(lineage.crashes == transition.after.0)
        #expect(lineage.disturbances == transition.after.1)
        #expect(lineage.attempts == attempts + (verdict == .fail ? 0 : 1))
        lineage.progressed()
        #expect(lineage.crashes == 0 && lineage.disturbances == 0)
    }

    @Test("Whatever ends it without progress, no unit is tried for ever", arguments: 0..<50)
    func ends(seed: Int) {
        var draws = SplitMix64(seed: UInt64(seed))
        var waiting = [(trials: 64, lanes: 64, lineage: UnitLineage())]
        var tries = 0
        var failed = 0
        while let unit = waiting.popLast() {
            tries += 1
            guard tries < 10_000 else { break }
            var lineage = unit.lineage
            let ending = RunnerEnding.allCases[Int(draws.next() % UInt64(RunnerEnding.allCases.count))]
            switch lineage.ended(ending, trials: unit.trials, lanes: unit.lanes) {
            case .again: waiting.append((unit.trials, unit.lanes, lineage))
            case .fail: failed += unit.trials
            case .split:
                waiting.append((unit.trials / 2, unit.lanes, lineage.part))
                waiting.append((unit.trials - unit.trials / 2, unit.lanes, lineage.part))
            case .smaller:
                let width = unit.lanes / 2
                for start in stride(from: 0, to: unit.trials, by: width) {
                    waiting.append((min(width, unit.trials - start), width, lineage.part))
                }
            }
        }
        #expect(tries < 10_000)
        #expect(failed == 64, "a trial was lost, or failed twice")
    }
}

@Suite("A runner's life over random histories") struct LifeWalkTests {
    /// What a runner holds, said as simply as can be.
    struct Model {
        enum Place { case device, disk }
        var units: [String: Place] = [:]

        var training: String? { units.first { $0.value == .device }?.key }
    }

    @Test(
        "What it holds is what was given to it and has not ended, whatever is said in whatever order", arguments: 0..<60
    )
    func walk(seed: Int) {
        var draws = SplitMix64(seed: UInt64(seed))
        var life = RunnerLife()
        var model = Model()
        var next = 0
        for _ in 0..<500 {
            if model.training == nil, draws.next() % 2 == 0 {
                life.began(String(next))
                model.units[String(next)] = .device
                next += 1
            }
            // Of the last few units, held or not.
            let unit = String(max(0, next - 1 - Int(draws.next() % 4)))
            let place = model.units[unit]
            func say(_ what: RunnerEvent.What) -> RunnerLife.Change {
                life.heard(RunnerEvent(number: 0, time: 0, unit: unit, what: what))
            }
            switch draws.next() % 7 {
            case 0:
                let change = say(.trained(seconds: 1))
                #expect(change == (place == .device ? .free : .none))
                if place == .device { model.units[unit] = .disk }
            case 1:
                #expect(say(.finished(seconds: 1)) == .finished(unit, wasTraining: place == .device))
                model.units[unit] = nil
            case 2:
                let change = say(.stopped(epochs: 3))
                #expect(change == (place == .device ? .stopped(unit, epochs: 3) : .none))
                if place == .device { model.units[unit] = nil }
            case 3:
                let change = say(.narrowed(epochs: 3))
                let wasTraining = place == .device
                #expect(change == (place == nil ? .none : .narrowed(unit, epochs: 3, wasTraining: wasTraining)))
                model.units[unit] = nil
            case 4:
                let change = say(.failed(code: "device", message: "gone"))
                let wasTraining = place == .device
                #expect(
                    change
                        == (place == nil
                            ? .none : .failed(unit, code: "device", message: "gone", wasTraining: wasTraining)))
                model.units[unit] = nil
            case 5: #expect(say(.beat(epoch: 0, step: 1, steps: 2)) == .none)
            default:
                guard draws.next() % 10 == 0 else { continue }
                #expect(Set(life.ended()) == Set(model.units.keys))
                model.units = [:]
            }
            #expect(life.training == model.training)
            #expect(life.writing == Set(model.units.filter { $0.value == .disk }.keys))
            #expect(life.isIdle == model.units.isEmpty)
        }
    }
}
