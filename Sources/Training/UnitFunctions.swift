import Programs
import Units

/// A function of a program, by what tells it from the others of as many lanes.
struct FunctionCall {
    var name: FunctionName
    var steps: Int?
    var rows: Int?
    var form: String?
}

extension Unit {
    /// The functions that training this unit calls, in the order in which it first needs them.
    var functions: [FunctionCall] {
        var functions: [FunctionCall] = [FunctionCall(name: .initialize)]
        let epochs = fit.firstEpoch..<fit.lastEpoch
        let counts = Set(lanes.map(\.training.count)).flatMap { rows in
            epochs.map { fit.epochRows($0, of: rows).rows.count }
        }
        functions += passFunctions(.train, counts, batchSize: fit.batchSize, steps: packing.steps)
        functions += passFunctions(
            .evaluate, lanes.compactMap(\.validation?.count), batchSize: fit.validationBatchSize,
            steps: packing.evaluateSteps)
        return functions
    }

    private func passFunctions(
        _ name: FunctionName, _ counts: [Int], batchSize: Int, steps: Int
    ) -> [FunctionCall] {
        let whole: [FunctionCall] =
            counts.contains { $0 >= batchSize } ? [call(name, steps, batchSize, isTail: false)] : []
        let tails = Set(counts.map { $0 % batchSize }).subtracting([0]).sorted()
        guard let masked = packing.maskedForm(evaluates: name == .evaluate) else {
            return whole + tails.map { call(name, 1, $0, isTail: true) }
        }
        return whole + (tails.contains(1) ? [call(name, 1, 1, isTail: true)] : [])
            + (tails.contains { $0 > 1 } ? [FunctionCall(name: name, steps: 1, rows: batchSize, form: masked)] : [])
    }

    private func call(_ name: FunctionName, _ steps: Int, _ rows: Int, isTail: Bool) -> FunctionCall {
        FunctionCall(
            name: name, steps: steps, rows: rows, form: packing.form(evaluates: name == .evaluate, isTail: isTail))
    }
}
