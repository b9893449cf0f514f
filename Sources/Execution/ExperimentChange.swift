import Experiments
import FoundationEssentials

/// What a run's experiment is to become.
///
/// A run can be given more epochs, more values of its axes and more partitions, since none of these changes what has been
/// trained; the file that it is summarized by and its checkpoints may change too. Whether its trials are all still there shows
/// only when the new ones are listed.
struct ExperimentChange {
    /// What is otherwise than it may be, a line each: `fit.batch_size: was 32, is 64`.
    let hindrances: [String]
    /// Whether anything differs at all.
    let isChange: Bool

    init(from old: RunDescription, to new: Experiment, in folder: String) throws {
        var lines: [String] = []
        if old.folder != folder { lines.append("the folder of the experiment file: was \(old.folder), is \(folder)") }
        var (before, after) = (old.experiment, new)
        for experiment in [before, after] where experiment.fit.epochs < before.fit.epochs {
            lines.append("fit.epochs: was \(before.fit.epochs), is \(experiment.fit.epochs)")
        }
        (before.positions, before.file, after.positions, after.file) = ([:], nil, [:], nil)
        isChange = before != after
        if before.partition.isBegun(by: after.partition) { before.partition = after.partition }
        if let fewer = before.within, let more = after.within, fewer.isBegun(by: more) { before.within = more }
        if before.partition == .byFile { Self.admitFiles(&before.data, after.data) }
        before.space = after.space
        before.fit.epochs = after.fit.epochs
        before.checkpoint = after.checkpoint
        before.summarize = after.summarize
        before.watch = after.watch
        // What an older version did not write.
        before.fit.onDivergence = before.fit.onDivergence ?? after.fit.onDivergence
        lines += try Self.differences(Self.tree(before), Self.tree(after), at: "")
        hindrances = lines
    }

    /// Takes further files of data, one a partition, for the same as before.
    private static func admitFiles(_ before: inout DataDescription, _ after: DataDescription) {
        func admit(_ old: inout [String], _ new: [String]) {
            if Set(old).isSubset(of: new) { old = new }
        }
        admit(&before.npz, after.npz)
        for (old, new) in zip(before.x.indices, after.x) { admit(&before.x[old].locations, new.locations) }
        for (old, new) in zip(before.y.indices, after.y) { admit(&before.y[old].locations, new.locations) }
        for (old, new) in zip(before.columns.indices, after.columns) {
            admit(&before.columns[old].locations, new.locations)
        }
        if let new = after.sampleWeight?.locations, var old = before.sampleWeight?.locations {
            admit(&old, new)
            before.sampleWeight?.locations = old
        }
    }

    /// Why a run cannot go on so.
    func refusal(of run: RunFolder, further: [String] = []) -> RunError? {
        let lines = hindrances + further
        if lines.isEmpty { return nil }
        return RunError(
            .request,
            """
            \(run.path) holds a run already, of another experiment:
            \(lines.map { "  \($0)" }.joined(separator: "\n"))
            A run may be given more epochs, more values of its axes (seeds among them) and more partitions, another \
            summarize and other checkpoints; for anything else begin a new one: give another folder with --output
            """)
    }

    // MARK: Differences

    private static func tree(_ experiment: Experiment) throws -> ParameterValue {
        try JSONDecoder().decode(ParameterValue.self, from: try JSONEncoder().encode(experiment))
    }

    private static func differences(_ old: ParameterValue?, _ new: ParameterValue?, at key: String) -> [String] {
        let (old, new) = (old.map(bare) ?? .null, new.map(bare) ?? .null)
        if old == new { return [] }
        if case .mapping(let before) = old, case .mapping(let after) = new {
            return Set(before.keys).union(after.keys).sorted().flatMap { name in
                let inner = snake(name)
                return differences(before[name], after[name], at: key.isEmpty ? inner : "\(key).\(inner)")
            }
        }
        if case .list(let before) = old, case .list(let after) = new, before.count == after.count {
            return zip(before, after).enumerated().flatMap { index, pair in
                differences(pair.0, pair.1, at: "\(key)[\(index)]")
            }
        }
        return ["\(key): was \(shown(old)), is \(shown(new))"]
    }

    /// A value without the wrapping that the coding of a Swift enumeration puts around it.
    private static func bare(_ value: ParameterValue) -> ParameterValue {
        if case .mapping(let entries) = value, entries.count == 1, let inner = entries["_0"] { return bare(inner) }
        return value
    }

    private static func shown(_ value: ParameterValue) -> String {
        let text = value == .null ? "not given" : value.description
        return text.count > 120 ? "\(text.prefix(120))…" : text
    }

    /// A Swift name as the experiment file spells it.
    private static func snake(_ name: String) -> String {
        name.reduce(into: "") { text, character in
            text += character.isUppercase ? "_\(character.lowercased())" : String(character)
        }
    }
}

extension PartitionScheme {
    /// Whether the partitions of another scheme begin with those of this one, and go on with more of the like: further
    /// samples, repeats of folds, or files of rows.
    fileprivate func isBegun(by other: PartitionScheme) -> Bool {
        switch (self, other) {
        case (.bootstrap(let fewer), .bootstrap(let more)): return fewer < more
        case (.subsample(let fewer), .subsample(let more)): return fewer.share == more.share && fewer.count < more.count
        case (.folds(var fewer), .folds(let more)):
            guard let before = fewer.repeats, let after = more.repeats, before < after else { return false }
            fewer.repeats = after
            return fewer == more
        case (.rows(let fewer), .rows(let more)):
            // A file's partition keeps its name, and which it validates on goes by its place: both lists grow at their ends.
            guard let before = fewer.validation, let after = more.validation else {
                return fewer.validation == nil && more.validation == nil
                    && Set(fewer.training).isSubset(of: more.training)
            }
            return more.training.starts(with: fewer.training) && after.starts(with: before)
        default: return false
        }
    }
}
