import Bundles
import Files
import FoundationEssentials
import PJRT
import Programs
import SystemPackage
import TensorFiles
import Units

/// Uses the models of a unit's lanes on rows: what `Model.predict` and `Model.evaluate` do, for all lanes at once.
///
/// Batches are those of Keras: whole ones, then the rest as a batch of its own size.
struct UnitInference {
    let unit: Unit
    let program: LoadedProgram
    let client: Client
    let log: EventLog
    let folder: FilePath
    let pace: Pace

    /// Writes what every lane's model gives for the lane's rows.
    func predict() throws {
        // Rows to predict have no targets.
        var description = program.bundle.description
        description.inputs = description.inputs.filter { $0.role == .x }
        let data = try UnitData(unit, in: folder, for: description)
        let lanes = batches(data)
        var starts: [Int] = []
        var total = 0
        for lane in lanes {
            starts.append(total)
            total += lane.count
        }
        try Folder.create(folder.appending("outputs"))
        let state = try SavedStates(unit: unit, program: program).state()
        let outputs = try description.outputs.enumerated().map { number, output in
            guard let dtype = DType(rawValue: output.dtype) else {
                throw TrainingError(.invalidUnit, "output \(output.name) has the unknown type \(output.dtype)")
            }
            return try OutputFile(
                folder.pushing(FilePath(Unit.outputFile(number))), dtype: dtype, shape: [total] + output.shape)
        }
        let calls = PassCall.calls(for: lanes, batchSize: unit.fit.batchSize, steps: unit.packing.evaluateSteps)
        for (number, call) in calls.enumerated() {
            let parts = lanes.map { call.part(of: $0, batchSize: unit.fit.batchSize) }
            let inputs = try data.upload(
                parts, to: client, width: program.lanes, steps: call.steps, rows: call.rows, of: description)
            pace.next("predict \(call.steps)x\(call.rows)")
            let results = try program.predict(steps: call.steps, rows: call.rows, state: state, inputs: inputs)
            for (index, output) in outputs.enumerated() {
                let memory = HostBatches(byteCount: results.types[index].byteCount)
                try results.copyToHost(index, into: memory.bytes)
                for (lane, part) in parts.enumerated() where part.count > 0 {
                    let first = lane * call.steps * call.rows * output.rowBytes
                    try output.write(
                        UnsafeRawBufferPointer(
                            rebasing: memory.readOnly[first..<first + part.count * output.rowBytes]),
                        at: starts[lane] + part.first)
                }
            }
            log.beat(unit: unit.id, epoch: 0, step: number + 1, steps: calls.count, call: pace.longest)
        }
        for output in outputs { try output.finish() }
        try AtomicFile.write(
            Array(try JSONEncoder().encode(description.outputs.map(\.name))),
            to: folder.pushing(FilePath(Unit.outputNamesFile)))
    }

    /// Says what every lane's model measures on the lane's rows.
    func evaluate() throws {
        let data = try UnitData(unit, in: folder, for: program.bundle.description)
        var state = try SavedStates(unit: unit, program: program).state()
        let lanes = batches(data)
        var logs = LaneLogs(names: program.bundle.description.evaluateLogs, lanes: lanes.count)
        let calls = PassCall.calls(for: lanes, batchSize: unit.fit.batchSize, steps: unit.packing.evaluateSteps)
        for (number, call) in calls.enumerated() {
            let parts = lanes.map { call.part(of: $0, batchSize: unit.fit.batchSize) }
            let counts = parts.map { Int32($0.count / call.rows) }
            let inputs = try data.upload(
                parts, to: client, width: program.lanes, steps: call.steps, rows: call.rows,
                of: program.bundle.description)
            pace.next("evaluate \(call.steps)x\(call.rows)")
            let result = try program.run(
                .evaluate, steps: call.steps, rows: call.rows, state: &state, inputs: inputs,
                counts: counts + Array(repeating: 0, count: program.lanes - lanes.count), reset: number == 0)
            logs.add(result, for: counts)
            log.beat(unit: unit.id, epoch: 0, step: number + 1, steps: calls.count, call: pace.longest)
        }
        let metrics = try logs.values()
        log.say(.evaluated(metrics: metrics), unit: unit.id)
    }

    private func batches(_ data: UnitData) -> [LaneBatch] {
        zip(unit.lanes, data.training).map { lane, order in
            LaneBatch(order: order.stored, first: 0, count: order.count, data: data.sources[lane.source])
        }
    }
}
