/// Steps that are computed, and those of them that no trial takes: a vectorized lane that waits for longer ones, or has no
/// trial, costs as much as one that trains.
public struct Padding: Sendable, Equatable, Codable {
    /// Steps over all lanes.
    public var computed: Int
    /// Those that no trial takes.
    public var idle: Int

    public init(computed: Int = 0, idle: Int = 0) {
        self.computed = computed
        self.idle = idle
    }

    /// The share of the steps that no trial takes, from 0 to 1.
    public var share: Double { computed > 0 ? Double(idle) / Double(computed) : 0 }

    public static func + (one: Padding, two: Padding) -> Padding {
        Padding(computed: one.computed + two.computed, idle: one.idle + two.idle)
    }
}

extension Packing {
    /// The form of the functions of last partial batches: the same for all cohorts of a size, so that none is needed twice.
    ///
    /// - Parameter tail: the size of a trial's last batch, 0 where it has none.
    static func tailForm(
        of stretch: Stretch, in order: [Workload.Trial], _ program: Workload.Program, _ kind: DeviceFleet.Kind,
        _ tail: (Workload.Trial) -> Int
    ) -> Workload.Form {
        let form = program.form
        if program.masksRows, Set(order.map(tail)).subtracting([0]).count > fewTails { return .masked }
        let isLooped = stretch.cohorts.contains { part in
            let sizes = Set(order[part.places].map(tail)).subtracting([0]).count
            return tailForm(sizes: sizes, members: part.places.count, lanes: part.lanes, form, kind) != form
        }
        return isLooped ? .looped : form
    }

    /// The form that suits one cohort.
    ///
    /// - Parameters:
    ///   - sizes: how many sizes of last batch there are.
    ///   - form: that of the whole batches.
    static func tailForm(
        sizes: Int, members: Int, lanes: Int, _ form: Workload.Form, _ kind: DeviceFleet.Kind
    ) -> Workload.Form {
        guard form == .vectorized, kind == .cpu, lanes > 1, sizes > fewTails else { return form }
        // Each size is a step of all lanes, or of a loop over those that it is for.
        return sizes * lanes > loopedStepCost * members ? .looped : .vectorized
    }

    /// Sizes of last batch up to which each is a function that all lanes take at once: those of plain folds and shares.
    public static let fewTails = 2

    /// What a step of one lane costs in a loop, in units of a vectorized lane's: it computes alone, and the lane's state is
    /// taken out and put back.
    static let loopedStepCost = 4

    /// The steps of an epoch of trials that train in one cohort, whose last batches are computed in a form.
    static func padding(
        of members: ArraySlice<Workload.Trial>, lanes: Int, tails: Workload.Form, _ workload: Workload
    ) -> Padding {
        var longest = 0
        var whole = 0
        var partial = 0
        var sizes: Set<Int> = []
        for trial in members {
            let batches = workload.wholeBatches(trial)
            longest = max(longest, batches)
            whole += batches
            let tail = workload.tail(trial)
            if tail > 0 {
                partial += 1
                sizes.insert(tails.call(ofTail: tail))
            }
        }
        // A loop leaves out the steps that no trial takes.
        guard workload.program.form == .vectorized else { return Padding(computed: whole + partial) }
        let computed = longest * lanes + (tails == .looped ? partial : sizes.count * lanes)
        return Padding(computed: computed, idle: computed - whole - partial)
    }
}

/// The sizes of last partial batches, by the size of the whole ones: trials of different batch sizes share no call.
public struct TailSizes: Sendable {
    private var sizes: [Int: Set<Int>] = [:]
    /// Whether there are so many for some batch size that one function for all of them pays.
    public private(set) var areMany = false

    public init() {}

    /// Adds the last batch of so many rows, if it is a partial one.
    ///
    /// - Parameter batchSize: from 1.
    public mutating func add(rows: Int, batchSize: Int) {
        let size = rows % batchSize
        guard size > 0, sizes[batchSize, default: []].insert(size).inserted else { return }
        areMany = areMany || (sizes[batchSize] ?? []).count > Packing.fewTails
    }
}

extension Workload.Form {
    /// The rows of the smallest last batch that the call takes which takes one of this size.
    ///
    /// Masked, two rows and more go into one call; a single row is a function of its own, as batch normalization makes exact
    /// zeros of it.
    public func call(ofTail size: Int) -> Int { self == .masked ? min(size, 2) : size }
}
