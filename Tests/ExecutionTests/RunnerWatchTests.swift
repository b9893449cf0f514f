import Randomness
import Subprocess
import Testing
import Units

@testable import Execution

@Suite("When a silent runner is stuck, and when it is only slow") struct RunnerWatchTests {
    /// A runner with its unit, driven through what it says.
    struct Driven {
        var life = RunnerLife()
        var watch: RunnerWatch
        var time = 0.0

        init(isFit: Bool = false) {
            watch = RunnerWatch(isFit: isFit, at: 0)
        }

        mutating func begin(_ unit: String = "0001") {
            life.began(unit)
            watch.began(at: time)
        }

        mutating func say(_ what: RunnerEvent.What, of unit: String? = "0001", after seconds: Double = 0) {
            time += seconds
            let event = RunnerEvent(number: 0, time: 0, unit: unit, what: what)
            _ = life.heard(event)
            watch.hears()
            watch.listens(after: event, life, at: time)
        }

        /// Seconds of silence after which it is held to be stuck, looked at four times a second; nil: not within three hours.
        func patience(_ sign: RunnerWatch.Sign) -> Double? {
            var watch = watch
            for tick in stride(from: 0, through: 10_800.0, by: 0.25)
            where watch.isWorthALook(at: time + tick) {
                if watch.judge(sign, at: time + tick) != .healthy { return tick }
            }
            return nil
        }
    }

    static let ready = RunnerEvent.What.ready(device: "cpu:0", platform: "cpu", memory: nil)

    /// A runner whose calls take so many seconds.
    func calling(_ call: Double) -> Driven {
        var driven = Driven()
        driven.begin()
        driven.say(Self.ready, of: nil)
        driven.say(.started)
        driven.say(.working(on: "train 4x16"))
        driven.say(.beat(epoch: 0, step: 4, steps: 8, call: call))
        return driven
    }

    @Test(
        "A runner that was stopped is replaced within three times a call and three seconds",
        arguments: [0, 0.01, 1, 30])
    func stopped(call: Double) throws {
        let patience = try #require(calling(call).patience(.stopped))
        #expect(patience <= 3 * call + 2.5)
        #expect(patience >= 3 * call + 1.5)
    }

    @Test("A stop that was short, or that comes late in a long silence, ends no runner at once")
    func shortStop() {
        var driven = calling(1)
        driven.say(.working(on: "a checkpoint"))
        #expect(driven.watch.judge(.asleep, at: 500) == .healthy)
        #expect(driven.watch.judge(.stopped, at: 501) == .healthy)
        #expect(driven.watch.judge(.stopped, at: 504) == .healthy)
        #expect(driven.watch.judge(.working, at: 505) == .healthy)
        #expect(driven.watch.judge(.stopped, at: 506) == .healthy)
        #expect(driven.watch.judge(.stopped, at: 511) != .healthy)
    }

    @Test("A runner that computes gets many times longer than one that sleeps, and one that a debugger holds for ever")
    func signs() throws {
        let driven = calling(2)
        let asleep = try #require(driven.patience(.asleep))
        let working = try #require(driven.patience(.working))
        #expect(asleep >= 3 * 2 + 3)
        #expect(working >= 10 * asleep)
        #expect(driven.patience(.traced) == nil)
    }

    @Test(
        "What may take any time has a limit of its own, far above a call's",
        arguments: [
            .started, .compiling(function: "train"), .working(on: "a checkpoint"),
            .compiled(
                function: "train", seconds: 1, cached: false,
                memory: .init(arguments: 0, outputs: 0, aliased: 0, temporary: 0)),
        ] as [RunnerEvent.What])
    func announced(what: RunnerEvent.What) throws {
        var driven = calling(0.001)
        driven.say(what)
        #expect(try #require(driven.patience(.asleep)) >= 600)
        #expect(try #require(driven.patience(.working)) >= 3600)
        // The next beat ends it.
        driven.say(.beat(epoch: 0, step: 8, steps: 8, call: 0.001))
        #expect(try #require(driven.patience(.asleep)) < 60)
    }

