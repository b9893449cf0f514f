import Devices
import Experiments
import Files
import FoundationEssentials
import Ledger
import SystemPackage
import Units

/// What becomes of a unit that ends, well or not.
extension Conductor {
    /// The unit is trained and everything it left is durable: its models go to their place, its trials are finished.
    func finish(_ id: String, on device: Device) async {
        if let known = units[id] {
            do {
                let models = try place(known)
                try writeCSV(of: known.trials)
                let ends = known.unit.lanes.map { end(of: $0.trial, in: known, models) }
                let time = Date().timeIntervalSince1970
                try ledger.attemptEnded(unit: id, number: known.lineage.attempts, outcome: "finished", at: time)
                try ledger.finish(ends, unit: id, at: time)
                try noteOutcome(of: id, .finished)
                report(
                    .unitFinished(
                        device: device.name, unit: id, trials: known.trials,
                        diverged: known.divergences.count, seconds: known.trainSeconds))
            } catch {
                await breakDown(RunError(.machine, "the results of unit \(id) cannot be kept", cause: error))
            }
        }
        await queue.ended()
    }

    /// Few of the unit's lanes are still active: the others' trials are finished, and these go on in a smaller program.
    func narrowed(_ id: String, epochs: Int, on device: Device) async {
        if let known = units[id] {
            do {
                let lanes = known.unit.lanes
                let active = lanes.indices.filter { !known.isOver(lanes[$0].trial) }
                let over = known.trials.filter(known.isOver)
                guard let checkpoint = known.checkpoint, checkpoint.epochs == epochs,
                    let width = known.unit.narrowing?.size(holding: active.count, below: known.unit.packing.lanes)
                else { throw RunError(.machine, "unit \(id) was narrowed without reason") }
                let models = try place(known)
                try writeCSV(of: over)
                let unit = try known.unit.renewed(
                    as: nextName(), lanes: active, of: width, checkpoint: checkpoint,
                    spent: try ledger.seconds(of: known.trials, before: epochs), in: folder)
                let time = Date().timeIntervalSince1970
                try ledger.attemptEnded(
                    unit: id, number: known.lineage.attempts, outcome: "narrowed",
                    message: "\(active.count) go on in unit \(unit.id)", at: time)
                try ledger.finish(over.map { end(of: $0, in: known, models) }, unit: id, at: time)
                try ledger.requeue(trials: active.map { lanes[$0].trial }, epochs: epochs)
                try noteOutcome(of: id, .finished)
                report(
                    .unitFinished(
                        device: device.name, unit: id, trials: over, diverged: known.divergences.count,
                        seconds: known.trainSeconds))
                let fit = known.unit.fit
                let share = Double(fit.lastEpoch - epochs) / Double(max(1, fit.lastEpoch - fit.firstEpoch))
                let cost = known.cost * share * Double(width) / Double(known.unit.packing.lanes)
                let queued = register(Known(unit: unit, cost: cost, lineage: UnitLineage()))
                await queue.add([queued])
            } catch {
                await breakDown(RunError(.machine, "the results of unit \(id) cannot be kept", cause: error))
            }
        }
        await queue.ended()
    }

    private func end(of trial: Int, in known: Known, _ models: [Int: String]) -> TrialEnd {
        TrialEnd(
            trial: trial, model: models[trial], bestEpoch: bestEpoch(of: trial, in: known),
            trainSeconds: known.trainSeconds / Double(known.unit.lanes.count), stop: known.stops[trial],
            divergence: known.divergences[trial])
    }

    /// The unit was ended early as asked.
    func stopped(_ id: String, epochs: Int, on device: Device) async {
        released(id, device)
        await settle(id, as: .stopped, "stopped after \(epochs) epochs") { known in
            try placeEarly(of: known.unit, epochs: known.checkpoint?.epochs)
            try ledger.requeue(trials: known.trials, epochs: epochs)
        }
    }

