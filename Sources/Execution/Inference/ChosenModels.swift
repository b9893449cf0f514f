import Datasets
import Files
import Ledger
import SystemPackage
import TensorFiles
import Units

/// One trial's model, and the rows that it is used on.
struct ChosenModel: Sendable {
    var trial: TrialResult
    /// The lane that the trial was trained in, with its seed and its numbers.
    var lane: Unit.Lane
    /// The unit that trained it.
    var unit: Unit
    var model: FilePath
    /// The group whose rows it is used on, by its number; 0 where all rows are for each model.
    var group: Int
}

/// The models that a request names, and the groups of rows that they are used on.
struct ChosenModels: Sendable {
    var models: [ChosenModel]
    /// The groups of the data, in the order of their numbers; one without a name where rows are not divided.
    var groups: [Group]
    /// Rows of the data.
    var rows: Int
    /// Which rows each model is used on.
    let use: InferenceRequest.Use

    /// Rows that belong together.
    struct Group: Sendable {
        var label: String?
        var rows: Rows
    }

    /// The groups of which no chosen trial has a model.
    var withoutModel: [Group] {
        let known = Set(models.map(\.group))
        return groups.indices.filter { !known.contains($0) }.map { groups[$0] }
    }
}

extension ChosenModels {
    /// Finds the models.
    ///
    /// - Throws: `RunError` for trials that have none, where they were asked for by number.
    init(
        _ request: InferenceRequest, _ ledger: Ledger, _ groups: [Group], rows: Int, note: (String) -> Void
    ) throws {
        self.groups = groups
        self.rows = rows
        use = request.use
        let numbers = Dictionary(groups.enumerated().map { ($1.label, $0) }) { first, _ in first }
        var chosen: [(trial: TrialResult, group: Int)] = []
        var left = 0
        for trial in try Self.candidates(request, ledger) {
            guard let group = request.use == .ofGroup ? numbers[trial.plan.partitionLabel] : 0 else { continue }
            if case .numbers = request.trials {
                guard trial.model != nil else {
                    let why = trial.status == .finished ? "the run keeps no models of it (save)" : trial.status.rawValue
                    throw RunError(.request, "trial \(trial.trial) has no model: \(why)")
                }
            } else if trial.model == nil || trial.status != .finished {
                // What diverged may have left its last good weights, which are for those who ask for them.
                left += 1
                continue
            }
            chosen.append((trial, group))
        }
        if case .best(let metric) = request.trials {
            // They come the best first; without a value of the metric none is any.
            var seen: Set<Int> = []
            chosen = chosen.filter { $0.trial.finishedValue(of: metric) != nil && seen.insert($0.group).inserted }
            chosen.sort { $0.trial.trial < $1.trial.trial }
        } else if left > 0 {
            note("\(left) trial\(left == 1 ? " is" : "s are") left out: not finished, or without a model")
        }
        let folder = RunFolder(request.run)
        var units: [String: Unit] = [:]
        models = try chosen.map { trial, group in
            guard let id = trial.unit else {
                throw RunError(.machine, "the record of the run names no unit of trial \(trial.trial)")
            }
            let unit = try units[id] ?? Unit.read(id, in: folder)
            units[id] = unit
            guard let lane = unit.lanes.first(where: { $0.trial == trial.trial }) else {
                throw RunError(.machine, "the unit \(folder.unit(id)) does not hold trial \(trial.trial)")
            }
            return ChosenModel(
                trial: trial, lane: lane, unit: unit, model: request.run.pushing(FilePath(trial.model ?? "")),
                group: group)
        }
        for model in models where (try? FileStamp(of: model.model)) == nil {
            throw RunError(.request, "the model of trial \(model.trial.trial) is gone: there is no \(model.model)")
        }
        guard !models.isEmpty else {
            let groups = groups.compactMap(\.label).prefix(5).joined(separator: ", ")
            throw RunError(
                .request,
                request.use == .ofGroup
                    ? "no trial that was chosen has a model of any group of the data (\(groups))"
                    : "no trial that was chosen has a model")
        }
        if use == .heldOut { try divideByHeldOutRows(folder) }
    }

    /// Makes the rows that each model was validated on a group, those of models that share them one together.
    private mutating func divideByHeldOutRows(_ folder: RunFolder) throws {
        groups = []
        var known: [[Int32]: Int] = [:]
        var rowsOfUnit: [String: [Int32]] = [:]
        for (number, model) in models.enumerated() {
            let (lane, trial) = (model.lane, model.trial.trial)
            guard let range = lane.validation else {
                throw RunError(.request, "trial \(trial) has no rows of the data that it was validated on")
            }
            // Rows that stand for missing values are in copies of the one source that there is.
            guard let start = range.start, lane.validationSource == lane.source else {
                throw RunError(.request, "trial \(trial) was validated on data of its own, and none of the run's rows")
            }
            let file = folder.unit(model.unit.id).appending(model.unit.rowsFile)
            let all = try rowsOfUnit[model.unit.id] ?? Self.numbers(in: file)
            rowsOfUnit[model.unit.id] = all
            guard start >= 0, start + range.count <= all.count else {
                throw RunError(.machine, "\(file) does not hold the rows of trial \(trial)")
            }
            let held = Array(all[start..<start + range.count])
            guard Rows.indices(held).isInside(rows) else {
                throw RunError(
                    .request, "the run's data has \(rows) rows now, and trial \(trial) was validated on others")
            }
            let group = known[held] ?? groups.count
            if known[held] == nil { groups.append(Group(label: model.trial.plan.partitionLabel, rows: .indices(held))) }
            known[held] = group
            models[number].group = group
        }
    }

    private static func numbers(in file: FilePath) throws -> [Int32] {
        let array = try MappedArray(file)
        guard array.dtype == .int32, array.shape.count == 1 else {
            throw RunError(.machine, "\(file) does not hold int32 row numbers")
        }
        return array.withBytes { bytes in
            (0..<array.rows).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self) }
        }
    }

    private static func candidates(_ request: InferenceRequest, _ ledger: Ledger) throws -> [TrialResult] {
        switch request.trials {
        case .all: return try ledger.results(history: false)
        case .numbers(let numbers):
            let found = try ledger.results(filter: TrialFilter(trials: numbers), history: false)
            for number in numbers where !found.contains(where: { $0.trial == number }) {
                throw RunError(.request, "there is no trial \(number) in \(request.run)")
            }
            return found
        case .best(let metric):
            let metrics = try ledger.metricNames()
            guard metrics.contains(metric) else {
                throw RunError(
                    .request,
                    "there is no metric '\(metric)' in \(request.run); there is \(metrics.joined(separator: ", "))")
            }
            return try ledger.results(
                sortedBy: RunFolder(request.run).ranking(by: metric), filter: .finished, history: false)
        }
    }
}
