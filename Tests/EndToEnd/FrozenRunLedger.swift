/// The ledger of the frozen run, of the second layout; it never changes.
let frozenRunLedger = """
    PRAGMA journal_mode = WAL;
    CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
    INSERT INTO grdb_migrations VALUES ('v1');
    INSERT INTO grdb_migrations VALUES ('v2');
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
    ALTER TABLE trials ADD COLUMN stopped_epoch INTEGER;
    ALTER TABLE trials ADD COLUMN stopped_by TEXT;
    INSERT INTO run VALUES (1, 'experiment', '0.1.0', 'experiment.yaml', 'name: experiment', 1795822835.0, 1795822839.0,
        '["cpu:0"]', 'stopped');
    INSERT INTO trials VALUES (0, '0000', 0, '{"seed":0}', NULL, 'all', 64, 0, 2, 'native', NULL, NULL, 'finished', NULL,
        'cpu:0', '0000', 2, '{"loss":0.466807097196579}', 1, 'models/0000.keras', 2.1, NULL, NULL);
    INSERT INTO trials VALUES (1, '0001', 1, '{"seed":1}', NULL, 'all', 64, 0, 2, 'native', NULL, NULL, 'finished', NULL,
        'cpu:0', '0000', 2, '{"loss":0.5652965307235718}', 1, 'models/0001.keras', 2.1, NULL, NULL);
    INSERT INTO trials (trial, name, seed, parameters, partition_label, rows, validation_rows, planned_epochs, engine, status)
    VALUES (2, '0002', 2, '{"seed":2}', 'all', 64, 0, 2, 'native', 'waiting');
    INSERT INTO units VALUES ('0000', 'finished', 'cpu:0', '[0,1]', 2, 'vectorized', 4, 1795822835.0, 1795822839.0);
    INSERT INTO attempts VALUES ('0000', 1, 5275, 'cpu:0', 1795822835.0, 1795822839.0, 'finished', NULL);
    INSERT INTO epochs VALUES (0, 0, 2.88, '{"loss":0.4795137345790863}');
    INSERT INTO epochs VALUES (0, 1, 0.0014, '{"loss":0.466807097196579}');
    INSERT INTO epochs VALUES (1, 0, 2.88, '{"loss":0.5865880846977234}');
    INSERT INTO epochs VALUES (1, 1, 0.0014, '{"loss":0.5652965307235718}');
    INSERT INTO devices VALUES ('cpu:0', 4.3, 4.3);
    """
