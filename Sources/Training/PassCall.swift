/// One call of a function during a pass.
struct PassCall {
    /// The first of the whole batches it takes; nil for the call of a last partial batch.
    var firstStep: Int?
    var steps: Int
    var rows: Int
    /// Whether it takes last partial batches of every size from two rows on, each in the first of `rows` places.
    var isMasked = false

    /// Whether it is for last partial batches.
    var isTail: Bool { firstStep == nil }

    var lastStep: Int { (firstStep ?? 0) + steps }

    /// The calls that take lanes through their rows once: whole batches, `steps` a call, then one call for each size of last
    /// batch; masked, for a single row and for all other sizes.
    static func calls(for lanes: [LaneBatch], batchSize: Int, steps: Int, isMasked: Bool = false) -> [PassCall] {
        let longest = lanes.map { $0.count / batchSize }.max() ?? 0
        let tails = Set(lanes.map { $0.count % batchSize }).subtracting([0]).sorted()
        return stride(from: 0, to: longest, by: max(steps, 1)).map {
            PassCall(firstStep: $0, steps: steps, rows: batchSize)
        }
            + tails.filter { !isMasked || $0 == 1 }.map { PassCall(firstStep: nil, steps: 1, rows: $0) }
            + (isMasked && tails.contains { $0 > 1 }
                ? [PassCall(firstStep: nil, steps: 1, rows: batchSize, isMasked: true)] : [])
    }

    /// The rows of a lane that this call takes.
    func part(of lane: LaneBatch, batchSize: Int) -> LaneBatch {
        var part = lane
        let whole = lane.count / batchSize
        if let firstStep {
            part.first += min(firstStep, whole) * batchSize
            part.count = max(0, min(whole - firstStep, steps)) * batchSize
        } else {
            let tail = lane.count % batchSize
            part.first += whole * batchSize
            part.count = (isMasked ? tail > 1 : tail == rows) ? tail : 0
        }
        return part
    }

    /// The steps that a lane takes for its part.
    func steps(of part: LaneBatch) -> Int32 { Int32((part.count + rows - 1) / rows) }
}
