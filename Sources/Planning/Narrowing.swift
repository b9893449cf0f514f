/// When a cohort whose lanes end one by one goes on in a program with fewer lanes.
///
/// The rule knows counts only, no clock: so that a run repeats bit for bit, and goes on after an interruption as if there
/// had been none.
public struct Narrowing: Sendable, Equatable, Codable {
    /// The sizes that it may go on with, the largest first.
    public var sizes: [Int]
    /// The steps of single lanes that must be saved at least, so that compiling a smaller program pays.
    public var leastLaneSteps: Int

    public init(sizes: [Int], leastLaneSteps: Int) {
        self.sizes = sizes
        self.leastLaneSteps = leastLaneSteps
    }
}

extension Packing {
    /// How many times fewer lanes the next smaller program has: each size is lowered ahead, so that they are few.
    static let narrowingFactor = 4

    /// Seconds that compiling a program's functions for another size takes, from `docs/Architecture.md`, "Costs".
    static let compilingSeconds = 3.0

    /// Seconds of one lane's step in a vectorized program on a CPU, at least, from the same table.
    static let laneStepSeconds = 2.6e-6

    /// Floating-point operations a second that a lane's step comes to where it is more than its fixed part.
    static let laneOperationsASecond = 5e10

    /// How a cohort narrows; nil where it never pays: lanes cost nothing once they have ended (looped), none can end early, or
    /// training is over sooner than a smaller program is compiled.
    static func narrowing(lanes: Int, _ workload: Workload, _ kind: DeviceFleet.Kind) -> Narrowing? {
        // What a lane costs on a GPU has not been measured.
        guard workload.endsEarly, workload.program.form == .vectorized, kind == .cpu else { return nil }
        let batches = workload.trials.map { workload.wholeBatches($0) + (workload.tail($0) > 0 ? 1 : 0) }.max() ?? 0
        // Forward and backward take about six operations a weight and row.
        let operations = 6 * Double(workload.program.parameters) * Double(workload.batchSize)
        let laneStep = max(laneStepSeconds, operations / laneOperationsASecond)
        let least = Int((compilingSeconds / laneStep).rounded(.up))
        let sizes = sequence(first: lanes / narrowingFactor) { $0 / narrowingFactor }
            .prefix { $0 >= 2 }.filter { (lanes - $0) * batches * workload.epochs >= least }
        return sizes.isEmpty ? nil : Narrowing(sizes: Array(sizes), leastLaneSteps: least)
    }
}
