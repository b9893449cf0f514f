/// How long the pieces of a unit's work take, for the process that has to tell a slow runner from a stuck one.
///
/// A piece that comes for the first time is announced, since nobody knows how long it takes; later ones of its kind are
/// expected to take about as long. Time spent compiling, which is announced by itself, does not count.
final class Pace {
    private let tell: (String) -> Void
    private let clock = ContinuousClock()
    private var known: Set<String> = []
    /// When the piece at hand began; nil while something is done that is always announced.
    private var began: ContinuousClock.Instant?
    private var excluded = 0.0
    /// Seconds of the longest piece whose like may come again unannounced.
    private(set) var longest = 0.0

    /// - Parameter tell: announces a piece of work.
    init(_ tell: @escaping (String) -> Void) {
        self.tell = tell
    }

    /// A piece of work of a kind begins, and the one before has ended.
    func next(_ kind: String) {
        let now = clock.now
        end(at: now)
        if known.insert(kind).inserted { tell(kind) }
        began = clock.now
    }

    /// Something begins that may take another time whenever it comes, and is announced each time.
    func announce(_ what: String) {
        end(at: clock.now)
        tell(what)
    }

    /// So many seconds of the piece at hand were spent on what comes only once.
    func exclude(_ seconds: Double) {
        excluded += seconds
    }

    private func end(at now: ContinuousClock.Instant) {
        if let began { longest = max(longest, (now - began).seconds - excluded) }
        began = nil
        excluded = 0
    }
}
