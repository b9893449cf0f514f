import Experiments
import Randomness
import SystemPackage

/// Divides the rows of a dataset as its experiment says.
struct Divider {
    /// Rows to train on and to validate on.
    struct Part {
        var label: String
        var training: Rows
        var validation: Rows?
    }

    let dataset: Dataset
    let devices: Int
    /// What the user should know.
    var notes: [String] = []
    /// The groups of the columns that were read.
    private var known: [String: Groups] = [:]

    init(dataset: Dataset, devices: Int) {
        self.dataset = dataset
        self.devices = devices
    }

    private var experiment: Experiment { dataset.experiment }

    /// What the parts of one partition are drawn from.
    private struct Place {
        var seed: UInt64
        /// The key of the scheme.
        var key: String
        /// The part that is divided, for messages: ` of 'north'`; empty for all rows.
        var whole: String
    }

    /// The parts of the rows that trials may see.
    mutating func parts(of rows: Rows) throws -> [Part] {
        let outer = try parts(
            of: rows, by: experiment.partition.resolved(devices: devices),
            Place(seed: experiment.seed, key: "partition", whole: ""))
        guard let within = experiment.within else { return outer }
        var parts: [Part] = []
        for (index, part) in outer.enumerated() {
            var generator = SplitMix64(seed: experiment.seed, stream: (6 << 40) + UInt64(index))
            let place = Place(seed: generator.next(), key: "partition.within", whole: " of '\(part.label)'")
            for inner in try self.parts(of: part.training, by: within, place) {
                parts.append(
                    Part(
                        label: "\(part.label)/\(inner.label)", training: inner.training, validation: inner.validation))
            }
        }
        return parts
    }

    private mutating func parts(of rows: Rows, by scheme: PartitionScheme, _ place: Place) throws -> [Part] {
        switch scheme {
        case .none, .byFile: return [Part(label: "all", training: rows)]
        case .count(let shares): return try divide(rows, into: shares, place)
        case .by(let column, let small): return try divide(rows, by: column, small, place)
        case .folds(let folds): return try fold(rows, folds, place)
        case .bootstrap(let count): return try (0..<count).map { try bootstrap(rows, $0, place) }
        case .subsample(let samples): return try (0..<samples.count).map { try subsample(rows, $0, samples, place) }
        case .rows: return try listed(among: rows)
        }
    }

    // MARK: Shares and groups

    private func divide(_ rows: Rows, into shares: PartitionScheme.Shares, _ place: Place) throws -> [Part] {
        let key = "\(place.key).count"
        func contiguous(_ sizes: [Int]) -> [Part] {
            var start = 0
            return sizes.enumerated().map { index, size in
                defer { start += size }
                return Part(label: "part-\(index)", training: rows.part(start..<(start + size)))
            }
        }
        switch shares {
        case .number(let number), .strided(let number):
            guard number <= rows.count else {
                throw experiment.error(
                    .invalidValue, at: key,
                    "\(rows.count) rows\(place.whole) make no \(number) partitions: part-\(rows.count) would have no rows"
                )
            }
            if case .strided = shares {
                return (0..<number).map { first in
                    Part(
                        label: "part-\(first)",
                        training: rows.chosen(stride(from: first, to: rows.count, by: number).map { Int32($0) }))
                }
            }
            return contiguous((0..<number).map { rows.count / number + ($0 < rows.count % number ? 1 : 0) })
        case .sizes(let sizes):
            let sum = sizes.reduce(0) { $0.addingReportingOverflow($1).partialValue }
            guard sum == rows.count else {
                let there =
                    rows == .all(dataset.rows)
                    ? "\(dataset.inputs[0].origin) has \(rows.count) rows" : "\(rows.count) rows are to be divided"
                throw experiment.error(.invalidValue, at: key, "the sizes add up to \(sum), but \(there)")
            }
            return contiguous(sizes)
        case .devices: return contiguous([rows.count])
        }
    }

