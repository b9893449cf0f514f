extension Packing {
    /// Trials that stand together in cohorts of one size.
    struct Stretch: Equatable {
        var lanes: Int
        /// Their places in the order.
        var places: Range<Int>
    }

    /// The number of lanes that ends the work soonest by a simple model of a device: a step costs a fixed part, and a
    /// part for each lane, spare and waiting ones included when vectorized.
    ///
    /// Where trials differ so much in length that lanes would wait for longer ones in more than `mostWaiting` of the steps,
    /// fewer lanes are taken, for all trials or for the longest, as long as that costs at most a quarter of the time.
    /// - Parameter order: the trials, the longest first.
    static func stretches(
        of order: [Workload.Trial], _ workload: Workload, on fleet: DeviceFleet, largest: Int?
    ) -> [Stretch] {
        let sizes = ladder.filter { lanes in
            lanes == 1
                || (lanes <= (largest ?? .max) && lanes <= widest(workload.program.form, fleet.kind)
                    && memory(lanes: lanes, workload, on: fleet) <= fleet.memory
                    && (!fleet.limitsBatches
                        || lanes * workload.batchSize * workload.program.rowBytes <= fleet.batchBytesACall))
        }
        func estimated(_ stretches: [Stretch]) -> Estimate { estimate(stretches, order, workload, on: fleet) }
        let even = sizes.map { estimated([Stretch(lanes: $0, places: order.indices)]) }
        guard let quickest = even.min(by: { $0.time < $1.time }) else { return [] }
        if quickest.waiting <= mostWaiting { return quickest.stretches }
        func best(_ choices: [Estimate]) -> Estimate? {
            choices.filter { $0.waiting <= mostWaiting && $0.time <= quickest.time * mostTimeForLessWaiting }
                .min { $0.time < $1.time }
        }
        // A second size is a second set of functions to compile, so that it is taken only where one does not do.
        if let best = best(even) { return best.stretches }
        let parted = sizes.flatMap { wide in
            sizes.filter { $0 < wide }.flatMap { narrow in
                sequence(first: narrow) { $0 * 2 }.prefix { $0 < order.count }.map { first in
                    estimated([
                        Stretch(lanes: narrow, places: 0..<first), Stretch(lanes: wide, places: first..<order.count),
                    ])
                }
            }
        }
        let choice =
            best(parted)
            ?? (even + parted).filter { $0.time <= quickest.time * mostTimeForLessWaiting }
            .min { $0.waiting < $1.waiting }
        return choice?.stretches ?? quickest.stretches
    }

    /// The share of the steps that lanes may spend waiting for longer ones before fewer lanes are tried: with what spare lanes
    /// add, less than a tenth is lost.
    static let mostWaiting = 0.08
    /// How many times the least time fewer lanes may take.
    static let mostTimeForLessWaiting = 1.25

    /// What a choice comes to.
    private struct Estimate {
        var stretches: [Stretch]
        /// An epoch of all trials, in steps of one lane.
        var time: Double
        /// The share of the steps in which lanes with trials wait for longer ones.
        var waiting: Double
    }

    private static func estimate(
        _ stretches: [Stretch], _ order: [Workload.Trial], _ workload: Workload, on fleet: DeviceFleet
    ) -> Estimate {
        let isLooped = workload.program.form == .looped
        let fixed = fixedCost(workload.program.form, fleet.kind)
        var costs: [Double] = []
        var steps = Padding()
        let cohorts = stretches.flatMap { stretch in
            let form = tailForm(of: stretch, in: order, workload.program, fleet.kind, workload.tail)
            return stretch.cohorts.map { ($0, form) }
        }
        for (cohort, tailForm) in cohorts {
            let (lanes, members) = (cohort.lanes, order[cohort.places])
            let padding = padding(of: members, lanes: lanes, tails: tailForm, workload)
            let longest = members.first.map(workload.wholeBatches) ?? 0
            let tails = members.map(workload.tail)
            let sizes = Set(tails.map(tailForm.call(ofTail:))).subtracting([0]).count
            var cost = Double(padding.computed) + fixed * Double(longest + sizes)
            if !isLooped, tailForm == .looped { cost += Double((loopedStepCost - 1) * tails.count { $0 > 0 }) }
            costs.append(cost)
            steps = steps + padding
            // Spare lanes of a last cohort are few whatever is chosen, and wait for nobody.
            if !isLooped { steps.idle -= (lanes - members.count) * (longest + (tailForm == .looped ? 0 : sizes)) }
        }
        return Estimate(stretches: stretches, time: makespan(costs, devices: fleet.count), waiting: max(0, steps.share))
    }

    /// When all is done if each device takes the longest that is left whenever it is free.
    private static func makespan(_ costs: [Double], devices: Int) -> Double {
        let total = costs.reduce(0, +)
        // Of so many the order makes no difference worth its computation.
        if costs.count > 64 * devices { return max(costs.max() ?? 0, total / Double(devices)) }
        var loads = [Double](repeating: 0, count: devices)
        for cost in costs.sorted(by: >) {
            guard let free = loads.indices.min(by: { loads[$0] < loads[$1] }) else { return total }
            loads[free] += cost
        }
        return loads.max() ?? 0
    }

    /// A step's fixed cost in units of one lane's, from `docs/Architecture.md`, "Costs": a small dense step inside a
    /// scan took 4.6 µs alone and 2.6 µs a lane at 128 lanes.
    static func fixedCost(_ form: Workload.Form, _ kind: DeviceFleet.Kind) -> Double {
        switch (form, kind) {
        case (.looped, _): 0.05
        case (_, .cpu): 2
        case (_, .gpu): 200
        }
    }

    /// The most lanes that still pay: beyond these a cohort only leaves the caches, and fails in larger pieces.
    private static func widest(_ form: Workload.Form, _ kind: DeviceFleet.Kind) -> Int {
        switch (form, kind) {
        case (.looped, _): 32
        case (_, .cpu): 128
        case (_, .gpu): 1024
        }
    }
}

extension Packing.Stretch {
    /// Its cohorts, each of them a stretch of at most as many trials as lanes.
    var cohorts: [Packing.Stretch] {
        stride(from: places.lowerBound, to: places.upperBound, by: lanes).map {
            Packing.Stretch(lanes: lanes, places: $0..<min($0 + lanes, places.upperBound))
        }
    }
}
