/// When trials leave checkpoints, from which they go on after an interruption.
public struct CheckpointPolicy: Sendable, Equatable, Codable {
    /// After every epoch whose number, counted from 1, this divides; `nil`: by time alone.
    public var everyEpochs: Int?
    /// After the first epoch that ends so many seconds after the last checkpoint; `nil`: 30 seconds, or with `everyEpochs`
    /// by epochs alone.
    public var everySeconds: Double?
    /// Whether the state after the last epoch is kept, so that more epochs can be added to a finished run without training
    /// the first ones again.
    public var atEnd: Bool

    /// A policy; by default every 30 seconds and at the end.
    public init(everyEpochs: Int? = nil, everySeconds: Double? = nil, atEnd: Bool = true) {
        self.everyEpochs = everyEpochs
        self.everySeconds = everySeconds
        self.atEnd = atEnd
    }

    /// Seconds between checkpoints where nothing is said.
    public static let usualSeconds = 30.0
}

extension Experiment {
    func validateCheckpoint() throws(ExperimentError) {
        if let epochs = checkpoint?.everyEpochs, epochs < 1 {
            throw error(
                .invalidValue, at: "checkpoint.every_epochs", "must be a whole number from 1, found \(epochs)")
        }
        if let seconds = checkpoint?.everySeconds, !(seconds >= 0 && seconds.isFinite) {
            throw error(
                .invalidValue, at: "checkpoint.every_seconds", "must be a number of seconds from 0, found \(seconds)")
        }
    }
}

extension ExperimentReading {
    func readCheckpoint(_ field: Field) throws(ExperimentError) -> CheckpointPolicy {
        let fields = try field.mapping(accepted: ["at_end", "every_epochs", "every_seconds"])
        return CheckpointPolicy(
            everyEpochs: try fields["every_epochs"]?.integer(),
            everySeconds: try fields["every_seconds"]?.number("a number of seconds"),
            atEnd: try fields["at_end"]?.flag() ?? true)
    }
}