    private mutating func divide(
        _ rows: Rows, by column: String, _ small: PartitionScheme.SmallGroups?, _ place: Place
    ) throws -> [Part] {
        let groups = try groups(of: column, at: "\(place.key).by", among: rows)
        var members = groups.counts.map { count in
            var rows: [Int32] = []
            rows.reserveCapacity(count)
            return rows
        }
        for (position, code) in groups.codes.enumerated() { members[Int(code)].append(Int32(position)) }
        guard let small else {
            return zip(groups.labels, members).map { Part(label: $0, training: rows.chosen($1)) }
        }
        var parts: [Part] = []
        var left: [(label: String, rows: [Int32])] = []
        for (label, members) in zip(groups.labels, members) {
            if members.count >= small.leastRows {
                parts.append(Part(label: label, training: rows.chosen(members)))
            } else {
                left.append((label, members))
            }
        }
        if left.isEmpty { return parts }
        let shown = left.prefix(20).map { "\($0.label) (\($0.rows.count))" }.joined(separator: ", ")
        let more = left.count > 20 ? " and \(left.count - 20) more" : ""
        let number = "\(left.count) \(left.count == 1 ? "group" : "groups")\(place.whole) by '\(column)'"
        let fewer = "with fewer than \(small.leastRows) rows"
        if small.pools {
            let label = groups.labels.contains("others") ? "others (pooled)" : "others"
            notes.append("partition: \(number) \(fewer), together in the partition '\(label)': \(shown)\(more)")
            parts.append(Part(label: label, training: rows.chosen(left.flatMap(\.rows).sorted())))
        } else {
            guard !parts.isEmpty else {
                throw experiment.error(
                    .invalidValue, at: "\(place.key).min_rows",
                    "every group\(place.whole) by '\(column)' has fewer than \(small.leastRows) rows: \(shown)\(more)")
            }
            notes.append("partition: \(number) \(fewer), left out: \(shown)\(more)")
        }
        return parts
    }

    /// The groups of some rows, without those that have none of them.
    private mutating func groups(of column: String, at key: String, among rows: Rows) throws -> Groups {
        let all: Groups
        if let found = known[column] {
            all = found
        } else {
            all = try dataset.groups(of: column, at: key)
            known[column] = all
        }
        return rows == .all(dataset.rows) ? all : all.among(rows)
    }

    // MARK: Folds

    private mutating func fold(_ rows: Rows, _ folds: PartitionScheme.Folds, _ place: Place) throws -> [Part] {
        let count = folds.count
        guard count <= rows.count else {
            throw experiment.error(
                .invalidValue, at: "\(place.key).folds",
                "\(rows.count) rows\(place.whole) make no \(count) folds: fold-\(rows.count) would have no rows")
        }
        if let time = folds.time { return try foldByTime(rows, time, count, place) }
        var parts: [Part] = []
        for repetition in 0..<(folds.repeats ?? 1) {
            let assigned = try assign(rows, folds, UInt64(repetition), place)
            for fold in 0..<Int32(count) {
                var training: [Int32] = []
                var validation: [Int32] = []
                for (position, other) in assigned.enumerated() {
                    if other == fold { validation.append(Int32(position)) } else { training.append(Int32(position)) }
                }
                let label = folds.repeats == nil ? "fold-\(fold)" : "repeat-\(repetition)-fold-\(fold)"
                parts.append(
                    Part(label: label, training: rows.chosen(training), validation: rows.chosen(validation)))
            }
        }
        return parts
    }

    /// The fold of each row, by its position.
    private mutating func assign(
        _ rows: Rows, _ folds: PartitionScheme.Folds, _ repetition: UInt64, _ place: Place
    ) throws -> [Int32] {
        if let column = folds.stratify {
            let classes = try groups(of: column, at: "\(place.key).stratify", among: rows)
            guard classes.counts.max() ?? 0 >= folds.count else {
                throw experiment.error(
                    .invalidValue, at: "\(place.key).stratify",
                    "no value of '\(column)' is in \(folds.count) rows or more\(place.whole), so that the folds cannot share it: leave out stratify, or stratify by classes"
                )
            }
            return Folding.stratified(classes, count: folds.count, seed: place.seed, repetition: repetition)
        }
        if let column = folds.groups {
            let groups = try groups(of: column, at: "\(place.key).groups", among: rows)
            guard groups.labels.count >= folds.count else {
                throw experiment.error(
                    .invalidValue, at: "\(place.key).groups",
                    "'\(column)' has \(groups.labels.count) values\(place.whole) for \(folds.count) folds, so that one would have no rows"
                )
            }
            return Folding.grouped(groups, count: folds.count, seed: place.seed, repetition: repetition)
        }
        return Folding.plain(rows: rows.count, count: folds.count, seed: place.seed, repetition: repetition)
    }

