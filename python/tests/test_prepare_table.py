"""Tables: what is made of their columns, what is said of wrong rows, and what is left out only when asked for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PYTHON = os.environ.get("PRONGHORN_TEST_DATA_PYTHON", sys.executable)

VISITS = """age,city,day,note,bought,weight
31,Łódź,2026-01-05,"good, very good",yes,1
42,Aachen,2026-01-06 12:00,bad,no,0.5
,Łódź,2026-02-01,"two
lines",yes,2
57,,2026-03-31,Good!,no,1
"""


def request(path, **settings):
    """The request for one file with an input `x` and, where a column is given, a target `y`."""
    target = settings.pop("target", None)
    features = settings.pop("features", None)
    return {
        "files": [{"path": str(path), "shown": path.name}],
        "x": [{"name": "x", "columns": features}],
        "y": [{"name": "y", "columns": [target if isinstance(target, dict) else {"column": target}]}] if target else [],
        "columns": [],
        **settings,
    }


def prepare(tmp_path, asked):
    """The last line of the answer, and the arrays by name with what is said of them."""
    out = tmp_path / "out"
    (tmp_path / "request.json").write_text(json.dumps(asked))
    done = subprocess.run(
        [PYTHON, "-m", "pronghorn.prepare_table", str(tmp_path / "request.json"), str(out)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    if answer["event"] != "done":
        return answer, {}, None
    listed = json.loads((out / "data.json").read_text())
    return answer, {entry["name"]: np.load(out / entry["file"]) for entry in listed["arrays"]}, listed


def write_csv(tmp_path, text, name="visits.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def one(kind, column, **arguments):
    return {"column": column, "encoding": kind, "arguments": arguments}


def test_every_encoding_gives_its_columns_in_the_order_asked_for(tmp_path):
    path = write_csv(tmp_path, VISITS)
    answer, arrays, listed = prepare(
        tmp_path,
        request(
            path,
            features=[
                {"column": "age"},
                one("one_hot", "city"),
                one("date", "day", parts=["year", "month", "day", "weekday", "hour"]),
                one("bag_of_words", "note", words=3),
                one("hashing", "city", bins=4),
            ],
            target="bought",
            weight="weight",
            columns=["city", "age"],
            missing={
                "all": {"rule": "error"},
                "columns": {"age": {"rule": "value", "value": 40}, "city": {"rule": "value", "value": "unknown"}},
            },
        ),
    )
    assert answer["event"] == "done"
    x = arrays["x"]
    assert x.dtype == np.float32
    assert x[:, 0].tolist() == [31, 42, 40, 57]
    assert listed["encodings"][1]["categories"] == ["Aachen", "unknown", "Łódź"]
    assert x[:, 1:4].tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1], [0, 1, 0]]
    # 2026-01-05 is a Monday.
    assert x[:, 4:9].tolist() == [[2026, 1, 5, 0, 0], [2026, 1, 6, 1, 12], [2026, 2, 1, 6, 0], [2026, 3, 31, 1, 0]]
    assert listed["encodings"][3]["words"] == ["good", "bad", "lines"]
    assert x[:, 9:12].tolist() == [[2, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert x[:, 12:].shape == (4, 4) and (x[:, 12:].sum(axis=1) == 1).all() and (x[0, 12:] == x[2, 12:]).all()
    assert (arrays["y"].dtype, arrays["y"].tolist()) == (np.int32, [1, 0, 1, 0])
    assert listed["encodings"][5]["categories"] == ["no", "yes"]
    assert arrays["sample_weight"].tolist() == [1, 0.5, 2, 1]
    assert arrays["city"].tolist() == ["Łódź", "Aachen", "Łódź", "unknown"]
    assert (arrays["age"].dtype, arrays["age"].tolist()) == (np.int64, [31, 42, 40, 57])
    assert listed["rows"] == {"read": 4, "dropped": 0}
    assert [source["path"] for source in listed["sources"]] == [str(path)]


def test_rows_are_dropped_only_when_asked_and_counted(tmp_path):
    path = write_csv(tmp_path, VISITS)
    asked = request(path, features=[{"column": "age"}, one("ordinal", "city")], target="bought")
    answer, *_ = prepare(tmp_path, asked)
    assert answer["code"] == "wrong_table"
    assert answer["message"].startswith("visits.csv:4, column 1 ('age'): the value is missing")
    _, arrays, listed = prepare(tmp_path, {**asked, "missing": {"all": {"rule": "drop"}}})
    assert arrays["x"].tolist() == [[31, 1], [42, 0]]
    assert arrays["y"].tolist() == [1, 0]
    assert listed["rows"] == {"read": 4, "dropped": 2}
    # What is in a dropped row is no category.
    assert listed["encodings"][1]["categories"] == ["Aachen", "Łódź"]


def test_means_are_left_to_who_knows_which_rows_are_trained_on(tmp_path):
    path = write_csv(tmp_path, "a,b,c\n1,2,0\n,3,1\nNA,4,0\n")
    rules = {"all": {"rule": "mean"}, "columns": {"b": {"rule": "median"}}}
    _, arrays, listed = prepare(tmp_path, request(path, features=None, target="c", missing=rules))
    assert np.isnan(arrays["x"]).tolist() == [[False, False], [True, False], [True, False]]
    assert listed["arrays"][0]["fills"] == [
        {"place": 0, "rule": "mean", "column": "a"},
        {"place": 1, "rule": "median", "column": "b"},
    ]


@pytest.mark.parametrize(
    ("text", "features", "message"),
    [
        ("a,b\n1,2\n3\n", None, "visits.csv:3, column 2: the row has 1 fields, but the first line names 2 columns"),
        ('a,b\n"1\n",2\n3,4,5\n', None, "visits.csv:4, column 3: the row has 3 fields"),
        ("a,b\n1,2\n\n3,twelve\n", None, "visits.csv:4, column 2 ('b'): 'twelve' is no number; text needs an encoding"),
        ("a,b\n1,2\n3,1e99\n", None, "visits.csv:3, column 2 ('b'): 1e+99 is greater than any float32"),
        ("a,b\n1,2026-01-01\n2,2026-13-01\n", [one("date", "b")], "visits.csv:3, column 2 ('b'): '2026-13-01' is no"),
        ("a,b\n1,x\n2,y\n", [one("one_hot", "b", categories=["x"])], "visits.csv:3, column 2 ('b'): 'y' is none"),
        ("a,a\n1,2\n", None, "visits.csv: two columns are called 'a'"),
        ("a,b\n", None, "visits.csv: there are no rows"),
        ("", None, "visits.csv is empty: its first line names the columns"),
        ("a,b\n1,2\n", [{"column": "c"}], "visits.csv has no column 'c'; it has a, b"),
    ],
)
def test_a_wrong_row_is_named_with_file_line_and_column(tmp_path, text, features, message):
    answer, *_ = prepare(tmp_path, request(write_csv(tmp_path, text), features=features))
    assert (answer["event"], answer["code"]) == ("failed", "wrong_table")
    assert message in answer["message"]


def test_a_wrong_row_far_into_a_long_file_is_found(tmp_path):
    rows = [f"{row},{row % 7}" for row in range(1_200_000)]
    rows[1_100_000] = "1100000,x"
    path = write_csv(tmp_path, "a,b\n" + "\n".join(rows) + "\n")
    assert path.stat().st_size > 8 << 20
    answer, *_ = prepare(tmp_path, request(path, target="b"))
    assert "visits.csv:1100002, column 2 ('b'): 'x' is no number" in answer["message"]


@pytest.mark.parametrize(
    ("column", "dtype", "values", "message"),
    [
        (["3", "1", "2"], "int64", [3, 1, 2], None),
        (["3", "1.5", "2"], "float32", [3, 1.5, 2], None),
        (["b", "a", "b"], "int32", [1, 0, 1], None),
        (["1", "2", "x"], None, None, "visits.csv:4, column 2 ('y'): 'x' is no number"),
        (["x", "2", "1"], None, None, "visits.csv:2, column 2 ('y'): 'x' is no number, but other rows"),
    ],
)
def test_a_target_is_numbers_or_classes_and_never_both(tmp_path, column, dtype, values, message):
    path = write_csv(tmp_path, "a,y\n" + "".join(f"0,{value}\n" for value in column))
    answer, arrays, _ = prepare(tmp_path, request(path, target="y"))
    if message is not None:
        assert message in answer["message"]
        return
    assert (str(arrays["y"].dtype), arrays["y"].tolist()) == (dtype, values)


def test_data_to_validate_on_is_encoded_as_that_to_train_on(tmp_path):
    train = write_csv(tmp_path, "c,y\nb,no\na,yes\nc,no\n")
    prepare(tmp_path, request(train, features=[one("one_hot", "c", unknown="own")], target="y"))
    later = write_csv(tmp_path, "c,y\nd,yes\nc,yes\n", "later.csv")
    earlier = tmp_path / "earlier.json"
    (tmp_path / "out" / "data.json").rename(earlier)
    asked = request(later, features=[one("one_hot", "c", unknown="own")], target="y", encodings=str(earlier))
    _, arrays, _ = prepare(tmp_path, asked)
    assert arrays["x"].tolist() == [[0, 0, 0, 1], [0, 0, 1, 0]]
    assert arrays["y"].tolist() == [1, 1]


def test_several_files_follow_each_other_and_parquet_gives_what_csv_gives(tmp_path):
    script = """