    /// The process is gone that had the unit in its hands.
    func died(_ id: String, _ death: RunnerProcess.Death?, on device: Device) async {
        guard let death else { return }
        recordEpochs()
        // Its last words may never have been read: they stand in the unit's own record.
        switch recall(id, on: device) {
        case .finished: await finish(id, on: device)
        case .narrowed(let epochs): await narrowed(id, epochs: epochs, on: device)
        case .failed(let code, let message): await failed(id, code, message, on: device)
        case .stopped(let epochs): await stopped(id, epochs: epochs, on: device)
        default: await ended(id, death.ending, death.message, on: device)
        }
    }

    /// Hears what a runner that is gone has written of a unit and nobody has read.
    ///
    /// - Returns: its last word on the unit, if it had come to that.
    private func recall(_ id: String, on device: Device) -> RunnerEvent.What? {
        guard let known = units[id] else { return nil }
        var last: RunnerEvent.What?
        for event in RunnerEvent.record(in: folder.unit(id)) where event.number > known.lastHeard {
            heard(event, from: device)
            last = event.what
        }
        recordEpochs()
        // A checkpoint that was not even written of is on the disk all the same, and the one before it may not be.
        if let checkpoint = known.unit.lastCheckpoint(in: folder), checkpoint.epochs > known.unit.fit.firstEpoch {
            units[id]?.checkpoint = checkpoint
        }
        return last
    }

    /// Work on the unit has ended without its being done.
    private func ended(_ id: String, _ ending: RunnerEnding, _ message: String, on device: Device) async {
        released(id, device)
        guard let known = units[id] else { return }
        if isStopping {
            return await settle(id, as: .stopped, message) { known in
                try ledger.requeue(trials: known.trials, epochs: known.epochsKept)
            }
        }
        var lineage = known.lineage
        let lanes = known.unit.lanes.indices
        switch lineage.ended(ending, trials: lanes.count, lanes: known.unit.packing.lanes) {
        case .fail: await fail(id, ending == .memory ? needed(message, by: known) : message, on: device)
        case .smaller: await packSmaller(id, lineage, message)
        case .again:
            report(.note("\(message); unit \(id) is tried again"))
            await renew(id, [(lanes, lineage)], message)
        case .split:
            report(.note("\(message); unit \(id) is tried again in halves"))
            let middle = lanes.count / 2
            await renew(id, [(0..<middle, lineage.part), (middle..<lanes.count, lineage.part)], message)
        }
    }

    /// The runner says that the unit failed.
    func failed(_ id: String, _ code: String, _ message: String, on device: Device) async {
        released(id, device)
        guard let known = units[id] else { return }
        switch code {
        case RunnerFailure.files:
            // Nothing is wrong with the trials: they wait for a disk that takes them, and go on from the last checkpoint.
            await breakDown(RunError(.machine, message))
            await settle(id, as: .stopped, message) { known in
                try ledger.requeue(trials: known.trials, epochs: known.epochsKept)
            }
        case RunnerFailure.device: await ended(id, .crash, message, on: device)
        case RunnerFailure.lostDevice: await ended(id, .lostDevice, message, on: device)
        case RunnerFailure.outOfMemory where known.unit.packing.lanes > 1:
            await packSmaller(id, known.lineage, message)
        case RunnerFailure.outOfMemory: await fail(id, needed(message, by: known), on: device)
        default: await fail(id, message, on: device)
        }
    }

    private func fail(_ id: String, _ message: String, on device: Device) async {
        await settle(id, as: .failed, message) { known in
            try ledger.fail(trials: known.trials, message: message)
            report(.unitFailed(device: device.name, unit: id, trials: known.trials, message: message))
        }
    }

