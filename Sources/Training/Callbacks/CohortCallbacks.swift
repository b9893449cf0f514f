import FoundationEssentials
import Programs
import Units

/// The callbacks of a unit's lanes: called at each epoch's end in the unit's order, as `keras.callbacks.CallbackList` does.
struct CohortCallbacks {
    let unit: Unit
    let program: LoadedProgram
    private(set) var lanes: [LaneCallbacks]
    /// What callbacks keep on the device, by their numbers.
    private(set) var kept: [Int: KeptState] = [:]
    /// The learning rates in the optimizers' variables; nil where no callback asks for them.
    var rates: [Float]?
    /// `SwapEMAWeights`, where there is one.
    let swap: Unit.SwapEMAWeights?
    /// Whether the weights and their moving averages stand in each other's place, in every lane.
    private(set) var averagesStand: Bool

    /// A lane's end, by a callback, at the epoch that has just ended.
    typealias Ending = (lane: Int, ending: LaneCallbacks.Ending)

    /// The callbacks before the first epoch, or as a checkpoint left them.
    init(
        _ unit: Unit, _ program: LoadedProgram, _ state: borrowing LoadedProgram.State, starts: LaneStarts
    ) throws {
        self.unit = unit
        self.program = program
        lanes = try starts.callbacks()
        for (number, callback) in unit.callbacks.enumerated() where callback.keepsState {
            kept[number] = KeptState(
                .callback(number), try starts.kept(.callback(number), beside: state))
        }
        var swaps: [Unit.SwapEMAWeights] = []
        for case .swapEMAWeights(let settings) in unit.callbacks { swaps.append(settings) }
        swap = swaps.first
        // An epoch's end leaves them so until the next begins.
        averagesStand = swaps.first?.swapOnEpoch == true && unit.fit.firstEpoch > unit.fit.initialEpoch
        if unit.callbacks.contains(where: \.setsLearningRate) { rates = try program.values("learning_rate", in: state) }
    }

    /// Puts the averages in the weights' place, or the weights back in theirs.
    mutating func exchangeAverages(_ state: inout LoadedProgram.State, stand: Bool) {
        if averagesStand == stand { return }
        program.exchangeAverages(&state)
        averagesStand = stand
    }

    /// Whether a lane is still being trained.
    var isActive: [Bool] { lanes.map { $0.ending == nil } }

    /// Calls every callback's `on_epoch_end` for the lanes that trained the epoch.
    ///
    /// - Parameters:
    ///   - metrics: a value a lane for every metric; callbacks add `learning_rate`, which those after them see.
    ///   - save: called with lanes whose models as they are now become files, and the ending of the files' names.
    /// - Returns: the lanes whose training ends here.
    mutating func epochEnded(
        _ epoch: Int, _ metrics: inout [String: [Double]], _ state: inout LoadedProgram.State,
        save: (_ lanes: [Int], _ suffix: String, borrowing LoadedProgram.State) throws -> Void
    ) throws -> [Ending] {
        let active = lanes.indices.filter { lanes[$0].ending == nil }
        var stoppers: [Int: String] = [:]
        // Keras's looks at each batch, and so stops before any callback sees the epoch's end.
        if let callback = unit.callbacks.first(where: \.terminatesOnNaN), let losses = metrics["loss"] {
            for lane in active where TerminateOnNaN.stops(loss: losses[lane]) { stoppers[lane] = callback.name }
        }
        for (number, callback) in unit.callbacks.enumerated() {
            if callback.setsLearningRate, let rates { metrics["learning_rate"] = rates.map { Double($0) } }
            if swap?.swapOnEpoch == true, callback.swaps { exchangeAverages(&state, stand: true) }
            func value(_ monitor: String, _ lane: Int) -> Double? { metrics[monitor]?[lane] }
            var marked = [Bool](repeating: false, count: lanes.count)
            for lane in active {
                switch lanes[lane].callbacks[number] {
                case .earlyStopping(var machine):
                    let verdict = machine.epochEnded(epoch, value(machine.settings.monitor, lane))
                    lanes[lane].callbacks[number] = .earlyStopping(machine)
                    marked[lane] = verdict.keepsWeights
                    if verdict.stops, stoppers[lane] == nil { stoppers[lane] = callback.name }
                case .reduceLROnPlateau(var machine):
                    guard let rate = rates?[lane] else { continue }
                    let reduced = machine.epochEnded(value(machine.settings.monitor, lane), rate: rate)
                    lanes[lane].callbacks[number] = .reduceLROnPlateau(machine)
                    marked[lane] = reduced != nil
                    if let reduced { rates?[lane] = reduced }
                case .modelCheckpoint(var machine):
                    marked[lane] = machine.epochEnded(value(machine.settings.monitor, lane))
                    lanes[lane].callbacks[number] = .modelCheckpoint(machine)
                case .stateless: continue
                }
            }
            guard marked.contains(true) else { continue }
            switch callback {
            case .reduceLROnPlateau:
                if let rates { try program.set("learning_rate", to: rates.map { Double($0) }, in: &state) }
            case .modelCheckpoint(let settings) where !settings.saveBestOnly:
                let chosen = marked.indices.filter { marked[$0] }
                try save(chosen, suffix(of: number, epoch: epoch), state)
            default: try kept[number]?.keep(marked, of: state, program)
            }
        }
        return active.compactMap { lane in
            guard let by = stoppers[lane] else { return nil }
            let ending = LaneCallbacks.Ending(epochs: epoch + 1, by: by)
            lanes[lane].ending = ending
            return (lane, ending)
        }
    }

