public import Execution
import Files
import Ledger
public import SystemPackage

/// A run that was begun and goes on while there is a reference to it: what happens in it, what came of it, how to end it.
///
/// Training goes on whether or not anybody reads the events. A task that reads them, or waits, and is cancelled stops the
/// run: each device ends the epoch at hand and leaves a checkpoint, so that `pronghorn resume` goes on with it.
public final class TrainingRun: Sendable {
    /// The run's folder.
    public let folder: FilePath
    /// What happens, as it happens, to be read by one task.
    ///
    /// The last 10,000 events are kept until they are read. They end when the run has ended, with the error that ended it.
    public let events: Events

    private let run: Run
    private let training: Task<RunSummary, any Error>

    /// Begins a run in a folder.
    init(_ request: Run.Request, in folder: FilePath) {
        let (stream, continuation) = AsyncThrowingStream.makeStream(
            of: RunEvent.self, throwing: (any Error).self, bufferingPolicy: .bufferingNewest(10_000))
        let run = Run(request) { continuation.yield($0) }
        continuation.onTermination = { reason in
            // The reader was cancelled; an iterator that is given up by a `break` ends nothing.
            if case .cancelled = reason { run.stop() }
        }
        self.folder = folder
        self.run = run
        events = Events(stream: stream)
        training = Task {
            do {
                let summary = try await run.train(in: folder)
                continuation.finish()
                return summary
            } catch {
                continuation.finish(throwing: error)
                throw error
            }
        }
    }

    deinit { run.stop() }

    /// Ends the run early: each device ends the epoch at hand and leaves a checkpoint.
    public func stop() { run.stop() }

    /// Waits until the run has ended.
    ///
    /// - Returns: how many trials finished, diverged and failed: a trial that fails is no error. Those that are left after
    ///   an early end are none of these.
    @discardableResult
    public func wait() async throws(PronghornError) -> RunSummary {
        do {
            return try await withTaskCancellationHandler {
                try await training.value
            } onCancel: {
                run.stop()
            }
        } catch {
            throw PronghornError(error)
        }
    }

    /// All trials in their order, once the run has ended.
    public var results: [TrainedTrial] {
        get async throws(PronghornError) {
            try await wait()
            return try TrainedTrial.all(in: folder)
        }
    }

    /// The finished trial whose last value of a metric is best, once the run has ended; which way is better is told as for
    /// the models that are kept: by a `mode` of the experiment for the metric, or else by the metric's name.
    public func best(_ metric: String = "val_loss") async throws(PronghornError) -> TrainedTrial {
        try await wait()
        do {
            let run = RunFolder(folder)
            guard let best = try run.readLedger(note: { _ in }).best(by: run.ranking(by: metric)) else {
                throw PronghornError(.request, "no trial of \(folder) has finished with a value of \(metric)")
            }
            return TrainedTrial(best, in: folder)
        } catch {
            throw PronghornError(error)
        }
    }

    /// The events of a run.
    public struct Events: AsyncSequence, Sendable {
        public typealias Element = RunEvent
        public typealias Failure = PronghornError

        let stream: AsyncThrowingStream<RunEvent, any Error>

        public func makeAsyncIterator() -> Iterator { Iterator(base: stream.makeAsyncIterator()) }

        public struct Iterator: AsyncIteratorProtocol {
            var base: AsyncThrowingStream<RunEvent, any Error>.Iterator

            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(PronghornError) -> RunEvent? {
                do { return try await base.next(isolation: actor) } catch { throw PronghornError(error) }
            }

            public mutating func next() async throws(PronghornError) -> RunEvent? {
                do { return try await base.next() } catch { throw PronghornError(error) }
            }
        }
    }
}
