/// A metric's last values over the trials that agree in some keys.
public struct GroupSummary: Sendable, Hashable {
    /// The keys with the values that the trials share, in the order asked for.
    public var keys: Parameters
    /// Finished trials with a number, over which the rest is.
    public var count: Int
    /// Ended trials without one: failed, diverged, NaN.
    public var missing: Int
    /// The mean; NaN over no values.
    public var mean: Double
    /// The sample standard deviation (divided by n − 1); NaN over fewer than two values.
    public var standardDeviation: Double
    /// The smallest value; NaN over no values.
    public var minimum: Double
    /// The largest value; NaN over no values.
    public var maximum: Double
    /// The trial with the best value.
    public var best: Int?
}

/// Mean and spread of values that come one at a time, by Welford's recurrence, which does not cancel.
struct RunningStatistics {
    private(set) var count = 0
    private(set) var missing = 0
    private var runningMean = 0.0
    private var squares = 0.0
    private var minimum = Double.nan
    private var maximum = Double.nan
    private var best: (trial: Int, value: Double)?

    mutating func add(_ value: Double?, of trial: Int, _ direction: MetricDirection) {
        guard let value else {
            missing += 1
            return
        }
        count += 1
        let distance = value - runningMean
        runningMean += distance / Double(count)
        squares += distance * (value - runningMean)
        minimum = count == 1 ? value : min(minimum, value)
        maximum = count == 1 ? value : max(maximum, value)
        if direction.isBetter(value, than: best?.value ?? .nan) { best = (trial, value) }
    }

    func summary(_ keys: Parameters) -> GroupSummary {
        GroupSummary(
            keys: keys, count: count, missing: missing, mean: count > 0 ? runningMean : .nan,
            standardDeviation: count > 1 ? (squares / Double(count - 1)).squareRoot() : .nan, minimum: minimum,
            maximum: maximum, best: best?.trial)
    }
}

extension Ledger {
    /// A metric's mean and spread over trials, grouped by what they have in common.
    ///
    /// - Parameters:
    ///   - keys: names of hyperparameters, or `partition`, `seed`, `engine`, `device`, `status`; none: one group of all trials.
    ///   - ranking: the metric, and what the best of it is.
    ///   - filter: which trials; those that have not ended never count.
    /// - Returns: the groups in the order in which their first trials stand in the experiment.
    public func groups(
        by keys: [String], comparing ranking: Ranking, filter: TrialFilter = .all
    ) throws(LedgerError) -> [GroupSummary] {
        let metric = ranking.metric
        let metrics = try metricNames()
        guard metrics.isEmpty || metrics.contains(metric) else {
            throw LedgerError(
                .badRequest, "No trial has a metric \(metric); there are \(metrics.joined(separator: ", "))")
        }
        let names = try parameterNames()
        for key in keys where !names.contains(key) && !Self.columnKeys.contains(key) {
            throw LedgerError(
                .badRequest,
                "No trial has a hyperparameter \(key); group by \((names + Self.columnKeys).joined(separator: ", "))")
        }
        var order: [Parameters] = []
        var statistics: [Parameters: RunningStatistics] = [:]
        try forEachResult(filter: filter, history: false) { result in
            guard result.status.isEnded else { return }
            var group = Parameters()
            for key in keys { group[key] = result.value(of: key) }
            if statistics[group] == nil { order.append(group) }
            statistics[group, default: RunningStatistics()].add(
                result.finishedValue(of: metric), of: result.trial, ranking.direction)
        }
        return order.compactMap { group in statistics[group]?.summary(group) }
    }

    private static var columnKeys: [String] { ["partition", "seed", "engine", "device", "status"] }
}

extension TrialResult {
    /// The value under a hyperparameter's name or one of the trial's own columns.
    func value(of key: String) -> ParameterValue {
        parameters[key] ?? value(ofColumn: key)
    }

    func value(ofColumn column: String) -> ParameterValue {
        switch column {
        case "partition":
            if let label = plan.partitionLabel { return .text(label) }
            return partition.map { .integer($0) } ?? .null
        case "seed": return Int(exactly: plan.seed).map { .integer($0) } ?? .text(String(plan.seed))
        case "engine": return .text(engine)
        case "device": return device.map { .text($0) } ?? .null
        case "status": return .text(status.rawValue)
        default: return .null
        }
    }
}
