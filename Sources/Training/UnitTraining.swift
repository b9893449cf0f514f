import Bundles
import Files
import PJRT
import Programs
import SystemPackage
import Units

/// Trains the lanes of one unit: epochs of steps on the device, their metrics, and the states that models are made of.
///
/// The steps, their order and the handling of the last partial batch are those of `keras.Model.fit` on the JAX backend
/// (`keras.src.backend.jax.trainer.JAXTrainer.fit`): metrics begin anew each epoch, the last batch is a step of its own
/// shape, and validation follows the epoch's last step.
struct UnitTraining {
    let unit: Unit
    let program: LoadedProgram
    let client: Client
    let data: UnitData
    let residents: ResidentArrays
    let log: EventLog
    let folder: FilePath
    /// Whether training shall end after the epoch.
    let shallStop: () -> Bool
    /// Waits until the states that were given to `keep` are files on the disk: what goes on from a checkpoint relies on them.
    let settle: () throws -> Void
    /// Called with states that have come back from the device and shall become model files.
    let keep: (TrainedState) -> Void
    /// Called with the checkpoint of the last epoch, which becomes a file after the states that were kept before it.
    let keepLast: (CheckpointImage) -> Void
    /// How long the calls take, for those who wait for a sign of life.
    let pace: Pace
    private let inputTime = InputTime()

    /// How training ended.
    enum Outcome {
        /// All lanes came to their end.
        case trained
        /// It was stopped after so many epochs, which its checkpoint holds.
        case stopped(epochs: Int)
        /// The lanes that are still active go on in a smaller program, from the checkpoint after so many epochs.
        case narrowed(epochs: Int)
    }

    /// Trains all epochs.
    func run() throws -> Outcome {
        let clock = ContinuousClock()
        let began = clock.now
        var checkpointed = began
        var seconds = 0.0
        let starts = try LaneStarts(unit, of: program, in: folder)
        var state = try starts.state()
        var best = starts.bestValues()
        let bestState = KeptState(.best, try starts.kept(.best, beside: state))
        let divergence =
            unit.endsOnDivergence ? Divergence(unit, program, try starts.kept(.earlier, beside: state)) : nil
        var callbacks = try CohortCallbacks(unit, program, state, starts: starts)
        for (lane, callbacks) in callbacks.lanes.enumerated() {
            if let ending = callbacks.ending { say(ending, lane) }
        }
        if unit.save.initial, starts.areBeginnings { keep(try TrainedState(state, .initial, of: unit, program)) }
        for epoch in unit.fit.firstEpoch..<unit.fit.lastEpoch where callbacks.isActive.contains(true) {
            let active = callbacks.isActive
            if unit.narrows(before: epoch, active: active) {
                try checkpoint(state, bestState, best, callbacks, divergence, epochs: epoch)
                try leave(active.indices.filter { !active[$0] }, &state, bestState, &callbacks)
                log.say(
                    .trained(seconds: began.duration(to: clock.now).seconds, input: inputTime.seconds), unit: unit.id)
                return .narrowed(epochs: epoch)
            }
            let epochBegan = clock.now
            pace.next("the beginning of an epoch")
            try callbacks.epochBegins(epoch, &state)
            var metrics = try train(epoch, active, &state, keep: divergence?.keep)
            if validates(after: epoch) {
                callbacks.validationBegins(&state)
                for (name, values) in try validate(epoch, active, &state) { metrics["val_\(name)"] = values }
                callbacks.validationEnded(&state)
            }
            pace.next("the end of an epoch")
            let diverged = try divergence?.epochEnded(epoch, metrics["loss"], active, &state) ?? []
            callbacks.diverged(diverged, epoch: epoch)
            if let better = best.update(metrics, but: diverged.map(\.lane)) {
                try bestState.keep(better, of: state, program)
            }
            let endings = try callbacks.epochEnded(epoch, &metrics, &state) { lanes, suffix, state in
                keep(try TrainedState(state, .checkpoint, of: unit, program, lanes: lanes, suffix: suffix))
            }
            let trained = active.indices.filter { active[$0] }
            log.say(
                .epoch(
                    epoch: epoch, seconds: epochBegan.duration(to: clock.now).seconds, lanes: trained,
                    metrics: metrics.mapValues { values in trained.map { values[$0] } }), unit: unit.id)
            for lane in diverged {
                log.say(.diverged(lane: lane.lane, epochs: epoch + 1, kept: lane.kept), unit: unit.id)
            }
            seconds += epochBegan.duration(to: clock.now).seconds
            for (lane, ending) in endings + callbacks.timeEnds(after: epoch, seconds: seconds) { say(ending, lane) }
            #if DEBUG
                try Faults.strike(unit, after: epoch)
            #endif
            let stops = shallStop()
            let isDue =
                unit.save.checkpointSeconds.map { (clock.now - checkpointed).seconds >= $0 } ?? false
                || unit.save.checkpointEpochs.map { (epoch + 1).isMultiple(of: $0) } ?? false
            guard epoch + 1 < unit.fit.lastEpoch, callbacks.isActive.contains(true), stops || isDue else { continue }
            try checkpoint(state, bestState, best, callbacks, divergence, epochs: epoch + 1)
            checkpointed = clock.now
            if stops { return .stopped(epochs: epoch + 1) }
        }
        if unit.save.checkpointAtEnd ?? false, callbacks.isActive.contains(true) {
            pace.announce("a checkpoint")
            keepLast(try image(state, bestState, best, callbacks, divergence, epochs: unit.fit.lastEpoch))
        }
        try leave(Array(unit.lanes.indices), &state, bestState, &callbacks)
        log.say(.trained(seconds: began.duration(to: clock.now).seconds, input: inputTime.seconds), unit: unit.id)
        return .trained
    }

