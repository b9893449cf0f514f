/// What a runner says, a line of JSON each, on standard output and (those of a unit) in the unit's `events.ndjson`.
public struct RunnerEvent: Codable, Sendable, Equatable {
    /// Numbered from 0 within the runner's life.
    public var number: Int
    /// Seconds since 1970.
    public var time: Double
    /// The unit it is about; nil for the runner itself.
    public var unit: String?
    public var what: What

    public init(number: Int, time: Double, unit: String?, what: What) {
        self.number = number
        self.time = time
        self.unit = unit
        self.what = what
    }
}

extension RunnerEvent {
    /// The kinds of event.
    public enum What: Codable, Sendable, Equatable {
        /// The plugin is loaded and the device is there.
        case ready(device: String, platform: String, memory: Int?)
        /// A unit was read and is being prepared.
        case started
        /// A function is being compiled (or loaded from the cache).
        case compiling(function: String)
        /// It was; `cached` when an executable on disk served.
        case compiled(function: String, seconds: Double, cached: Bool, memory: Memory)
        /// Something begins of which nobody knows yet how long it takes: the first call of its kind, a checkpoint.
        case working(on: String)
        /// Training goes on: so many steps of the unit's lanes, of so many in all; `call` is how many seconds the longest
        /// piece of work has taken that may come again unannounced: a call of a function, the end of an epoch.
        case beat(epoch: Int, step: Int, steps: Int, call: Double? = nil)
        /// An epoch's end: the unit's lanes that trained it, and for every metric a value for each of them, in their order.
        case epoch(epoch: Int, seconds: Double, lanes: [Int], metrics: [String: [Double]])
        /// A callback ended a lane's training after so many epochs; `by` is the callback's name.
        ///
        /// Said again by a unit that goes on from a checkpoint in which the lane has ended already.
        case ended(lane: Int, epochs: Int, by: String)
        /// A lane's loss, or a weight, was NaN or infinite at the end of the last of so many epochs, and its training is over;
        /// its state is again what it was after `kept` epochs (the first epoch's number where none left good weights).
        ///
        /// Said again by a unit that goes on from a checkpoint in which the lane has diverged already.
        case diverged(lane: Int, epochs: Int, kept: Int)
        /// `EarlyStopping.best_epoch` of a lane whose training is over.
        case best(lane: Int, epoch: Int)
        /// A checkpoint is durable: `epochs` epochs are in it.
        case checkpoint(epochs: Int, file: String)
        /// The unit was ended early as asked, after `epochs` epochs, which its last checkpoint holds.
        case stopped(epochs: Int)
        /// The unit ends here on purpose, after `epochs` epochs, because few of its lanes are still active: its checkpoint holds
        /// those, in their places, and the models of all others are durable.
        case narrowed(epochs: Int)
        /// The last epoch is over and the device is free for the next unit, while this one's models are being written; for
        /// `input` of the seconds no rows were there to train on (nil: who knows).
        case trained(seconds: Double, input: Double? = nil)
        /// The lanes' models were evaluated: for every metric a value for each lane, in their order.
        case evaluated(metrics: [String: [Double]])
        /// A model file is whole, but perhaps not yet durable.
        case saved(trial: Int, file: String, kind: String, bytes: Int)
        /// The unit is done and everything it left is durable.
        case finished(seconds: Double)
        /// The unit failed and left nothing that counts.
        case failed(code: String, message: String)
    }

    /// What the compiler says a function needs, in bytes.
    public struct Memory: Codable, Sendable, Equatable {
        public var arguments: Int
        public var outputs: Int
        public var aliased: Int
        public var temporary: Int

        public init(arguments: Int, outputs: Int, aliased: Int, temporary: Int) {
            self.arguments = arguments
            self.outputs = outputs
            self.aliased = aliased
            self.temporary = temporary
        }

        /// Arguments + outputs − aliases + temporaries.
        public var total: Int { arguments + outputs - aliased + temporary }
    }
}

extension Unit {
    /// Whether a runner can mean this of the unit: its lanes and trials are the unit's, each metric has a value for each lane.
    ///
    /// A runner is another process, perhaps one that runs a user's code: what it says is looked at before it is used.
    public func permits(_ event: RunnerEvent.What) -> Bool {
        switch event {
        case .epoch(let epoch, _, let lanes, let metrics):
            epoch >= 0 && lanes.allSatisfy(self.lanes.indices.contains)
                && metrics.values.allSatisfy { $0.count == lanes.count }
        case .ended(let lane, let epochs, _): lanes.indices.contains(lane) && epochs > 0
        case .diverged(let lane, let epochs, let kept):
            lanes.indices.contains(lane) && epochs > 0 && (0..<epochs).contains(kept)
        case .best(let lane, let epoch): lanes.indices.contains(lane) && epoch >= 0
        case .evaluated(let metrics): metrics.values.allSatisfy { $0.count == lanes.count }
        case .saved(let trial, let file, _, _):
            lanes.contains { $0.trial == trial && Self.isModel(file, of: $0.name) }
        case .checkpoint(let epochs, let file):
            fit.firstEpoch <= epochs && epochs <= fit.lastEpoch && file.hasPrefix("checkpoint-")
                && !file.contains("/")
        case .ready, .started, .compiling, .compiled, .working, .beat, .stopped, .narrowed, .trained, .finished,
            .failed:
            true
        }
    }

    /// Whether a file is one of a trial's models, in the unit's own folder of models.
    private static func isModel(_ file: String, of name: String) -> Bool {
        guard file.hasPrefix("models/\(name).") else { return false }
        return !file.dropFirst("models/".count).contains { $0 == "/" || $0 == "\0" }
    }
}
