/// A lane's `keras.callbacks.TerminateOnNaN` at the end of an epoch.
///
/// Keras looks at every batch. What it looks at is the epoch's mean so far, and a mean that is NaN or infinite stays so:
/// the epoch's end sees whatever a batch saw.
enum TerminateOnNaN {
    /// Whether training ends with this epoch.
    static func stops(loss: Double?) -> Bool {
        loss.map { !$0.isFinite } ?? false
    }
}