    /// Leaves the models of lanes whose training is over; the state is of no use after it.
    private func leave(
        _ lanes: [Int], _ state: inout LoadedProgram.State, _ bestState: KeptState, _ callbacks: inout CohortCallbacks
    ) throws {
        pace.announce("the end of training")
        try callbacks.finalize(&state)
        try callbacks.trainingEnded(&state)
        try bestState.withState { keep(try TrainedState($0, .best, of: unit, program, lanes: lanes)) }
        try callbacks.saveBest(of: lanes) { lanes, suffix, state in
            keep(try TrainedState(state, .checkpoint, of: unit, program, lanes: lanes, suffix: suffix))
        }
        for lane in lanes {
            if let epoch = callbacks.lanes[lane].bestEpoch { log.say(.best(lane: lane, epoch: epoch), unit: unit.id) }
        }
        // Of a lane that diverged in its first epoch there is nothing to keep.
        let trained = lanes.filter { callbacks.lanes[$0].ending?.kept != unit.fit.initialEpoch }
        if unit.save.final { keep(try TrainedState(state, .final, of: unit, program, lanes: trained)) }
    }

    /// Leaves a checkpoint in the place of the last one.
    private func checkpoint(
        _ state: borrowing LoadedProgram.State, _ bestState: KeptState, _ best: BestEpochs,
        _ callbacks: CohortCallbacks, _ divergence: Divergence?, epochs: Int
    ) throws {
        pace.announce("a checkpoint")
        try settle()
        let image = try image(state, bestState, best, callbacks, divergence, epochs: epochs)
        try log.synchronize(unit: unit.id)
        try image.write(in: folder)
        log.say(.checkpoint(epochs: epochs, file: image.fileName), unit: unit.id)
        try Checkpoint.removeOthers(than: image.fileName, in: folder)
    }

    private func image(
        _ state: borrowing LoadedProgram.State, _ bestState: KeptState, _ best: BestEpochs,
        _ callbacks: CohortCallbacks, _ divergence: Divergence?, epochs: Int
    ) throws -> CheckpointImage {
        let kept =
            [bestState] + callbacks.kept.sorted { $0.key < $1.key }.map(\.value)
            + (try divergence?.needed(beside: state, callbacks.isActive) ?? [])
        return try CheckpointImage(
            state, kept: kept, values: best, callbacks: callbacks, epochs: epochs, program: program)
    }

    private func say(_ ending: LaneCallbacks.Ending, _ lane: Int) {
        if let kept = ending.kept {
            log.say(.diverged(lane: lane, epochs: ending.epochs, kept: kept), unit: unit.id)
        } else {
            log.say(.ended(lane: lane, epochs: ending.epochs, by: ending.by), unit: unit.id)
        }
    }

    /// - Parameter keep: is given the state as it was before the epoch.
    private func train(
        _ epoch: Int, _ active: [Bool], _ state: inout LoadedProgram.State,
        keep: ((consuming LoadedProgram.State) -> Void)?
    ) throws -> [String: [Double]] {
        let batch = { @Sendable [unit, data] (index: Int) in
            let lane = unit.lanes[index]
            let source = data.sources[lane.source]
            guard active[index] else { return LaneBatch(order: nil, first: 0, count: 0, data: source) }
            let order = data.training[index]
            let taken = unit.fit.epochRows(epoch, of: order.count)
            return LaneBatch(
                order: order.order(of: taken.orderEpoch, seed: lane.seed, unit.fit), first: taken.rows.lowerBound,
                count: taken.rows.count, data: source)
        }
        // A runner on the CPU has its core to itself and no other; for a GPU, drawing the orders of a thousand lanes takes
        // longer than training them.
        let batches = client.isCPU ? unit.lanes.indices.map(batch) : concurrently(unit.lanes.count, batch)
        return try pass(
            .train, batches, batchSize: unit.fit.batchSize, steps: unit.packing.steps, epoch,
            logs: program.bundle.description.logs, &state, keep: keep)
    }