    /// scikit-learn's `TimeSeriesSplit(count)`: the last rows in `count` blocks, each validating what comes before it.
    private mutating func foldByTime(_ rows: Rows, _ time: String, _ count: Int, _ place: Place) throws -> [Part] {
        let size = rows.count / (count + 1)
        guard size > 0 else {
            throw experiment.error(
                .invalidValue, at: "\(place.key).folds",
                "\(rows.count) rows\(place.whole) are too few for \(count) folds in the order of time and rows before them"
            )
        }
        var order = Array(0..<Int32(rows.count))
        if time != PartitionScheme.Folds.ownOrder {
            let codes = try groups(of: time, at: "\(place.key).time", among: rows).codes
            order.sort { (codes[Int($0)], $0) < (codes[Int($1)], $1) }
        }
        return (0..<count).map { fold in
            let start = rows.count - (count - fold) * size
            return Part(
                label: "fold-\(fold)", training: rows.chosen(Array(order[..<start])),
                validation: rows.chosen(Array(order[start..<(start + size)])))
        }
    }

    // MARK: Samples

    private func bootstrap(_ rows: Rows, _ sample: Int, _ place: Place) throws -> Part {
        var generator = SplitMix64(seed: place.seed, stream: (2 << 40) + UInt64(sample))
        var times = [Int](repeating: 0, count: rows.count)
        for _ in 0..<rows.count { times[Int(generator.below(UInt64(rows.count)))] += 1 }
        var drawn: [Int32] = []
        var left: [Int32] = []
        for (row, times) in times.enumerated() {
            if times == 0 { left.append(Int32(row)) }
            drawn.append(contentsOf: repeatElement(Int32(row), count: times))
        }
        if left.isEmpty {
            throw experiment.error(
                at: "\(place.key).bootstrap",
                "sample-\(sample) drew every one of the \(rows.count) rows\(place.whole), so that none is left to validate on"
            )
        }
        return Part(label: "sample-\(sample)", training: rows.chosen(drawn), validation: rows.chosen(left))
    }

    private func subsample(
        _ rows: Rows, _ sample: Int, _ samples: PartitionScheme.Samples, _ place: Place
    ) throws -> Part {
        let size = Int((Double(rows.count) * samples.share).rounded(.down))
        guard size > 0 else {
            throw experiment.error(
                .invalidValue, at: "\(place.key).share",
                "a share of \(samples.share) of the \(rows.count) rows\(place.whole) is less than one row")
        }
        let (drawn, left) = Folding.drawn(size, of: rows.count, seed: place.seed, stream: (4 << 40) + UInt64(sample))
        return Part(label: "sample-\(sample)", training: rows.chosen(drawn), validation: rows.chosen(left))
    }

    // MARK: Rows that files list, and rows that nobody sees

    private func listed(among rows: Rows) throws -> [Part] {
        let training = dataset.rowFiles["partition.rows"] ?? []
        let validation = dataset.rowFiles["partition.validation"]
        if let validation, validation.count != training.count {
            throw experiment.error(
                at: "partition.validation",
                "there are \(validation.count) files of rows to validate on and \(training.count) to train on: give one for each"
            )
        }
        let seen = rows == .all(dataset.rows) ? nil : Set(rows.numbers)
        let stems = training.map { $0.path.stem ?? $0.path.string }
        let labels = Set(stems).count == stems.count ? stems : training.map(\.text)
        return try training.indices.map { index in
            let held = try validation.map { try dataset.rowNumbers($0[index], among: seen) }
            return Part(
                label: labels[index], training: .indices(try dataset.rowNumbers(training[index], among: seen)),
                validation: held.map { .indices($0) })
        }
    }

    /// The rows that no trial sees.
    func testSet() throws -> Rows? {
        guard let testSet = experiment.testSet else { return nil }
        let count = dataset.rows
        func size(_ share: Double) throws -> Int {
            // scikit-learn's train_test_split rounds up.
            let size = Int((Double(count) * share).rounded(.up))
            guard size < count else {
                throw experiment.error(
                    .invalidValue, at: "partition.test", "a share of \(share) of \(count) rows leaves none to train on")
            }
            return size
        }
        switch testSet {
        case .share(let share):
            let drawn = Folding.drawn(try size(share), of: count, seed: experiment.seed, stream: 5 << 40).drawn
            return .indices(drawn)
        case .last(let share): return .range((count - (try size(share)))..<count)
        case .rows:
            let numbers = Set(
                try (dataset.rowFiles["partition.test"] ?? []).flatMap { location in
                    try dataset.rowNumbers(location, among: nil)
                })
            guard numbers.count < count else {
                throw experiment.error(at: "partition.test", "all \(count) rows are set aside, so that none is left")
            }
            return .indices(numbers.sorted())
        }
    }
}
