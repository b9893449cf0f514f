import GRDB

/// How far a run is.
public struct RunProgress: Sendable, Hashable {
    /// The run itself.
    public var run: RunRecord
    /// Trials by status; a status that no trial has is absent.
    public var counts: [TrialStatus: Int]
    /// Trials that a callback has ended before their last epoch.
    public var stoppedEarly: Int
    /// Trials that were begun more than once, since a runner ended before they did.
    public var retried: Int
    /// How often such trials were begun again.
    public var retries: Int
    /// Epochs trained, over all trials.
    public var epochsDone: Int
    /// Epochs that will have been trained when nothing more fails: what is planned, but of ended trials what was done.
    public var epochsPlanned: Int
    /// Seconds from the run's beginning to its end, or to now.
    public var elapsed: Double
    /// The share of the training steps of the units that were begun that lanes compute and no trial takes, from 0 to 1; nil
    /// where nothing was begun, or an older version did not record it.
    public var padding: Double?
    /// What each device does, by the devices' names.
    public var devices: [DeviceProgress]

    /// All trials.
    public var trials: Int { counts.values.reduce(0, +) }
    /// Trials that have ended, well or not.
    public var ended: Int { counts.reduce(0) { $0 + ($1.key.isEnded ? $1.value : 0) } }
}

/// How far one trial is.
public struct TrialStanding: Sendable, Hashable {
    /// The trial's number.
    public var trial: Int
    public var status: TrialStatus
    /// Epochs trained.
    public var epochs: Int
    /// Epochs that it is to be trained for.
    public var plannedEpochs: Int

    /// Makes a standing.
    public init(trial: Int, status: TrialStatus, epochs: Int, plannedEpochs: Int) {
        self.trial = trial
        self.status = status
        self.epochs = epochs
        self.plannedEpochs = plannedEpochs
    }
}

/// What a device does in a run.
public struct DeviceProgress: Sendable, Hashable {
    /// The device's name.
    public var device: String
    /// The unit that is on it; nil while it waits.
    public var unit: String?
    /// The unit's trials.
    public var trials: Int
    /// Epochs trained and planned of the unit's trials.
    public var epochsDone: Int
    /// Epochs planned for the unit's trials.
    public var epochsPlanned: Int
    /// When the unit started, seconds since 1970.
    public var started: Double?
    /// How long the device worked for the run, as recorded so far.
    public var busySeconds: Double
    /// How long the device was there for the run, as recorded so far.
    public var wallSeconds: Double
}

extension Ledger {
    /// The run; nil before `begin`.
    public func run() throws(LedgerError) -> RunRecord? {
        try read("Reading the run") { db in try Self.run(db) }
    }

