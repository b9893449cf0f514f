"""Makes an SQLite file of SQL text: `make_ledger.py SQL FILE`, and says how many tables it has."""

import json
import pathlib
import sqlite3
import sys

sql, file = sys.argv[1:]
connection = sqlite3.connect(file)
connection.executescript(pathlib.Path(sql).read_text(encoding="utf-8"))
tables = connection.execute("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]
connection.close()
print(json.dumps({"tables": tables}))
