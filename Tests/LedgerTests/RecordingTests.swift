import Testing

@testable import Ledger

@Suite struct RecordingTests {
    let ledger: Ledger

    init() throws {
        ledger = try Ledger.inMemory()
        try ledger.begin(.digits)
    }

    @Test("NaN and infinite losses come back as they were, in the history and among the last values")
    func notFinite() throws {
        try ledger.add(trials: [.sample(0), .sample(1)])
        try ledger.record(
            epoch: 0, trials: [0, 1], seconds: 1, metrics: ["loss": [.nan, 1], "mae": [.infinity, 0.1]])
        try ledger.record(
            epoch: 1, trials: [0, 1], seconds: 1, metrics: ["loss": [2, .nan], "mae": [-.infinity, 0.3]])
        let results = try ledger.results()
        #expect(results[0].history["loss"]?[0].isNaN == true)
        #expect(results[0].history["loss"]?[1] == 2)
        #expect(results[0].history["mae"] == [.infinity, -.infinity])
        #expect(results[0].metrics["mae"] == -.infinity)
        #expect(results[1].metrics["loss"]?.isNaN == true)
        #expect(results[1].history["mae"] == [0.1, 0.3])
    }

    @Test("Metrics keep every bit")
    func exactValues() throws {
        let values = [
            0.1, 1.0 / 3, .leastNonzeroMagnitude, 1.7976931348623157e308, Double(Float(0.1)), -0.0, 123456789012345680,
        ]
        try ledger.add(trials: values.indices.map { .sample($0) })
        try ledger.record(epoch: 0, trials: Array(values.indices), seconds: 1, metrics: ["loss": values])
        #expect(try ledger.results().map { $0.metrics["loss"]?.bitPattern } == values.map(\.bitPattern))
    }

    @Test("A trial that is trained again from a checkpoint has one history, the last one")
    func retraining() throws {
        try ledger.add(trials: [.sample(0, epochs: 4)])
        for epoch in 0..<4 {
            let value = Double(10 - epoch)
            let metrics = epoch == 3 ? ["loss": [value]] : ["loss": [value], "val_loss": [value]]
            try ledger.record(epoch: epoch, trials: [0], seconds: 1, metrics: metrics)
        }
        #expect(try ledger.results()[0].metrics == ["loss": 7, "val_loss": 8])
        try ledger.record(epoch: 1, trials: [0], seconds: 1, metrics: ["loss": [5]])
        let again = try ledger.results()[0]
        #expect(again.epochs == 2)
        #expect(again.history == ["loss": [10, 5], "val_loss": [10]])
        #expect(again.metrics == ["loss": 5, "val_loss": 10])
        try ledger.requeue(trials: [0], epochs: 1)
        let queued = try ledger.results()[0]
        #expect(queued.status == .waiting)
        #expect(queued.metrics == ["loss": 10, "val_loss": 10])
        try ledger.requeue(trials: [0])
        #expect(try ledger.results()[0].history == [:])
    }

