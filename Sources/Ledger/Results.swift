import GRDB

extension Ledger {
    /// The trials' results.
    ///
    /// - Parameters:
    ///   - ranking: the metric whose last value orders them, the best first and trials without one last; nil: by number.
    ///   - filter: which trials.
    ///   - history: whether every epoch's metrics are wanted.
    public func results(
        sortedBy ranking: Ranking? = nil, filter: TrialFilter = .all, history: Bool = true
    ) throws(LedgerError) -> [TrialResult] {
        var results: [TrialResult] = []
        try forEachResult(sortedBy: ranking, filter: filter, history: history) {
            results.append($0)
        }
        return results
    }

    /// Hands the trials' results over one at a time, all of one state of the ledger.
    ///
    /// What `body` throws comes back as the cause of a `LedgerError`.
    public func forEachResult(
        sortedBy ranking: Ranking? = nil, filter: TrialFilter = .all, history: Bool = true,
        _ body: (TrialResult) throws -> Void
    ) throws(LedgerError) {
        try read("Reading the results") { db in
            if let ranking { try Self.check(ranking.metric, among: try Self.metricNames(db)) }
            let (sql, arguments) = Self.query(ranking, filter)
            let epochs = try db.cachedStatement(
                sql: "SELECT metrics FROM epochs WHERE trial = ? AND epoch < ? ORDER BY epoch")
            let attempts = try Self.attempts(db)
            let rows = try Row.fetchCursor(db, sql: sql, arguments: arguments)
            while let row = try rows.next() {
                var result = try Self.result(row)
                result.attempts = attempts[result.trial] ?? 0
                if history {
                    let texts = try String.fetchCursor(epochs, arguments: [result.trial, result.epochs])
                    while let text = try texts.next() {
                        for pair in try MetricValues.decode(text) {
                            result.history[pair.name, default: []].append(pair.value)
                        }
                    }
                }
                try body(result)
            }
        }
    }

    /// Every epoch's metrics of one trial, in order.
    public func epochs(of trial: Int) throws(LedgerError) -> [(epoch: Int, metrics: [String: Double])] {
        try read("Reading the epochs of trial \(trial)") { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT epoch, epochs.metrics FROM epochs JOIN trials USING (trial)
                    WHERE trial = ? AND epoch < trials.epochs ORDER BY epoch
                    """, arguments: [trial])
            return try rows.map { row in
                (row[0], Dictionary(try MetricValues.decode(row[1]).map { ($0.name, $0.value) }) { $1 })
            }
        }
    }

    /// The finished trial whose last value of a metric is best; nil when none has a number.
    public func best(by ranking: Ranking) throws(LedgerError) -> TrialResult? {
        let first = try results(sortedBy: ranking, filter: TrialFilter(statuses: [.finished], limit: 1))
        return first.first { $0.finishedValue(of: ranking.metric) != nil }
    }

    /// The names of all metrics that any trial reported: those of training first, the loss first of them.
    public func metricNames() throws(LedgerError) -> [String] {
        try read("Reading the metrics' names") { db in try Self.metricNames(db) }
    }

    /// The names of all hyperparameters, in the order of the experiment's axes.
    public func parameterNames() throws(LedgerError) -> [String] {
        try read("Reading the hyperparameters' names") { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT entry.key FROM trials, json_each(trials.parameters) AS entry
                    GROUP BY entry.key ORDER BY MIN(trials.trial), MIN(entry.id)
                    """)
        }
    }
}

extension Ledger {
    private static func metricNames(_ db: Database) throws -> [String] {
        MetricValues.ordered(
            try String.fetchAll(db, sql: "SELECT DISTINCT entry.key FROM trials, json_each(trials.metrics) AS entry"))
    }

    private static func check(_ metric: String, among names: [String]) throws(LedgerError) {
        // Before the first epoch ends there is nothing to be wrong about.
        guard !names.isEmpty, !names.contains(metric) else { return }
        throw LedgerError(
            .badRequest, "No trial has a metric \(metric); there are \(names.joined(separator: ", "))")
    }