    private func validates(after epoch: Int) -> Bool {
        unit.lanes.contains { $0.validation != nil } && unit.fit.validationFrequency.isDue(after: epoch)
    }

    private func validate(
        _ epoch: Int, _ active: [Bool], _ state: inout LoadedProgram.State
    ) throws -> [String: [Double]] {
        let batches = unit.lanes.enumerated().map { index, lane in
            let order = active[index] ? data.validation[index] : nil
            return LaneBatch(
                order: order?.stored, first: 0, count: order?.count ?? 0,
                data: data.sources[lane.validationSource ?? lane.source])
        }
        return try pass(
            .evaluate, batches, batchSize: unit.fit.validationBatchSize, steps: unit.packing.evaluateSteps, epoch,
            logs: program.bundle.description.evaluateLogs, &state)
    }

    /// Runs every lane through its rows once.
    private func pass(
        _ function: FunctionName, _ lanes: [LaneBatch], batchSize: Int, steps: Int, _ epoch: Int, logs names: [String],
        _ state: inout LoadedProgram.State, keep: ((consuming LoadedProgram.State) -> Void)? = nil
    ) throws -> [String: [Double]] {
        let halt = function == .train && unit.haltsOnNaN
        var logs = LaneLogs(names: names, lanes: lanes.count, halt: halt)
        let longest = lanes.map { $0.count / batchSize }.max() ?? 0
        let masked = unit.packing.maskedForm(evaluates: function == .evaluate)
        let calls = PassCall.calls(for: lanes, batchSize: batchSize, steps: steps, isMasked: masked != nil)
        let feed = feed(lanes, calls, batchSize: batchSize)
        for (number, call) in calls.enumerated() {
            let parts = lanes.map { call.part(of: $0, batchSize: batchSize) }
            let counts = parts.map(call.steps)
            let spare = Array(repeating: Int32(0), count: program.lanes - lanes.count)
            let form = unit.packing.form(evaluates: function == .evaluate, isTail: call.isTail)
            let inputs = try inputTime.measure { try self.inputs(of: parts, call, feed) }
            pace.next("\(function.rawValue) \(call.steps)x\(call.rows)")
            let result = try program.run(
                function, steps: call.steps, rows: call.rows, state: &state, inputs: inputs,
                rowCounts: call.isMasked ? parts.map { Int32($0.count) } + spare : nil, counts: counts + spare,
                reset: number == 0, form: call.isMasked ? masked : form, halt: halt, keep: number == 0 ? keep : nil)
            logs.add(result, for: counts)
            log.beat(unit: unit.id, epoch: epoch, step: call.lastStep, steps: longest, call: pace.longest)
        }
        return try logs.values()
    }

    /// The rows of a call on the device: taken there where the arrays lie there, else gathered here and brought over.
    private func inputs(of parts: [LaneBatch], _ call: PassCall, _ feed: CallFeed?) throws -> BufferList {
        if let feed { return try feed.next() }
        if let source = try residents.source(of: parts) {
            let numbers = LaneBatch.numbers(of: parts, width: program.lanes, laneRows: call.steps * call.rows)
            return try program.gather(numbers, steps: call.steps, rows: call.rows, of: source.arrays)
        }
        return try data.upload(
            parts, to: client, width: program.lanes, steps: call.steps, rows: call.rows, of: program.bundle.description)
    }

    /// What gathers the calls of a pass ahead; nil where the device takes rows itself.
    private func feed(_ lanes: [LaneBatch], _ calls: [PassCall], batchSize: Int) -> CallFeed? {
        guard !lanes.contains(where: { $0.data.source.isResident == true }) else { return nil }
        let (width, description) = (program.lanes, program.bundle.description)
        let rowBytes = data.sources.first?.columns.reduce(0) { $0 + $1.rowBytes } ?? 0
        return CallFeed(
            count: calls.count,
            // Less is gathered sooner than another thread takes it up.
            isAhead: { width * calls[$0].steps * calls[$0].rows * rowBytes >= 1 << 20 },
            make: { [data, client] number in
                let call = calls[number]
                let parts = lanes.map { call.part(of: $0, batchSize: batchSize) }
                data.announce(parts)
                return try data.upload(
                    parts, to: client, width: width, steps: call.steps, rows: call.rows, of: description)
            })
    }
}

/// How long training had no rows to train on.
private final class InputTime {
    private(set) var seconds = 0.0

    func measure<Result: ~Copyable>(_ body: () throws -> Result) rethrows -> Result {
        let began = ContinuousClock.now
        defer { seconds += began.duration(to: .now).seconds }
        return try body()
    }
}

extension Duration {
    /// The duration in seconds.
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
