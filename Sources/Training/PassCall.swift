/// One call of a function during a pass.
struct PassCall {
    /// The first of the whole batches it takes; nil for the call of a last partial batch.
    var firstStep: Int?
    var steps: Int
    var rows: Int

    /// Whether it is for last partial batches.
    var isTail: Bool { firstStep == nil }

    var lastStep: Int { (firstStep ?? 0) + steps }

    /// The calls that take lanes through their rows once: whole batches, `steps` a call, then one call for each size of last
    /// batch.
    static func calls(for lanes: [LaneBatch], batchSize: Int, steps: Int) -> [PassCall] {
        let longest = lanes.map { $0.count / batchSize }.max() ?? 0
        let tails = Set(lanes.map { $0.count % batchSize }).subtracting([0]).sorted()
        return stride(from: 0, to: longest, by: max(steps, 1)).map {
            PassCall(firstStep: $0, steps: steps, rows: batchSize)
        } + tails.map { PassCall(firstStep: nil, steps: 1, rows: $0) }
    }

    /// The rows of a lane that this call takes.
    func part(of lane: LaneBatch, batchSize: Int) -> LaneBatch {
        var part = lane
        let whole = lane.count / batchSize
        if let firstStep {
            part.first += min(firstStep, whole) * batchSize
            part.count = max(0, min(whole - firstStep, steps)) * batchSize
        } else {
            part.first += whole * batchSize
            part.count = lane.count % batchSize == rows ? rows : 0
        }
        return part
    }
}