    @Test("A runner that has nothing to do may be silent for ever, and one that writes models as long as a disk likes")
    func nothingToDo() throws {
        var driven = calling(0.001)
        driven.say(.trained(seconds: 1))
        #expect(driven.watch.work == .writing)
        #expect(try #require(driven.patience(.asleep)) >= 600)
        driven.say(.finished(seconds: 1))
        #expect(driven.watch.work == .none)
        for sign in RunnerWatch.Sign.allCases { #expect(driven.patience(sign) == nil) }
        driven.begin("0002")
        #expect(driven.watch.work == .announced)
        #expect(driven.watch.call == 0)
    }

    @Test("What is written of another unit, or saved beside the training, is no sign that the training goes on")
    func besides() {
        var driven = calling(1)
        driven.say(.trained(seconds: 1))
        driven.begin("0002")
        driven.say(.saved(trial: 0, file: "models/0000.keras", kind: "final", bytes: 1))
        driven.say(.beat(epoch: 0, step: 1, steps: 2, call: 9))
        #expect(driven.watch.work == .announced)
        driven.say(.finished(seconds: 1))
        #expect(driven.watch.work == .announced)
        #expect(driven.watch.call == 0)
    }

    @Test("Model.fit is measured by its epochs, and user code that waits in it is waited for")
    func fit() throws {
        var driven = Driven(isFit: true)
        driven.begin()
        driven.say(Self.ready, of: nil)
        driven.say(.started)
        driven.say(.epoch(epoch: 0, seconds: 20, lanes: [0], metrics: [:]))
        #expect(driven.watch.call == 20)
        #expect(try #require(driven.patience(.stopped)) < 4)
        #expect(try #require(driven.patience(.asleep)) >= 600)
    }

    @Test("While what was said is still being dealt with, no silence counts")
    func deaf() {
        var driven = calling(0)
        driven.watch.hears()
        #expect(!driven.watch.isWorthALook(at: 10_000))
        #expect(driven.watch.judge(.stopped, at: 10_000) == .healthy)
        #expect(driven.watch.judge(.stopped, at: 20_000) == .healthy)
        driven.watch.listens(after: nil, driven.life, at: 20_000)
        #expect(driven.watch.judge(.asleep, at: 20_010) == .healthy)
    }

    @Test(
        "Over random histories a runner that keeps its pace is never held to be stuck, whatever the system says of it",
        arguments: 0..<40)
    func random(seed: Int) {
        var draws = SplitMix64(seed: UInt64(seed))
        var driven = Driven(isFit: seed.isMultiple(of: 4))
        var unit = 0
        var call = 0.0
        driven.begin("0")
        driven.say(Self.ready, of: nil)
        for _ in 0..<400 {
            let name = String(unit)
            // Up to three times what was measured, or a hundred seconds where it was announced.
            var silence = 100.0
            switch draws.next() % 8 {
            case 0: driven.say(.compiling(function: "train"), of: name)
            case 1: driven.say(.working(on: "a checkpoint"), of: name)
            case 2:
                driven.say(.trained(seconds: 1), of: name)
                driven.say(.finished(seconds: 1), of: name)
                unit += 1
                call = 0
                driven.begin(String(unit))
            case 3:
                call = max(call, Double(draws.next() % 1000) / 100)
                driven.say(.epoch(epoch: 0, seconds: call, lanes: [0], metrics: [:]), of: name)
                if !driven.watch.isFit { driven.say(.working(on: "validation"), of: name) }
            default:
                call = max(call, Double(draws.next() % 1000) / 100)
                driven.say(.beat(epoch: 0, step: 1, steps: 2, call: call), of: name)
                silence = 3 * call
            }
            for tick in stride(from: 0.0, to: silence, by: 0.25) {
                let sign: RunnerWatch.Sign = [.asleep, .working, .traced][Int(draws.next() % 3)]
                #expect(driven.watch.judge(sign, at: driven.time + tick) == .healthy)
            }
            driven.time += silence
        }
    }

    @Test("Time in which this process was stopped or starved is not held against those it listens to")
    func attendedTime() {
        var time = AttendedTime(interval: 0.25)
        for tick in 0...40 { time.tick(at: Double(tick) * 0.25) }
        #expect(time.seconds == 10)
        // An hour of sleep, a late tick, and a clock that goes back.
        time.tick(at: 3610)
        #expect(time.seconds == 10.5)
        time.tick(at: 3610.4)
        time.tick(at: 3000)
        #expect(abs(time.seconds - 10.9) < 1e-9)
    }
}

@Suite("Why a runner is gone") struct RunnerEndingTests {
    @Test("Faults, kills from outside, pauses, and the system's own for want of memory are told apart")
    func endings() {
        func ending(_ status: TerminationStatus, _ stuck: RunnerStuck? = nil, kills: Int = 0) -> RunnerEnding {
            RunnerEnding(status, stuck: stuck, memoryKills: kills)
        }
        for signal: CInt in [4, 6, 7, 8, 11] { #expect(ending(.signaled(signal), kills: 1) == .crash) }
        for signal: CInt in [1, 2, 3, 15] { #expect(ending(.signaled(signal), kills: 1) == .killed) }
        for code: CInt in [0, 1, 2, 134] { #expect(ending(.exited(code)) == .crash) }
        #expect(ending(.exited(86)) == .lostDevice)
        #expect(ending(.signaled(9)) == .killed)
        #expect(ending(.signaled(9), kills: 1) == .memory)
        #expect(ending(.signaled(9), RunnerStuck(silence: 3, isStopped: true), kills: 1) == .paused)
        #expect(ending(.signaled(9), RunnerStuck(silence: 40, isStopped: false)) == .stuck)
    }

    @Test("A device on which no runner becomes ready is given up after the third, and one that works never")
    func starts() {
        var starts = RunnerStarts()
        #expect(starts.ended(wasReady: false) == .goOn)
        #expect(starts.ended(wasReady: false) == .goOn)
        #expect(starts.ended(wasReady: true) == .goOn)
        #expect(starts.ended(wasReady: false) == .goOn)
        #expect(starts.ended(wasReady: false) == .goOn)
        #expect(starts.ended(wasReady: false) == .giveUp)
    }
}
