import GRDB

// What a run writes. Each method is one transaction.

extension Ledger {
    /// Records the run's beginning; a ledger takes one run.
    public func begin(_ run: RunRecord) throws(LedgerError) {
        try write("Recording the run") { db in
            guard try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM run") == 0 else {
                throw LedgerError(.exists, "\(path) holds a run already: resume it or choose another output folder")
            }
            try db.execute(
                sql: """
                    INSERT INTO run (id, name, tool, experiment_path, experiment, created, finished, devices, state)
                    VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    run.name, run.tool, run.experimentPath, run.experiment, run.created, run.finished,
                    Self.list(run.devices), run.state.rawValue,
                ])
        }
    }

    /// Records that a run goes on, on the devices there are now.
    public func resume(devices: [String]) throws(LedgerError) {
        try write("Recording that the run goes on") { db in
            try db.execute(
                sql: "UPDATE run SET state = ?, finished = NULL, devices = ?",
                arguments: [RunRecord.State.running.rawValue, Self.list(devices)])
        }
    }

    /// Records the run's end.
    public func endRun(_ state: RunRecord.State, at time: Double) throws(LedgerError) {
        try write("Recording the run's end") { db in
            try db.execute(sql: "UPDATE run SET state = ?, finished = ?", arguments: [state.rawValue, time])
        }
    }

    /// Adds trials, all waiting, in one transaction.
    public func add(trials: [TrialRecord]) throws(LedgerError) {
        try write("Recording the trials") { db in
            let statement = try db.cachedStatement(
                sql: """
                    INSERT INTO trials (trial, name, seed, parameters, partition, partition_label, rows, validation_rows,
                        planned_epochs, engine, engine_reason, program, status)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """)
            for trial in trials {
                try statement.execute(arguments: [
                    trial.trial, trial.name, Int64(bitPattern: trial.seed),
                    ParameterValue.object(trial.parameters).json, trial.partition, trial.partitionLabel, trial.rows,
                    trial.validationRows, trial.plannedEpochs, trial.engine, trial.engineReason, trial.program,
                    TrialStatus.waiting.rawValue,
                ])
            }
        }
    }

    /// Records that a unit was given to a device; its trials run from now on.
    public func unitStarted(_ unit: UnitRecord) throws(LedgerError) {
        try write("Recording the start of unit \(unit.id)") { db in
            try db.execute(
                sql: """
                    INSERT INTO units (
                        unit, status, device, trials, lanes, form, steps, started, ended, lane_steps, idle_lane_steps)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    unit.id, unit.status.rawValue, unit.device,
                    ParameterValue.list(unit.trials.map { .integer($0) }).json, unit.lanes, unit.form, unit.steps,
                    unit.started, unit.ended, unit.laneSteps, unit.idleLaneSteps,
                ])
            try Self.update(
                db, unit.trials, "status = ?, message = NULL, device = ?, unit = ?",
                [TrialStatus.running.rawValue, unit.device, unit.id])
        }
    }

    /// Records a unit's end; its trials' ends are recorded by `finish` and `fail`.
    public func unitEnded(_ unit: String, _ status: UnitRecord.Status, at time: Double) throws(LedgerError) {
        try write("Recording the end of unit \(unit)") { db in try Self.end(db, unit, status, time) }
    }

    /// Records that a runner took up a unit.
    public func attemptStarted(_ attempt: AttemptRecord) throws(LedgerError) {
        try write("Recording an attempt at unit \(attempt.unit)", durable: false) { db in
            try db.execute(
                sql: """
                    INSERT OR REPLACE INTO attempts (unit, number, runner, device, started, ended, outcome, message)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    attempt.unit, attempt.number, attempt.runner, attempt.device, attempt.started, attempt.ended,
                    attempt.outcome, attempt.message,
                ])
        }
    }

    /// Records how a runner's try at a unit ended.
    public func attemptEnded(
        unit: String, number: Int, outcome: String, message: String? = nil, at time: Double
    ) throws(LedgerError) {
        try write("Recording the end of an attempt at unit \(unit)") { db in
            try db.execute(
                sql: "UPDATE attempts SET ended = ?, outcome = ?, message = ? WHERE unit = ? AND number = ?",
                arguments: [time, outcome, message, unit, number])
        }
    }

    /// Records an epoch's end for the trials of a unit: of every metric one value a trial, in the order of `trials`.
    ///
    /// An epoch that is trained again replaces what was recorded, and what came after it no longer counts.
    /// - Parameter epoch: the epoch's number, from 0.
    public func record(
        epoch: Int, trials: [Int], seconds: Double, metrics: [String: [Double]]
    ) throws(LedgerError) {
        try record([EpochRecord(epoch: epoch, trials: trials, seconds: seconds, metrics: metrics)])
    }

    /// Records the ends of epochs, in their order, in one transaction: each as `record(epoch:trials:seconds:metrics:)` does.
    public func record(_ epochs: [EpochRecord]) throws(LedgerError) {
        for epoch in epochs {
            for (name, values) in epoch.metrics where values.count != epoch.trials.count {
                throw LedgerError(
                    .badRequest,
                    "Epoch \(epoch.epoch) has \(values.count) values of \(name) for \(epoch.trials.count) trials")
            }
        }
        try write("Recording \(epochs.count) epochs", durable: false) { db in
            for epoch in epochs { try Self.record(epoch, db) }
        }
    }

    private static func record(_ record: EpochRecord, _ db: Database) throws {
        let names = MetricValues.ordered(record.metrics.keys)
        let values = names.map { record.metrics[$0] ?? [] }
        let columns = MetricValues.Columns(names)
        let epoch = record.epoch
        let insert = try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO epochs (trial, epoch, seconds, metrics) VALUES (?, ?, ?, ?)")
        let latest = try db.cachedStatement(sql: "SELECT epochs, metrics FROM trials WHERE trial = ?")
        let update = try db.cachedStatement(sql: "UPDATE trials SET epochs = ?, metrics = ? WHERE trial = ?")
        for (lane, trial) in record.trials.enumerated() {
            guard let row = try Row.fetchOne(latest, arguments: [trial]) else { throw unknown([trial]) }
            let text = columns.encode { values[$0][lane] }
            try insert.execute(arguments: [trial, epoch, record.seconds, text])
            var final = text
            let done: Int = row[0]
            if done > epoch {
                final = MetricValues.encode(try lastMetrics(db, trial, before: epoch + 1))
            } else if done > 0, !columns.areThose(of: row[1]) {
                let newer = names.indices.map { (name: names[$0], value: values[$0][lane]) }
                final = MetricValues.encode(MetricValues.merge(try MetricValues.decode(row[1]), newer))
            }
            try update.execute(arguments: [epoch + 1, final, trial])
        }
    }

    /// Records that a callback ended a trial's training, before the trial is finished.
    public func stopped(trial: Int, _ stop: TrialStop) throws(LedgerError) {
        try write("Recording the early end of trial \(trial)", durable: false) { db in
            try Self.update(db, [trial], "stopped_epoch = ?, stopped_by = ?", [stop.epoch, stop.by])
        }
    }

    /// Records what trains trials, `native` or `fit`, and why, where there is a reason to give.
    public func choose(engine: String, reason: String?, trials: [Int]) throws(LedgerError) {
        try write("Recording the engine of trials", durable: false) { db in
            try Self.update(db, trials, "engine = ?, engine_reason = ?", [engine, reason])
        }
    }

    /// Records trials' end, finished or diverged, and with `unit` that unit's, in one transaction that is durable when this returns.
    public func finish(_ ends: [TrialEnd], unit: String? = nil, at time: Double) throws(LedgerError) {
        try write("Recording finished trials") { db in
            let statement = try db.cachedStatement(
                sql: """
                    UPDATE trials SET status = ?, message = ?, model = ?, best_epoch = ?, train_seconds = ?,
                        stopped_epoch = ?, stopped_by = ?
                    WHERE trial = ?
                    """)
            for end in ends {
                let status = end.divergence == nil ? TrialStatus.finished : .diverged
                try statement.execute(arguments: [
                    status.rawValue, end.divergence, end.model, end.bestEpoch, end.trainSeconds, end.stop?.epoch,
                    end.stop?.by, end.trial,
                ])
                guard db.changesCount == 1 else { throw Self.unknown([end.trial]) }
            }
            if let unit { try Self.end(db, unit, .finished, time) }
        }
    }

    /// Records trials' end without success: `failed`, `diverged` or `stopped`.
    public func fail(trials: [Int], as status: TrialStatus = .failed, message: String) throws(LedgerError) {
        try write("Recording failed trials") { db in
            try Self.update(db, trials, "status = ?, message = ?", [status.rawValue, message])
        }
    }

    /// Puts trials back in the queue; with `epochs` 0 they begin anew, otherwise after so many epochs.
    ///
    /// A trial that was ended earlier keeps the epochs it has.
    public func requeue(trials: [Int], epochs: Int = 0) throws(LedgerError) {
        try write("Recording trials that wait again") { db in
            for trial in trials {
                let metrics = MetricValues.encode(try Self.lastMetrics(db, trial, before: epochs))
                try Self.update(
                    db, [trial],
                    """
                    status = ?, message = NULL, device = NULL, unit = NULL, epochs = MIN(epochs, ?), metrics = ?,
                    best_epoch = NULL, model = NULL, train_seconds = NULL, stopped_epoch = NULL, stopped_by = NULL
                    """, [TrialStatus.waiting.rawValue, epochs, metrics])
            }
        }
    }

    /// Adds to how long a device worked and how long it was there for the run.
    public func busy(device: String, busySeconds: Double, wallSeconds: Double) throws(LedgerError) {
        try write("Recording a device's time", durable: false) { db in
            try db.execute(
                sql: """
                    INSERT INTO devices (device, busy_seconds, wall_seconds) VALUES (?, ?, ?)
                    ON CONFLICT (device) DO UPDATE SET busy_seconds = busy_seconds + excluded.busy_seconds,
                        wall_seconds = wall_seconds + excluded.wall_seconds
                    """,
                arguments: [device, busySeconds, wallSeconds])
        }
    }
}

extension Ledger {
    private static func update(
        _ db: Database, _ trials: [Int], _ assignments: String, _ values: [(any DatabaseValueConvertible)?]
    ) throws {
        let statement = try db.cachedStatement(sql: "UPDATE trials SET \(assignments) WHERE trial = ?")
        for trial in trials {
            try statement.execute(arguments: StatementArguments(values + [trial]))
            guard db.changesCount == 1 else { throw unknown([trial]) }
        }
    }

    private static func end(_ db: Database, _ unit: String, _ status: UnitRecord.Status, _ time: Double) throws {
        try db.execute(
            sql: "UPDATE units SET status = ?, ended = ? WHERE unit = ?", arguments: [status.rawValue, time, unit])
        guard db.changesCount == 1 else { throw LedgerError(.badRequest, "The ledger knows no unit \(unit)") }
    }

    private static func lastMetrics(_ db: Database, _ trial: Int, before epoch: Int) throws -> [MetricValues.Pair] {
        let statement = try db.cachedStatement(
            sql: "SELECT metrics FROM epochs WHERE trial = ? AND epoch < ? ORDER BY epoch")
        return try String.fetchAll(statement, arguments: [trial, epoch]).reduce([]) { older, text in
            MetricValues.merge(older, try MetricValues.decode(text))
        }
    }

    private static func unknown(_ trials: [Int]) -> LedgerError {
        LedgerError(.badRequest, "The ledger knows no trial \(trials.map(String.init).joined(separator: ", "))")
    }

    private static func list(_ texts: [String]) -> String {
        ParameterValue.list(texts.map { .text($0) }).json
    }
}