    @Test("Progress counts trials, epochs and what each device does, from the first unit to the end")
    func progress() throws {
        try ledger.add(trials: (0..<5).map { .sample($0, epochs: 10) })
        try ledger.unitStarted(.sample("u1", [0, 1], device: "cpu:0"))
        try ledger.unitStarted(.sample("u2", [2], device: "cpu:1"))
        try ledger.attemptStarted(AttemptRecord(unit: "u2", number: 1, runner: 42, device: "cpu:1", started: 1010))
        try ledger.record(epoch: 0, trials: [0, 1], seconds: 1, metrics: ["loss": [1, 2]])
        try ledger.record(epoch: 0, trials: [2], seconds: 1, metrics: ["loss": [3]])
        try ledger.record(epoch: 1, trials: [2], seconds: 1, metrics: ["loss": [3]])
        try ledger.attemptEnded(unit: "u2", number: 1, outcome: "crashed", message: "signal 9", at: 1030)
        try ledger.fail(trials: [2], message: "the runner died of signal 9")
        try ledger.unitEnded("u2", .failed, at: 1030)
        try ledger.busy(device: "cpu:1", busySeconds: 15, wallSeconds: 20)
        try ledger.busy(device: "cpu:1", busySeconds: 5, wallSeconds: 10)

        let progress = try ledger.progress(at: 1100)
        #expect(progress.counts == [.running: 2, .failed: 1, .waiting: 2])
        #expect((progress.trials, progress.ended) == (5, 1))
        #expect(progress.elapsed == 100)
        #expect((progress.epochsDone, progress.epochsPlanned) == (4, 42))
        #expect(
            progress.devices == [
                DeviceProgress(
                    device: "cpu:0", unit: "u1", trials: 2, epochsDone: 2, epochsPlanned: 20, started: 1010,
                    busySeconds: 0, wallSeconds: 0),
                DeviceProgress(
                    device: "cpu:1", unit: nil, trials: 0, epochsDone: 0, epochsPlanned: 0, started: nil,
                    busySeconds: 20, wallSeconds: 30),
            ])
        #expect(try ledger.attempts(of: "u2").map(\.message) == ["signal 9"])

        try ledger.endRun(.failed, at: 1200)
        #expect(try ledger.progress(at: 9000).elapsed == 200)
        try ledger.resume(devices: ["cpu:0"])
        let run = try #require(try ledger.run())
        #expect((run.state, run.finished, run.devices) == (.running, nil, ["cpu:0"]))
    }

    @Test("A cohort's end is recorded whole or not at all")
    func finishIsAtomic() throws {
        try ledger.add(trials: [.sample(0), .sample(1)])
        try ledger.unitStarted(.sample("u1", [0, 1]))
        #expect(throws: LedgerError.self) {
            try ledger.finish([0, 1, 7].map { TrialEnd(trial: $0, model: nil) }, unit: "u1", at: 1020)
        }
        #expect(try ledger.results().map(\.status) == [.running, .running])
        try ledger.finish(
            [0, 1].map { TrialEnd(trial: $0, model: "m\($0)", bestEpoch: 3, trainSeconds: 0.5) }, unit: "u1", at: 1020)
        let results = try ledger.results()
        #expect(results.map(\.status) == [.finished, .finished])
        #expect(results.map(\.model) == ["m0", "m1"])
        #expect(results.map(\.bestEpoch) == [3, 3])
        #expect(results.map(\.seconds) == [0.5, 0.5])
        #expect(try ledger.units(status: .finished).map(\.ended) == [1020])
    }

    @Test("Values that don't fit the trials are refused before anything is written")
    func badEpoch() throws {
        try ledger.add(trials: [.sample(0)])
        #expect(throws: LedgerError.self) {
            try ledger.record(epoch: 0, trials: [0], seconds: 1, metrics: ["loss": [1, 2]])
        }
        #expect(throws: LedgerError.self) {
            try ledger.record(epoch: 0, trials: [0, 9], seconds: 1, metrics: ["loss": [1, 2]])
        }
        #expect(try ledger.results()[0].epochs == 0)
    }

    @Test("Twenty thousand trials go in with their epochs and all come out")
    func manyTrials() throws {
        let folder = try TemporaryFolder()
        let ledger = try Ledger.create(in: folder.path)
        try ledger.begin(.digits)
        let all = Array(0..<20_000)
        try ledger.add(trials: all.map { .sample($0, partition: $0 % 5) })
        for epoch in 0..<2 {
            try ledger.record(
                epoch: epoch, trials: all, seconds: 1, metrics: ["loss": all.map { Double($0 * (epoch + 1)) }])
        }
        try ledger.finish(all.map { TrialEnd(trial: $0, model: nil) }, at: 2000)
        let progress = try ledger.progress(at: 2000)
        #expect(progress.counts == [.finished: 20_000])
        #expect(progress.epochsDone == 40_000)
        var count = 0
        try ledger.forEachResult { result in
            let value = Double(result.trial)
            if result.history == ["loss": [value, 2 * value]] { count += 1 }
        }
        #expect(count == 20_000)
    }
}
