import GRDB

/// The ledger's tables.
///
/// A migration that has shipped never changes: a later layout is a further migration. The first one's tables `events` and `files`
/// are not used.
enum Schema {
    /// The migration that makes the tables.
    static let first = "v1"

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration(first) { db in try db.execute(sql: v1) }
        migrator.registerMigration("v2") { db in try db.execute(sql: v2) }
        migrator.registerMigration("v3") { db in try db.execute(sql: v3) }
        return migrator
    }

    /// What lanes compute for nothing.
    private static let v3 = """
        ALTER TABLE units ADD COLUMN lane_steps INTEGER;
        ALTER TABLE units ADD COLUMN idle_lane_steps INTEGER;
        """

    /// How callbacks end trials.
    private static let v2 = """
        ALTER TABLE trials ADD COLUMN stopped_epoch INTEGER;
        ALTER TABLE trials ADD COLUMN stopped_by TEXT;
        """

    private static let v1 = """
        CREATE TABLE run (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            name TEXT NOT NULL,
            tool TEXT NOT NULL,
            experiment_path TEXT,
            experiment TEXT NOT NULL,
            created REAL NOT NULL,
            finished REAL,
            devices TEXT NOT NULL,
            state TEXT NOT NULL
        );
        CREATE TABLE trials (
            trial INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            seed INTEGER NOT NULL,
            parameters TEXT NOT NULL,
            partition INTEGER,
            partition_label TEXT,
            rows INTEGER NOT NULL,
            validation_rows INTEGER NOT NULL,
            planned_epochs INTEGER NOT NULL,
            engine TEXT NOT NULL,
            engine_reason TEXT,
            program TEXT,
            status TEXT NOT NULL,
            message TEXT,
            device TEXT,
            unit TEXT,
            epochs INTEGER NOT NULL DEFAULT 0,
            metrics TEXT NOT NULL DEFAULT '{}',
            best_epoch INTEGER,
            model TEXT,
            train_seconds REAL
        );
        CREATE INDEX trials_by_status ON trials (status);
        CREATE INDEX trials_by_unit ON trials (unit);
        CREATE TABLE units (
            unit TEXT PRIMARY KEY,
            status TEXT NOT NULL,
            device TEXT NOT NULL,
            trials TEXT NOT NULL,
            lanes INTEGER NOT NULL,
            form TEXT NOT NULL,
            steps INTEGER NOT NULL,
            started REAL NOT NULL,
            ended REAL
        ) WITHOUT ROWID;
        CREATE INDEX units_by_status ON units (status);
        CREATE TABLE attempts (
            unit TEXT NOT NULL,
            number INTEGER NOT NULL,
            runner INTEGER NOT NULL,
            device TEXT NOT NULL,
            started REAL NOT NULL,
            ended REAL,
            outcome TEXT,
            message TEXT,
            PRIMARY KEY (unit, number)
        ) WITHOUT ROWID;
        CREATE TABLE epochs (
            trial INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            seconds REAL NOT NULL,
            metrics TEXT NOT NULL,
            PRIMARY KEY (trial, epoch)
        ) WITHOUT ROWID;
        CREATE TABLE events (
            event INTEGER PRIMARY KEY,
            time REAL NOT NULL,
            kind TEXT NOT NULL,
            text TEXT NOT NULL
        );
        CREATE TABLE devices (
            device TEXT PRIMARY KEY,
            busy_seconds REAL NOT NULL,
            wall_seconds REAL NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE files (
            path TEXT PRIMARY KEY,
            digest TEXT,
            size INTEGER NOT NULL,
            modified INTEGER NOT NULL
        ) WITHOUT ROWID;
        """
}
