import Programs
import Units

extension Unit {
    /// The functions that training this unit calls, in the order in which it first needs them.
    var functions: [(name: FunctionName, steps: Int?, rows: Int?)] {
        var functions: [(name: FunctionName, steps: Int?, rows: Int?)] = [(.initialize, nil, nil)]
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
    ) -> [(name: FunctionName, steps: Int?, rows: Int?)] {
        let whole: [(name: FunctionName, steps: Int?, rows: Int?)] =
            counts.contains { $0 >= batchSize } ? [(name, steps, batchSize)] : []
        return whole + Set(counts.map { $0 % batchSize }).subtracting([0]).sorted().map { (name, 1, $0) }
    }
}
