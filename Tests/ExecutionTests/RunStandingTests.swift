import Ledger
import Testing

@testable import Execution

/// How far a run is: a bar that is drawn from it fills up, and never goes beyond its end.
@Suite struct RunStandingTests {
    private func standing(_ trials: [(status: TrialStatus, epochs: Int)], planned: Int = 10) -> RunStanding {
        var standing = RunStanding()
        standing.take(
            .trials(
                trials.enumerated().map {
                    TrialStanding(
                        trial: $0.offset, status: $0.element.status, epochs: $0.element.epochs, plannedEpochs: planned)
                }))
        return standing
    }

    private func finished(_ unit: String, _ trials: [Int]) -> RunEvent {
        .unitFinished(device: "cpu:0", unit: unit, trials: trials, diverged: 0, seconds: 1)
    }

    @Test("A run that is gone on with begins where its ledger says, and ends full")
    func resumed() {
        var standing = standing([(.finished, 4), (.failed, 0), (.waiting, 6), (.waiting, 0)])
        // What has ended needs no more epochs, whether or not it was trained for all of them.
        #expect((standing.trials, standing.ended, standing.failed) == (4, 2, 1))
        #expect((standing.epochsDone, standing.epochs) == (26, 40))
        standing.take(.unitStarted(device: "cpu:0", unit: "0007", trials: [2, 3], epochs: 6..<10))
        standing.take(.epoch(device: "cpu:0", unit: "0007", epoch: 6, metrics: [:]))
        #expect(standing.epochsDone == 20 + 7 + 7)
        standing.take(finished("0007", [2, 3]))
        #expect((standing.ended, standing.failed, standing.epochsDone) == (4, 1, 40))
    }

    @Test("Epochs that are trained again count once")
    func again() {
        var standing = standing([(.waiting, 0), (.waiting, 0)])
        standing.take(.unitStarted(device: "cpu:0", unit: "0000", trials: [0, 1], epochs: 0..<10))
        for epoch in 0..<8 { standing.take(.epoch(device: "cpu:0", unit: "0000", epoch: epoch, metrics: [:])) }
        #expect(standing.epochsDone == 16)
        // Its runner died after the checkpoint of epoch 5, and each half goes on by itself.
        standing.take(.unitStarted(device: "cpu:0", unit: "0001", trials: [0], epochs: 5..<10))
        standing.take(.unitStarted(device: "cpu:1", unit: "0002", trials: [1], epochs: 5..<10))
        #expect(standing.epochsDone == 10)
        for epoch in 5..<10 { standing.take(.epoch(device: "cpu:0", unit: "0001", epoch: epoch, metrics: [:])) }
        #expect(standing.epochsDone == 15)
        standing.take(finished("0001", [0]))
        standing.take(.unitFailed(device: "cpu:1", unit: "0002", trials: [1], message: ""))
        #expect((standing.ended, standing.failed, standing.epochsDone, standing.epochs) == (2, 1, 20, 20))
    }

    @Test("Trials that a narrowed unit has ended stay whole while others go on; failed ones may be taken up again")
    func narrowed() {
        var standing = standing([(.waiting, 0), (.waiting, 0), (.waiting, 0)])
        standing.take(.unitStarted(device: "cpu:0", unit: "0000", trials: [0, 1, 2], epochs: 0..<10))
        standing.take(.epoch(device: "cpu:0", unit: "0000", epoch: 0, metrics: [:]))
        standing.take(finished("0000", [0, 2]))
        #expect((standing.ended, standing.epochsDone) == (2, 21))
        standing.take(.unitStarted(device: "cpu:0", unit: "0001", trials: [1], epochs: 1..<10))
        standing.take(.trialsFailed(trials: [1], message: ""))
        #expect((standing.ended, standing.failed, standing.epochsDone) == (3, 1, 30))
        standing.take(.unitStarted(device: "cpu:0", unit: "0002", trials: [1], epochs: 0..<10))
        #expect((standing.ended, standing.failed, standing.epochsDone) == (2, 0, 20))
    }

    @Test("Trials that come later are added to those there are, which stay as they are known")
    func further() {
        var standing = standing([(.waiting, 0)])
        standing.take(.unitStarted(device: "cpu:0", unit: "0000", trials: [0], epochs: 0..<10))
        standing.take(.epoch(device: "cpu:0", unit: "0000", epoch: 3, metrics: [:]))
        standing.take(
            .trials((0..<2).map { TrialStanding(trial: $0, status: .waiting, epochs: 0, plannedEpochs: 10) }))
        #expect((standing.trials, standing.epochsDone, standing.epochs) == (2, 4, 20))
    }
}