    /// Ends a unit whose trials go on in new ones, from its last checkpoint or as it began.
    ///
    /// - Parameter width: the lanes of the program that they go on in; nil: of the same.
    private func renew(
        _ id: String, _ parts: [(lanes: Range<Int>, lineage: UnitLineage)], of width: Int? = nil, _ message: String
    ) async {
        await settle(id, as: .failed, message) { known in
            if let width { try await lower(known.unit, width) }
            try placeEarly(of: known.unit, epochs: known.checkpoint?.epochs)
            try ledger.requeue(trials: known.trials, epochs: known.epochsKept)
            bestEpochs.forget(known.trials, from: known.epochsKept)
            var queued: [QueuedUnit] = []
            for part in parts where !part.lanes.isEmpty {
                let unit = try known.unit.renewed(
                    as: nextName(), lanes: part.lanes, of: width, checkpoint: known.checkpoint,
                    spent: try ledger.seconds(of: known.trials, before: known.epochsKept), in: folder)
                queued.append(register(Known(unit: unit, cost: known.cost, lineage: part.lineage)))
            }
            await queue.add(queued)
        }
    }

    /// Ends a unit that needs too much memory; its trials go on from its last checkpoint, or as it began, in units of a
    /// program with half the lanes.
    private func packSmaller(_ id: String, _ lineage: UnitLineage, _ message: String) async {
        guard let known = units[id] else { return }
        let width = known.unit.packing.lanes / 2
        report(
            .note("\(message); the \(known.trials.count) trials of unit \(id) go on with at most \(width) at once"))
        var parts: [(lanes: Range<Int>, lineage: UnitLineage)] = []
        for start in stride(from: 0, to: known.trials.count, by: width) {
            parts.append((start..<min(start + width, known.trials.count), lineage.part))
        }
        await renew(id, parts, of: width, message)
    }

    /// How much memory trials needed that failed for want of it.
    private func needed(_ message: String, by known: Known) -> String {
        var text = message + "; one model alone needs more memory than there is"
        if let needed = memory[known.unit.programKey] {
            text += ": \(Self.mebibytes(needed)) by the compiler's account"
        }
        let available = preparation.devices.compactMap(\.memory).min()
        if let available { text += ", and the device has \(Self.mebibytes(available))" }
        return text
    }

    private static func mebibytes(_ bytes: Int) -> String { "\((bytes + (1 << 20) - 1) >> 20) MiB" }

    /// Ends a unit in the ledger, then does what becomes of its trials.
    private func settle(
        _ id: String, as status: UnitRecord.Status, _ message: String, _ body: (Known) async throws -> Void
    ) async {
        if let known = units[id] {
            do {
                let now = Date().timeIntervalSince1970
                try ledger.attemptEnded(
                    unit: id, number: known.lineage.attempts, outcome: status.rawValue, message: message, at: now)
                // Before its end is recorded: until then an interrupted run goes on from this unit.
                try await body(known)
                try ledger.unitEnded(id, status, at: now)
                try noteOutcome(of: id, status, message)
            } catch {
                await breakDown(RunError(.machine, "what became of unit \(id) cannot be kept", cause: error))
            }
        }
        await queue.ended()
    }

    /// Ends the run early, since it cannot go on.
    private func breakDown(_ error: RunError) async {
        breakdown = breakdown ?? error
        await stop()
    }

    /// The epoch of the model that is kept as the best, or of the weights that `EarlyStopping` takes for the best.
    private func bestEpoch(of trial: Int, in known: Known) -> Int? {
        let save = preparation.experiment.save
        let isWatched = save.best != nil || save.top != nil
        return isWatched ? bestEpochs[trial] : known.bestEpochs[trial] ?? bestEpochs[trial]
    }

    /// Moves a unit's models to the run's folder.
    ///
    /// - Returns: each trial's model: the last one, else its best, else what a callback saved last; the first weights are
    ///   only for comparison.
    private func place(_ known: Known) throws -> [Int: String] {
        let places = try move(known.models.map { ($0.file, $0.trial) })
        let ranks = ["checkpoint": 1, "best": 2, "final": 3]
        var found: [Int: (rank: Int, place: String)] = [:]
        for (model, place) in zip(known.models, places) {
            guard let rank = ranks[model.kind], rank >= found[model.trial]?.rank ?? 0 else { continue }
            found[model.trial] = (rank, place)
        }
        return found.mapValues(\.place)
    }