    private static func query(_ ranking: Ranking?, _ filter: TrialFilter) -> (String, StatementArguments) {
        var conditions: [String] = []
        var arguments: StatementArguments = []
        var value = "NULL"
        if let ranking {
            value = "(SELECT entry.value FROM json_each(trials.metrics) AS entry WHERE entry.key = ?)"
            arguments += [ranking.metric]
        }
        if let statuses = filter.statuses {
            conditions.append("status IN (\(statuses.map { _ in "?" }.joined(separator: ", ")))")
            arguments += StatementArguments(statuses.map(\.rawValue).sorted())
        }
        if let trials = filter.trials {
            conditions.append("trial IN (SELECT value FROM json_each(?))")
            arguments += [ParameterValue.list(trials.map { .integer($0) }).json]
        }
        var sql = "SELECT trials.*, \(value) AS sort_value FROM trials"
        if !conditions.isEmpty { sql += " WHERE " + conditions.joined(separator: " AND ") }
        if let ranking {
            let ascending = ranking.direction == .lower
            sql += " ORDER BY sort_value IS NULL, sort_value \(ascending ? "ASC" : "DESC"), trial"
        } else {
            sql += " ORDER BY trial"
        }
        if let limit = filter.limit {
            sql += " LIMIT ?"
            arguments += [limit]
        }
        return (sql, arguments)
    }

    private static func stop(_ row: Row) -> TrialStop? {
        guard let epoch: Int = row["stopped_epoch"], let by: String = row["stopped_by"] else { return nil }
        return TrialStop(epoch: epoch, by: by)
    }

    private static func result(_ row: Row) throws -> TrialResult {
        guard case .object(let parameters) = try JSON.parse(row["parameters"]) else { throw JSON.Malformed(offset: 0) }
        var metrics: [String: Double] = [:]
        for pair in try MetricValues.decode(row["metrics"]) { metrics[pair.name] = pair.value }
        let plan = TrialRecord(
            trial: row["trial"], name: row["name"], seed: UInt64(bitPattern: row["seed"] as Int64),
            parameters: parameters, partition: row["partition"], partitionLabel: row["partition_label"],
            rows: row["rows"], validationRows: row["validation_rows"], plannedEpochs: row["planned_epochs"],
            engine: row["engine"], engineReason: row["engine_reason"], program: row["program"])
        return TrialResult(
            plan: plan, status: try status(row["status"]), message: row["message"], metrics: metrics, history: [:],
            epochs: row["epochs"], attempts: 0, bestEpoch: row["best_epoch"], stop: stop(row), model: row["model"],
            device: row["device"], unit: row["unit"], seconds: row["train_seconds"])
    }

    /// How often work on each trial has begun: once for each of its units that was lost, and for the last one if that was not.
    static func attempts(_ db: Database) throws -> [Int: Int] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT lane.value, units.status = ? FROM units, json_each(units.trials) AS lane
                ORDER BY LENGTH(unit), unit
                """, arguments: [UnitRecord.Status.finished.rawValue])
        var attempts: [Int: Int] = [:]
        var endsWell: Set<Int> = []
        while let row = try rows.next() {
            let trial: Int = row[0]
            if row[1] { endsWell.insert(trial) } else { attempts[trial, default: 0] += 1; endsWell.remove(trial) }
        }
        for trial in endsWell { attempts[trial, default: 0] += 1 }
        return attempts
    }
}

extension Ledger {
    /// Seconds that each trial's epochs before an epoch have taken.
    public func seconds(of trials: [Int], before epoch: Int) throws(LedgerError) -> [Int: Double] {
        try read("Reading the time of epochs") { db in
            var seconds: [Int: Double] = [:]
            let statement = try db.cachedStatement(
                sql: "SELECT SUM(seconds) FROM epochs WHERE trial = ? AND epoch < ?")
            for trial in trials {
                seconds[trial] = try Double.fetchOne(statement, arguments: [trial, epoch]) ?? 0
            }
            return seconds
        }
    }
}
