/// The first layout of a ledger as it shipped, with one run in it.
///
/// It never changes: files like it must open for ever.
let frozenLedgerV1 = """
    PRAGMA journal_mode = WAL;
    CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
    INSERT INTO grdb_migrations VALUES ('v1');
    \(frozenSchemaV1)
    INSERT INTO run VALUES (1, 'digits', '0.1.0', '/data/digits.yaml', 'name: digits', 1000.0, NULL, '["cpu:0"]', 'running');
    INSERT INTO trials (trial, name, seed, parameters, partition, partition_label, rows, validation_rows,
        planned_epochs, engine, program, status, device, unit, epochs, metrics, best_epoch, model, train_seconds)
    VALUES (0, '0', -1, '{"learning_rate":0.001,"units":64}', 2, 'fold 2', 100, 20, 2, 'xla', 'abc', 'finished',
        'cpu:0', 'u1', 2, '{"loss":0.25,"val_loss":null}', 1, 'models/0.keras', 1.5);
    INSERT INTO units VALUES ('u1', 'finished', 'cpu:0', '[0]', 1, 'vectorized', 4, 1001.0, 1003.0);
    INSERT INTO attempts VALUES ('u1', 1, 77, 'cpu:0', 1001.0, 1003.0, 'finished', NULL);
    INSERT INTO epochs VALUES (0, 0, 0.5, '{"loss":0.5,"val_loss":9e999}');
    INSERT INTO epochs VALUES (0, 1, 0.5, '{"loss":0.25,"val_loss":null}');
    INSERT INTO events VALUES (1, 1001.0, 'device', 'cpu:0 is ready');
    INSERT INTO devices VALUES ('cpu:0', 2.0, 3.0);
    INSERT INTO files VALUES ('/data/x.npy', NULL, 400, 12345);
    """

let frozenSchemaV1 = """
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

/// The second layout of a ledger as it shipped, with a run that was interrupted; it never changes either.
let frozenLedgerV2 = """
    PRAGMA journal_mode = WAL;
    CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
    INSERT INTO grdb_migrations VALUES ('v1');
    INSERT INTO grdb_migrations VALUES ('v2');
    \(frozenSchemaV1)
    ALTER TABLE trials ADD COLUMN stopped_epoch INTEGER;
    ALTER TABLE trials ADD COLUMN stopped_by TEXT;
    INSERT INTO run VALUES (1, 'digits', '0.1.0', 'digits.yaml', 'name: digits', 1000.0, 1010.0, '["cpu:0"]', 'stopped');
    INSERT INTO trials (trial, name, seed, parameters, partition, partition_label, rows, validation_rows,
        planned_epochs, engine, status, device, unit, epochs, metrics, best_epoch, model, train_seconds, stopped_epoch,
        stopped_by)
    VALUES (0, '0000', 0, '{"seed":0}', NULL, 'all', 100, 0, 5, 'native', 'finished', 'cpu:0', '0000', 2, '{"loss":0.25}',
        1, 'models/0000.keras', 1.5, 1, 'early_stopping');
    INSERT INTO trials (trial, name, seed, parameters, partition, partition_label, rows, validation_rows,
        planned_epochs, engine, status, device, unit, epochs, metrics, model, train_seconds)
    VALUES (1, '0001', 1, '{"seed":1}', NULL, 'all', 100, 0, 5, 'native', 'finished', 'cpu:0', '0000', 5, '{"loss":0.5}',
        'models/0001.keras', 1.5);
    INSERT INTO trials (trial, name, seed, parameters, partition, partition_label, rows, validation_rows,
        planned_epochs, engine, engine_reason, status, epochs, metrics)
    VALUES (2, '0002', 2, '{"seed":2}', NULL, 'all', 100, 0, 5, 'fit', 'run_eagerly', 'waiting', 1, '{"loss":0.75}');
    INSERT INTO units VALUES ('0000', 'finished', 'cpu:0', '[0,1]', 2, 'vectorized', 4, 1001.0, 1003.0);
    INSERT INTO attempts VALUES ('0000', 1, 77, 'cpu:0', 1001.0, 1003.0, 'finished', NULL);
    INSERT INTO epochs VALUES (0, 0, 0.5, '{"loss":0.5}');
    INSERT INTO epochs VALUES (0, 1, 0.5, '{"loss":0.25}');
    INSERT INTO epochs VALUES (1, 0, 0.5, '{"loss":9e999}');
    INSERT INTO epochs VALUES (2, 0, 0.5, '{"loss":0.75}');
    INSERT INTO devices VALUES ('cpu:0', 2.0, 3.0);
    """
