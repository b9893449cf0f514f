/// Results as CSV (RFC 4180, lines ending in CR LF): one line a trial, a column a hyperparameter and a column a metric's last value.
///
/// A hyperparameter or metric whose name is that of another column has `parameter:` or `metric:` before it. What is not known
/// is empty; a metric that is not a number is `nan`, `inf` or `-inf`, as pandas and NumPy read it.
public struct ResultsCSV: Sendable {
    /// Names of hyperparameters, in the order of their columns.
    public let parameters: [String]
    /// Names of metrics, in the order of their columns.
    public let metrics: [String]

    /// Makes a writer of lines with these columns.
    public init(parameters: [String], metrics: [String]) {
        self.parameters = parameters
        self.metrics = metrics
    }

    /// What a column holds.
    public enum ColumnType: String, Sendable {
        /// Whole numbers; a seed takes all 64 bits.
        case integer, seed
        case number, text
    }

    private static let before: [(String, ColumnType)] = [
        ("trial", .integer), ("name", .text), ("seed", .seed), ("partition", .integer), ("partition_label", .text),
    ]
    private static let after: [(String, ColumnType)] = [
        ("rows", .integer), ("validation_rows", .integer), ("status", .text), ("message", .text),
        ("epochs", .integer), ("attempts", .integer), ("best_epoch", .integer), ("stopped_epoch", .integer),
        ("stopped_by", .text), ("model", .text), ("engine", .text), ("engine_reason", .text), ("device", .text),
        ("seconds", .number),
    ]

    /// The columns' names, and what each holds; nil for hyperparameters, which may be anything.
    private var columns: [(name: String, type: ColumnType?)] {
        let own = Set((Self.before + Self.after).map(\.0))
        let parameterColumns = parameters.map { own.contains($0) ? "parameter:" + $0 : $0 }
        let taken = own.union(parameterColumns)
        let metricColumns = metrics.map { taken.contains($0) ? "metric:" + $0 : $0 }
        return Self.before + parameterColumns.map { ($0, nil) } + metricColumns.map { ($0, .number) } + Self.after
    }

    /// What the columns hold of which that is known.
    public var types: [String: ColumnType] {
        Dictionary(columns.compactMap { column in column.type.map { (column.name, $0) } }) { $1 }
    }

    /// The line of the columns' names.
    public var header: String { line(columns.map(\.name)) }

    /// One trial's line.
    public func line(_ result: TrialResult) -> String {
        let plan = result.plan
        var fields = [
            String(plan.trial), plan.name, String(plan.seed), plan.partition.map { String($0) } ?? "",
            plan.partitionLabel ?? "",
        ]
        fields += parameters.map { name in
            guard let value = plan.parameters[name], value != .null else { return "" }
            return value.description
        }
        fields += metrics.map { name in result.metrics[name].map { "\($0)" } ?? "" }
        fields += [
            String(plan.rows), String(plan.validationRows), result.status.rawValue, result.message ?? "",
            String(result.epochs), String(result.attempts), result.bestEpoch.map { String($0) } ?? "",
            result.stop.map { String($0.epoch) } ?? "", result.stop?.by ?? "", result.model ?? "", plan.engine,
            plan.engineReason ?? "", result.device ?? "", result.seconds.map { "\($0)" } ?? "",
        ]
        return line(fields)
    }

    /// A whole table of results, with the columns that they need.
    public static func table(_ results: [TrialResult]) -> String {
        var names: [String] = []
        for result in results {
            for entry in result.parameters.entries where !names.contains(entry.name) { names.append(entry.name) }
        }
        let csv = ResultsCSV(
            parameters: names, metrics: MetricValues.ordered(Set(results.flatMap { $0.metrics.keys })))
        return results.reduce(into: csv.header) { text, result in text += csv.line(result) }
    }

    private func line(_ fields: [String]) -> String {
        fields.map(Self.quoted).joined(separator: ",") + "\r\n"
    }

    static func quoted(_ field: String) -> String {
        // By scalars: Swift takes CR LF for one character.
        let isSpecial = field.unicodeScalars.contains { $0 == "," || $0 == "\"" || $0 == "\r" || $0 == "\n" }
        guard isSpecial else { return field }
        var quoted = "\""
        for scalar in field.unicodeScalars {
            if scalar == "\"" { quoted += "\"" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}

extension Ledger {
    /// Hands over, line by line, the CSV table of all results.
    public func writeCSV(
        sortedBy ranking: Ranking? = nil, filter: TrialFilter = .all, to output: (String) throws -> Void
    ) throws(LedgerError) {
        let csv = ResultsCSV(parameters: try parameterNames(), metrics: try metricNames())
        do {
            try output(csv.header)
        } catch {
            throw .wrap(error, "Writing the results", path)
        }
        try forEachResult(sortedBy: ranking, filter: filter, history: false) { result in
            try output(csv.line(result))
        }
    }
}