    /// Ends the training of lanes that have diverged in an epoch, of which no callback hears.
    mutating func diverged(_ divergences: [Divergence.Lane], epoch: Int) {
        for lane in divergences {
            lanes[lane.lane].ending = LaneCallbacks.Ending(epochs: epoch + 1, by: "divergence", kept: lane.kept)
        }
    }

    /// Ends the training of lanes whose time is over.
    ///
    /// - Parameter seconds: what the unit's epochs have taken so far.
    mutating func timeEnds(after epoch: Int, seconds: Double) -> [Ending] {
        if epoch + 1 == unit.fit.lastEpoch { return [] }
        return unit.lanes.enumerated().compactMap { lane, settings in
            guard lanes[lane].ending == nil, let limit = settings.timeLimit,
                (settings.timeSpent ?? 0) + seconds >= limit
            else { return nil }
            let ending = LaneCallbacks.Ending(epochs: epoch + 1, by: "time_limit")
            lanes[lane].ending = ending
            return (lane, ending)
        }
    }

    /// What `on_train_end` does to the weights, after `Model.fit` has finalized them: those of the best epoch come back.
    func trainingEnded(_ state: inout LoadedProgram.State) throws {
        for number in unit.callbacks.indices {
            let restores = lanes.map { lane in
                if case .earlyStopping(let machine) = lane.callbacks[number] { machine.hasWeights } else { false }
            }
            guard restores.contains(true), let restored = try kept[number]?.restoreWeights(restores, of: state, program)
            else { continue }
            state = restored
        }
    }

    /// Hands over the models that checkpoints with `save_best_only` have kept, among some lanes.
    func saveBest(
        of chosen: [Int], _ save: (_ lanes: [Int], _ suffix: String, borrowing LoadedProgram.State) throws -> Void
    ) throws {
        for (number, callback) in unit.callbacks.enumerated() {
            guard case .modelCheckpoint = callback, let kept = kept[number] else { continue }
            let saved = chosen.filter { lane in
                if case .modelCheckpoint(let machine) = lanes[lane].callbacks[number] {
                    machine.hasSaved
                } else {
                    false
                }
            }
            guard !saved.isEmpty else { continue }
            _ = try kept.withState { try save(saved, suffix(of: number, epoch: nil), $0) }
        }
    }

    /// What a checkpoint callback's files are called after the trial's name: see `Unit.ModelCheckpoint`.
    private func suffix(of number: Int, epoch: Int?) -> String {
        let position = unit.callbacks[...number].count { if case .modelCheckpoint = $0 { true } else { false } }
        let name = position == 1 ? "checkpoint" : "checkpoint-\(position)"
        guard let epoch else { return name }
        let text = String(epoch + 1)
        let padded = "epoch-\(String(repeating: "0", count: max(0, 3 - text.count)))\(text)"
        return position == 1 ? padded : "\(name).\(padded)"
    }
}

extension CohortCallbacks {
    /// All lanes' memory as the text that a checkpoint keeps.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return String(decoding: try encoder.encode(lanes), as: UTF8.self)
    }

    /// The lanes' memory that `json` wrote.
    static func lanes(json: String) throws -> [LaneCallbacks] {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return try decoder.decode([LaneCallbacks].self, from: Data(json.utf8))
    }
}

extension Unit.Callback {
    /// Whether it keeps a state of the lanes on the device.
    fileprivate var keepsState: Bool {
        switch self {
        case .earlyStopping(let settings): settings.restoreBestWeights
        case .modelCheckpoint(let settings): settings.saveBestOnly
        default: false
        }
    }

    /// Whether it sets the optimizer's learning rate, and puts it into the logs.
    var setsLearningRate: Bool {
        switch self {
        case .reduceLROnPlateau, .learningRateScheduler: true
        default: false
        }
    }

    fileprivate var swaps: Bool {
        if case .swapEMAWeights = self { true } else { false }
    }

    fileprivate var terminatesOnNaN: Bool {
        if case .terminateOnNaN = self { true } else { false }
    }
}
