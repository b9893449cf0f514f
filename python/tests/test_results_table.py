"""Results as a Parquet file: types, what is missing, and a file that cannot be written."""

import io
import json
import math
import sys

import pyarrow.parquet as pq

from pronghorn import results_table

TYPES = {
    "trial": "integer", "name": "text", "seed": "seed", "partition_label": "text", "loss": "number",
    "message": "text", "best_epoch": "integer",
}  # fmt: skip
TABLE = (
    "trial,name,seed,partition_label,units,rate,act,loss,message,best_epoch\r\n"
    "0,0000,18446744073709551615,07,8,0.5,relu,nan,,\r\n"
    '1,0001,1,08,16,1,"[1,2]",0.25,"said ""no""\r\nand left",3\r\n'
)


def write(job: dict, monkeypatch) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(job)))
    monkeypatch.setattr(results_table.lifeline, "watch", lambda: None)
    return results_table.main()


def test_columns_have_their_types_and_nothing_is_lost(tmp_path, monkeypatch):
    path = tmp_path / "results.parquet"
    assert write({"output": str(path), "table": TABLE, "types": TYPES}, monkeypatch) == 0
    table = pq.read_table(path)
    types = {field.name: str(field.type) for field in table.schema}
    assert types == {
        "trial": "int64", "name": "string", "seed": "uint64", "partition_label": "string", "units": "int64",
        "rate": "double", "act": "string", "loss": "double", "message": "string", "best_epoch": "int64",
    }  # fmt: skip
    first, second = table.to_pylist()
    assert first["seed"] == 2**64 - 1 and first["partition_label"] == "07"
    assert math.isnan(first["loss"]) and first["message"] is None and first["best_epoch"] is None
    assert second["message"] == 'said "no"\r\nand left' and second["act"] == "[1,2]" and second["best_epoch"] == 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["results.parquet"]


def test_a_run_without_trials_has_a_table_without_rows(tmp_path, monkeypatch):
    path = tmp_path / "results.parquet"
    assert write({"output": str(path), "table": TABLE.split("\n")[0] + "\n", "types": TYPES}, monkeypatch) == 0
    assert pq.read_table(path).num_rows == 0


def test_a_file_that_cannot_be_written_is_an_error_and_leaves_nothing(tmp_path, monkeypatch, capsys):
    job = {"output": str(tmp_path / "no" / "results.parquet"), "table": TABLE, "types": TYPES}
    assert write(job, monkeypatch) == 1
    assert "No such file" in capsys.readouterr().err
