import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// Runs and trials that end before their last epoch because somebody, or the clock, says so.
    @Suite struct EndingTests {
        static let train = ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"]

        @Test("SIGTERM in the midst of an epoch that is too long ends the run before its deadline, to be resumed")
        func grace() async throws {
            let place = try FitEngineTests.place(
                model: "regression", trials: "{seed: 0}", epochs: 2,
                further: "callbacks: [\(FitEngineTests.models):endless]")
            var isAsked = false
            let outcome = try await Tool.follow(Self.train + ["--grace", "4"], in: place.root) { line, control in
                guard let unit = unitStarted(line), !isAsked else { return }
                isAsked = true
                try await waitUntil("the endless epoch has begun") {
                    let events = (try? place.contents("run/units/\(unit)/events.ndjson")) ?? Data()
                    return String(decoding: events, as: UTF8.self).contains("\"epoch\": {")
                }
                #expect(kill(control, SIGTERM) == 0)
            }
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.output.contains("takes too long; stopping now"), "\(outcome)")
            #expect(outcome.output.contains("pronghorn resume \(place.path("run"))"), "\(outcome)")
            let results = try await ResumeTests.results(place)
            #expect(results.map(\.status) == ["waiting"])
        }

        @Test("With epochs of a fraction of a millisecond Ctrl-C ends the run after a few more, and nothing is lost")
        func shortEpochs() async throws {
            let place = Workplace()
            try place.regression(rows: 16, seeds: 2, epochs: 1_000_000)
            let clock = ContinuousClock()
            var asked: ContinuousClock.Instant?
            let outcome = try await Tool.follow(Self.train, in: place.root) { line, control in
                guard let unit = unitStarted(line) else { return }
                try await waitUntil("a thousand epochs") { ResumeTests.epochs(of: unit, place) >= 1000 }
                #expect(kill(control, SIGINT) == 0)
                asked = clock.now
            }
            let seconds = clock.now - (try #require(asked))
            print("Ctrl-C took \(seconds)")
            #expect(seconds < .seconds(60))
            #expect(outcome.status == 1, "\(outcome)")
            let results = try await ResumeTests.results(place)
            let epochs = results[0].history["loss"]?.count ?? 0
            // What the runner has written down is what the ledger has.
            #expect(epochs == ResumeTests.epochs(of: "0000", place))
            #expect(results.allSatisfy { $0.history["loss"]?.contains { $0 == nil } == false })
        }

        @Test("A trial whose time is over ends with its epoch and keeps that model; its cohort-mates go on")
        func timeLimit() async throws {
            let place = Workplace()
            try place.regression(seeds: 1, epochs: 5)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):regression
                data: {x: x.npy, y: y.npy}
                trials: {time_limit: [0.000001, 100000], seed: {range: 2}}
                fit: {epochs: 5, batch_size: 16}
                """)
            let outcome = try await Tool.run(Self.train, in: place.root)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try place.list("run/units") == ["0000"])
            let results = try await ResumeTests.results(place)
            #expect(results.map(\.status) == Array(repeating: "finished", count: 4))
            #expect(results.map { $0.history["loss"]?.count } == [1, 1, 5, 5])
            #expect(results.map(\.stoppedBy) == ["time_limit", "time_limit", nil, nil])
            #expect(results.map(\.stoppedEpoch) == [0, 0, nil, nil])
            #expect(try place.list("run/models").count == 4)
        }

        @Test("Model.fit ends a trial whose time is over, too")
        func timeLimitOfFit() async throws {
            let place = try FitEngineTests.place(
                model: "regression", trials: "{time_limit: [0.000001, 100000]}", epochs: 3, further: "engine: fit")
            let outcome = try await Tool.run(Self.train, in: place.root)
            #expect(outcome.status == 0, "\(outcome)")
            let results = try await ResumeTests.results(place)
            #expect(results.map { $0.history["loss"]?.count } == [1, 3])
            #expect(results.map(\.stoppedBy) == ["time_limit", nil])
        }
    }
}