import sys, pyarrow as pa, pyarrow.parquet as pq, datetime
table = pa.table({
    "n": pa.array([1, None, 3], pa.int16()),
    "city": pa.array(["a", "b", "a"]).dictionary_encode(),
    "day": pa.array([datetime.date(2026, 1, day) for day in (1, 2, 3)]),
    "flag": [True, False, True],
    "y": pa.array([0.5, 1.5, 2.5], pa.float64()),
})
pq.write_table(table, sys.argv[1])
pq.write_table(table.slice(1).select(["y", "flag", "day", "city", "n"]), sys.argv[2])
pq.write_table(pa.table({"n": [[1], [2]]}), sys.argv[3])
"""
    paths = [tmp_path / name for name in ("a.parquet", "b.parquet", "nested.parquet")]
    subprocess.run([PYTHON, "-c", script, *map(str, paths)], check=True)
    features = [{"column": "n"}, one("ordinal", "city"), one("date", "day", parts=["day"]), {"column": "flag"}]
    asked = request(paths[0], features=features, target="y", columns=["day"], missing={"all": {"rule": "drop"}})
    asked["files"] = [{"path": str(path), "shown": path.name} for path in paths[:2]]
    _, arrays, listed = prepare(tmp_path, asked)
    assert arrays["x"].tolist() == [[1, 0, 1, 1], [3, 0, 3, 1], [3, 0, 3, 1]]
    assert arrays["y"].tolist() == [0.5, 2.5, 2.5]
    assert listed["rows"] == {"read": 5, "dropped": 2}
    assert arrays["day"][0].startswith("2026-01-01")
    asked["missing"] = {}
    answer, *_ = prepare(tmp_path, asked)
    assert answer["message"].startswith("a.parquet, row 2, column 'n': the value is missing")
    answer, *_ = prepare(tmp_path, request(paths[2]))
    assert "are neither numbers nor text nor dates" in answer["message"]


@pytest.mark.parametrize("ending", ["tsv", "csv.gz"])
def test_other_separators_and_compressed_files(tmp_path, ending):
    import gzip

    path = tmp_path / f"t.{ending}"
    text = "﻿a,b\n1,2\n3,4\n"
    if ending == "tsv":
        path.write_text(text.replace(",", "\t"), encoding="utf-8")
    else:
        path.write_bytes(gzip.compress(text.encode()))
    _, arrays, _ = prepare(tmp_path, request(path, target="b"))
    assert arrays["x"].tolist() == [[1], [3]]


def test_text_that_is_not_utf8_is_refused_at_its_line(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes("a,b\n1,x\n2,Köln\n".encode("latin-1"))
    answer, *_ = prepare(tmp_path, request(path, features=[one("ordinal", "b")]))
    assert answer["message"] == "latin.csv:3: the line is not text in UTF-8"
