/// Results and group summaries as tables for a terminal.
public enum ResultTable {
    /// One line a trial: number, hyperparameters, partition, status, metrics, where any was begun more than once how often, where
    /// a callback ended any the epoch at whose end it did, and for those that failed why.
    ///
    /// - Parameters:
    ///   - metric: What the trials are compared by: the first of the metrics, so that a narrow terminal shows it.
    ///   - width: Columns of the terminal.
    public static func results(_ results: [TrialResult], by metric: String? = nil, width: Int = .max) -> String {
        var parameters: [String] = []
        for result in results {
            for entry in result.parameters.entries where !parameters.contains(entry.name) {
                parameters.append(entry.name)
            }
        }
        let measured = MetricValues.ordered(Set(results.flatMap { $0.metrics.keys }))
        let metrics = measured.filter { $0 == metric } + measured.filter { $0 != metric }
        let hasPartitions = results.contains { $0.partition != nil || $0.plan.partitionLabel != nil }
        let hasStops = results.contains { $0.stop != nil }
        let hasRetries = results.contains { $0.attempts > 1 }
        let hasMessages = results.contains { $0.message != nil }
        let hasEngines = Set(results.map(\.engine)).count > 1
        var columns: [(title: String, alignment: TextTable.Alignment)] = [("trial", .right)]
        for name in parameters {
            let isNumber = results.allSatisfy { $0.parameters[name]?.isNumberOrNull ?? true }
            columns.append((name, isNumber ? .right : .left))
        }
        if hasPartitions { columns.append(("partition", .left)) }
        if hasEngines { columns.append(("engine", .left)) }
        columns.append(("status", .left))
        // A learning rate may be a hyperparameter, and what callbacks made of it.
        columns += metrics.map { (parameters.contains($0) ? "metric:\($0)" : $0, .right) }
        if hasStops { columns.append(("stopped", .right)) }
        if hasRetries { columns.append(("attempts", .right)) }
        if hasMessages { columns.append(("message", .left)) }
        var table = TextTable(columns: columns)
        for result in results {
            var cells = [String(result.trial)]
            cells += parameters.map { result.parameters[$0]?.description ?? "" }
            if hasPartitions { cells.append(text(result.value(ofColumn: "partition"))) }
            if hasEngines { cells.append(result.engine) }
            cells.append(result.status.rawValue)
            cells += metrics.map { name in result.metrics[name].map { number($0) } ?? "" }
            if hasStops { cells.append(result.stop.map { String($0.epoch) } ?? "") }
            if hasRetries { cells.append(String(result.attempts)) }
            if hasMessages { cells.append(result.message ?? "") }
            table.add(cells)
        }
        return table.render(width: width)
    }

    /// One line a group: its keys, how many trials it holds, and the metric's mean, sample deviation and extremes over them.
    public static func groups(_ groups: [GroupSummary], metric: String, width: Int = .max) -> String {
        let keys = groups.first?.keys.entries.map(\.name) ?? []
        let hasMissing = groups.contains { $0.missing > 0 }
        var columns: [(title: String, alignment: TextTable.Alignment)] = keys.map { name in
            (name, groups.allSatisfy { $0.keys[name]?.isNumberOrNull ?? true } ? .right : .left)
        }
        columns.append(("trials", .right))
        if hasMissing { columns.append(("without", .right)) }
        columns += [(metric, .right), ("±", .right), ("min", .right), ("max", .right), ("best trial", .right)]
        var table = TextTable(columns: columns)
        for group in groups {
            var cells = keys.map { text(group.keys[$0] ?? .null) } + [String(group.count)]
            if hasMissing { cells.append(String(group.missing)) }
            for value in [group.mean, group.standardDeviation, group.minimum, group.maximum] {
                cells.append(value.isNaN ? "" : number(value))
            }
            cells.append(group.best.map { String($0) } ?? "")
            table.add(cells)
        }
        return table.render(width: width)
    }

    /// A number with so many significant digits, zeros at its end kept so that columns can be compared.
    public static func number(_ value: Double, digits: Int = 5) -> String {
        guard value.isFinite else { return "\(value)" }
        guard value != 0 else { return "0" }
        var exponent = 0
        var scaled = value.magnitude
        while scaled >= 10 {
            scaled /= 10
            exponent += 1
        }
        while scaled < 1 {
            scaled *= 10
            exponent -= 1
        }
        let sign = value < 0 ? "-" : ""
        guard (-4..<9).contains(exponent) else {
            return "\(sign)\(fixed(scaled, max(0, digits - 1)))e\(exponent)"
        }
        return sign + fixed(value.magnitude, max(0, digits - 1 - exponent))
    }

    private static func fixed(_ value: Double, _ decimals: Int) -> String {
        var power = 1.0
        for _ in 0..<decimals { power *= 10 }
        let digits = String(Int((value * power).rounded()))
        guard decimals > 0 else { return digits }
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        return padded.dropLast(decimals) + "." + padded.suffix(decimals)
    }

    private static func text(_ value: ParameterValue) -> String {
        value == .null ? "" : value.description
    }
}

extension ParameterValue {
    fileprivate var isNumberOrNull: Bool {
        switch self {
        case .integer, .number, .null: true
        default: false
        }
    }
}