    /// Moves what is not written again by what goes on from a unit's checkpoint to the run's folder: the first weights, and
    /// what callbacks saved after epochs that the checkpoint holds.
    ///
    /// - Parameter epochs: the epochs in the checkpoint; nil: there is none, and all is written again.
    func placeEarly(of unit: Unit, epochs: Int?) throws {
        guard let epochs else { return }
        let models = folder.unit(unit.id).appending("models")
        let trials = Dictionary(unit.lanes.map { ($0.name, $0.trial) }) { first, _ in first }
        var early: [(file: FilePath, trial: Int)] = []
        for file in (try? Folder.list(models)) ?? [] {
            let words = file.split(separator: ".").map(String.init)
            guard words.last == "keras", words.count >= 3, let trial = trials[words[0]] else { continue }
            let last = words[words.count - 2]
            let epoch = last.hasPrefix("epoch-") ? Int(last.dropFirst("epoch-".count)) : nil
            if last == "initial" || epoch.map({ $0 <= epochs }) ?? false {
                early.append((models.appending(file), trial))
            }
        }
        if early.isEmpty { return }
        try Folder.syncFileSystem(containing: models)
        _ = try move(early)
    }

    /// Writes what `csv_logger` asks for, from the ledger.
    private func writeCSV(of trials: [Int]) throws {
        var number = 0
        for (index, callback) in preparation.experiment.callbacks.enumerated() {
            guard case .csvLogger(let settings) = callback else { continue }
            number += 1
            // Callbacks see what those before them have put into the logs.
            let seesRate = preparation.experiment.callbacks[..<index].contains(where: \.logsLearningRate)
            for trial in trials {
                var log = CSVLog(separator: settings.separator)
                for (epoch, metrics) in try ledger.epochs(of: trial) {
                    log.epochEnded(epoch, metrics.filter { seesRate || $0.key != "learning_rate" })
                }
                let place = folder.csv(
                    preparation.trials[trial].name, number: number, trial: trial, of: preparation.firstTrials)
                try Folder.create(place.removingLastComponent())
                try AtomicFile.write(Array(log.text.utf8), to: place, durable: false)
            }
        }
        if number > 0 { try Folder.syncFileSystem(containing: folder.path) }
    }

    /// Moves model files to the run's folder, each by a rename; they are on the disk before this returns.
    private func move(_ models: [(file: FilePath, trial: Int)]) throws -> [String] {
        var places: [String] = []
        var folders: Set<FilePath> = []
        for (file, trial) in models {
            let place = folder.model(file.lastComponent?.string ?? "", trial: trial, of: preparation.firstTrials)
            let target = folder.path.pushing(FilePath(place))
            let parent = target.removingLastComponent()
            if folders.insert(parent).inserted, (try? FileStamp(of: parent)) == nil {
                try Folder.create(parent)
                try Folder.synchronize(parent.removingLastComponent())
            }
            try Folder.rename(file, to: target)
            places.append(place)
        }
        for folder in folders { try Folder.synchronize(folder) }
        return places
    }
}

extension Conductor.Known {
    var trials: [Int] { unit.lanes.map(\.trial) }

    /// Whether a trial's training is over although the unit's goes on.
    func isOver(_ trial: Int) -> Bool { stops[trial] != nil || divergences[trial] != nil }

    /// The epochs that need not be trained again.
    var epochsKept: Int { checkpoint?.epochs ?? unit.fit.firstEpoch }
}

extension Unit {
    /// What there is to say of a trial whose training ended since it diverged.
    func divergence(after epochs: Int, kept: Int) -> String {
        "the loss or a weight was NaN or infinite at the end of epoch \(epochs - 1); "
            + (kept > fit.initialEpoch
                ? "the last good weights are those after epoch \(kept - 1)" : "no epoch before left good weights")
    }
}