    /// How far the run is.
    /// - Parameter now: seconds since 1970, for the time that a run took that has not ended.
    public func progress(at now: Double) throws(LedgerError) -> RunProgress {
        try read("Reading the run's progress") { db in
            guard let run = try Self.run(db) else {
                throw LedgerError(.absent, "\(path) holds no run yet: try again in a moment")
            }
            var progress = RunProgress(
                run: run, counts: [:], stoppedEarly: 0, retried: 0, retries: 0, epochsDone: 0, epochsPlanned: 0,
                elapsed: max(0, (run.finished ?? now) - run.created), devices: [])
            // The ledger of an older run, read as it is, has no such column.
            let knowsStops = try db.columns(in: "trials").contains { $0.name == "stopped_epoch" }
            // Of a trial that a callback has ended only what was done is planned.
            let plan =
                knowsStops ? "CASE WHEN stopped_epoch IS NULL THEN planned_epochs ELSE epochs END" : "planned_epochs"
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT status, COUNT(*), SUM(epochs), SUM(\(plan)), \(knowsStops ? "COUNT(stopped_epoch)" : "0")
                    FROM trials GROUP BY status
                    """)
            while let row = try rows.next() {
                let status = try Self.status(row[0])
                let (done, planned): (Int, Int) = (row[2], row[3])
                progress.counts[status] = row[1]
                progress.stoppedEarly += row[4]
                progress.epochsDone += done
                progress.epochsPlanned += status.isEnded ? done : planned
            }
            for attempts in try Self.attempts(db).values where attempts > 1 {
                progress.retried += 1
                progress.retries += attempts - 1
            }
            progress.devices = try Self.devices(db, run, plan)
            if try db.columns(in: "units").contains(where: { $0.name == "lane_steps" }) {
                progress.padding = try Double.fetchOne(
                    db, sql: "SELECT TOTAL(idle_lane_steps) / NULLIF(TOTAL(lane_steps), 0) FROM units")
            }
            return progress
        }
    }

    /// How far each trial is, in the order of their numbers.
    ///
    /// - Parameter first: the number of the first that is wanted.
    public func standings(from first: Int = 0) throws(LedgerError) -> [TrialStanding] {
        try read("Reading the trials' progress") { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT trial, status, epochs, planned_epochs FROM trials WHERE trial >= ? ORDER BY trial",
                arguments: [first])
            return try rows.map {
                TrialStanding(trial: $0[0], status: try Self.status($0[1]), epochs: $0[2], plannedEpochs: $0[3])
            }
        }
    }

    /// Units in the order of their names, in which they were made: a clock may jump.
    public func units(status: UnitRecord.Status? = nil) throws(LedgerError) -> [UnitRecord] {
        try read("Reading the units") { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM units WHERE ?1 IS NULL OR status = ?1 ORDER BY LENGTH(unit), unit",
                arguments: [status?.rawValue])
            return try rows.map { row in
                guard let status = UnitRecord.Status(rawValue: row["status"]) else { throw Self.unreadable(row) }
                return UnitRecord(
                    id: row["unit"], device: row["device"], trials: try Self.integers(row["trials"]),
                    lanes: row["lanes"], form: row["form"], steps: row["steps"], started: row["started"],
                    status: status, ended: row["ended"], laneSteps: row["lane_steps"],
                    idleLaneSteps: row["idle_lane_steps"])
            }
        }
    }

    /// A unit's attempts in order.
    public func attempts(of unit: String) throws(LedgerError) -> [AttemptRecord] {
        try read("Reading a unit's attempts") { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM attempts WHERE unit = ? ORDER BY number", arguments: [unit])
            return rows.map { row in
                AttemptRecord(
                    unit: row["unit"], number: row["number"], runner: row["runner"], device: row["device"],
                    started: row["started"], ended: row["ended"], outcome: row["outcome"], message: row["message"])
            }
        }
    }
}

extension Ledger {
    private static func run(_ db: Database) throws -> RunRecord? {
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM run") else { return nil }
        guard let state = RunRecord.State(rawValue: row["state"]),
            case .list(let devices) = try JSON.parse(row["devices"])
        else { throw unreadable(row) }
        return RunRecord(
            name: row["name"], tool: row["tool"], experimentPath: row["experiment_path"],
            experiment: row["experiment"], created: row["created"], finished: row["finished"],
            devices: devices.map(\.description), state: state)
    }

    private static func devices(_ db: Database, _ run: RunRecord, _ plan: String) throws -> [DeviceProgress] {
        func idle(_ device: String) -> DeviceProgress {
            DeviceProgress(
                device: device, unit: nil, trials: 0, epochsDone: 0, epochsPlanned: 0, started: nil, busySeconds: 0,
                wallSeconds: 0)
        }
        var devices = run.devices.map(idle)
        func index(_ device: String) -> Int {
            if let index = devices.firstIndex(where: { $0.device == device }) { return index }
            devices.append(idle(device))
            return devices.count - 1
        }
        for row in try Row.fetchAll(db, sql: "SELECT device, busy_seconds, wall_seconds FROM devices ORDER BY device") {
            let index = index(row[0])
            devices[index].busySeconds = row[1]
            devices[index].wallSeconds = row[2]
        }
        let units = try Row.fetchAll(
            db,
            sql: """
                SELECT units.device, units.unit, units.started, COUNT(trial), TOTAL(epochs), TOTAL(\(plan))
                FROM units LEFT JOIN trials ON trials.unit = units.unit
                WHERE units.status = ? GROUP BY units.unit ORDER BY LENGTH(units.unit), units.unit
                """, arguments: [UnitRecord.Status.running.rawValue])
        for row in units {
            let index = index(row[0])
            devices[index].unit = row[1]
            devices[index].started = row[2]
            devices[index].trials = row[3]
            devices[index].epochsDone = row[4]
            devices[index].epochsPlanned = row[5]
        }
        return devices
    }

    static func status(_ text: String) throws -> TrialStatus {
        guard let status = TrialStatus(rawValue: text) else {
            throw LedgerError(.corrupt, "The ledger holds a trial of unknown status \(text)")
        }
        return status
    }

    private static func integers(_ text: String) throws -> [Int] {
        guard case .list(let values) = try JSON.parse(text) else { throw JSON.Malformed(offset: 0) }
        return try values.map { value in
            guard case .integer(let integer) = value else { throw JSON.Malformed(offset: 0) }
            return integer
        }
    }

    private static func unreadable(_ row: Row) -> LedgerError {
        LedgerError(.corrupt, "The ledger holds a row that can't be read: \(row)")
    }
}
