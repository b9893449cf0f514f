"""Data functions: what they may return, what is kept of it, and what is said of the rest."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pronghorn import prepared

ROOT = Path(__file__).parents[1]


def prepare(tmp_path, source, name="load"):
    """The last line of the answer, and the folder that the function's arrays went to."""
    file, out = tmp_path / "data.py", tmp_path / "out"
    file.write_text(source)
    done = subprocess.run(
        [sys.executable, "-m", "pronghorn.prepare_data", str(file), name, str(out)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "KERAS_BACKEND": "jax"},
    )
    return json.loads(done.stdout.splitlines()[-1]), out


def test_every_array_is_kept_under_its_name_and_role(tmp_path):
    answer, out = prepare(
        tmp_path,
        """
import numpy as np
def load():
    print("a word of the user's")
    x = {"left": np.arange(6.0).reshape(3, 2).T.copy().T, "right": [[1], [2], [3]]}
    return {"x": x, "y": np.array([True, False, True]), "sample_weight": (1, 0.5, 1), "a/b": np.arange(3, dtype=">i4")}
""",
    )
    assert answer["event"] == "done"
    listed = json.loads((out / "data.json").read_text())["arrays"]
    assert [(entry["name"], entry["role"], entry["shape"]) for entry in listed] == [
        ("left", "x", [3, 2]),
        ("right", "x", [3, 1]),
        ("y", "y", [3]),
        ("sample_weight", "sample_weight", [3]),
        ("a/b", "column", [3]),
    ]
    arrays = {entry["name"]: np.load(out / entry["file"]) for entry in listed}
    assert arrays["left"].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert arrays["a/b"].tolist() == [0, 1, 2]
    assert {entry["name"]: str(arrays[entry["name"]].dtype) for entry in listed} == {
        entry["name"]: entry["dtype"] for entry in listed
    }
    assert {entry["file"]: entry["bytes"] for entry in listed} == {
        path.name: path.stat().st_size for path in out.iterdir() if path.name != "data.json"
    }


def test_the_arrays_are_on_the_disk_before_the_list_says_that_they_are_whole(tmp_path, disk_steps):
    (tmp_path / "x.npy").write_bytes(b"123")
    (tmp_path / "y.npy").write_bytes(b"")
    prepared.write_list(tmp_path, {"arrays": [{"file": "x.npy"}, {"file": "y.npy"}], "sources": []})
    (temporary, target) = disk_steps[3]
    assert disk_steps == [tmp_path / "x.npy", tmp_path / "y.npy", temporary, (temporary, target), tmp_path]
    assert target == tmp_path / "data.json"
    assert [entry["bytes"] for entry in json.loads(target.read_text())["arrays"]] == [3, 0]


def test_frames_give_their_numbers_and_columns_their_text(tmp_path):
    answer, out = prepare(
        tmp_path,
        """
import pandas
def load():
    frame = pandas.DataFrame({"a": [1.0, 2.0], "b": [3, 4], "shop": ["north", "south"]})
    return {"x": frame[["a", "b"]], "y": frame["b"], "shop": frame["shop"]}
""",
    )
    assert answer["event"] == "done"
    assert np.load(out / "x.npy").tolist() == [[1, 3], [2, 4]]
    assert np.load(out / "column-0.npy").tolist() == ["north", "south"]


def test_an_edited_helper_or_table_is_noticed(tmp_path):
    (tmp_path / "helper.py").write_text("scale = 2\n")
    (tmp_path / "table.csv").write_text("1,2\n3,4\n")
    _, out = prepare(
        tmp_path,
        """
import numpy as np
from helper import scale
def load():
    return {"x": scale * np.loadtxt("table.csv", delimiter=",")}
""",
    )
    sources = {Path(entry["path"]).name: entry for entry in json.loads((out / "data.json").read_text())["sources"]}
    assert {"data.py", "helper.py", "table.csv"} <= set(sources)
    for name in ("helper.py", "table.csv"):
        status = (tmp_path / name).stat()
        assert sources[name]["sha256"] == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        assert sources[name]["stamp"] == {
            "size": status.st_size,
            "modified": status.st_mtime_ns,
            "changed": status.st_ctime_ns,
            "inode": status.st_ino,
        }
    # What comes with a package is named by the environment already.
    assert not any("site-packages" in entry["path"] for entry in sources.values())


BATCHES = """
import numpy as np
class Batch:
    def __call__(self, start, end):
        rows = np.arange(start, end, dtype=np.float64)
        return {"a": rows[:, None] * [1, 2], "b": rows.astype(np.int32)}, rows[:, None] > 2, rows + 1
batch = Batch()
"""
GENERATOR = "def load():\n    for start in (0, 4, 8):\n        yield batch(start, min(start + 4, 10))\n"
PY_DATASET = """
import keras
class Rows(keras.utils.PyDataset):
    def __len__(self):
        return 3
    def __getitem__(self, number):
        return batch(4 * number, min(4 * number + 4, 10))
def load():
    return Rows()
"""


@pytest.mark.parametrize("source", [GENERATOR, PY_DATASET], ids=["generator", "PyDataset"])
def test_batches_are_taken_once_and_put_together(tmp_path, source):
    answer, out = prepare(tmp_path, BATCHES + source)
    assert answer["event"] == "done", answer
    listed = json.loads((out / "data.json").read_text())["arrays"]
    assert [(entry["name"], entry["role"], entry["shape"], entry["dtype"]) for entry in listed] == [
        ("a", "x", [10, 2], "float64"),
        ("b", "x", [10], "int32"),
        ("y", "y", [10, 1], "bool"),
        ("sample_weight", "sample_weight", [10], "float64"),
    ]
    arrays = {entry["name"]: np.load(out / entry["file"]) for entry in listed}
    assert arrays["a"].tolist() == [[row, 2 * row] for row in range(10)]
    assert arrays["b"].tolist() == list(range(10))
    assert arrays["sample_weight"].tolist() == list(range(1, 11))


def test_a_tf_dataset_is_taken_by_its_own_batches_and_must_end(tmp_path):
    source = """
import numpy as np
class Dataset:
    def __init__(self, cardinality): self.count = cardinality
    def cardinality(self): return np.int64(self.count)
    def as_numpy_iterator(self): return iter([(np.ones((2, 3), "f4"), np.zeros(2, "i4"))] * 2)
def load(): return Dataset(2)
def endless(): return Dataset(-1)
"""
    answer, out = prepare(tmp_path, source)
    assert answer["event"] == "done"
    assert np.load(out / "x-0.npy").shape == (4, 3)
    answer, _ = prepare(tmp_path, source, "endless")
    assert "a tf.data.Dataset that never ends" in answer["message"]


@pytest.mark.parametrize(
    ("yields", "message"),
    [
        ("", "no batches"),
        ("yield [1], [1, 2]", "a batch (0) whose arrays have [1, 2] rows"),
        ("yield [[1]], [1]; yield [[1, 2]], [1]", "rows of different shapes: [2] in batch 1, [1] before"),
        ("yield np.array([1]); yield np.array([1.5])", "arrays of different types: float64 in batch 1, int64 before"),
        ("yield [1], [1]; yield np.array([1])", "batches of different arrays: batch 1 is not like the first"),
        ("yield [1], [1], [1], [1]", "a batch of 4 parts"),
        ("yield np.array(['cat'])", "text as 'x'"),
    ],
)
def test_batches_that_do_not_fit_each_other_are_refused(tmp_path, yields, message):
    source = f"import numpy as np\ndef load():\n    {yields or 'pass'}\n    return\n    yield\n"
    answer, _ = prepare(tmp_path, source)
    assert (answer["event"], answer["code"]) == ("failed", "not_arrays")
    assert f"load returned {message}" in answer["message"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("None", "None, which is no dictionary"),
        ("([1], [2])", "a tuple, which is no dictionary"),
        ("{'y': [1]}", "no 'x', the inputs of the model"),
        ("{'x': 3}", "an int as 'x', which has no rows"),
        ("{'x': None}", "None as 'x', which has no rows"),
        ("{'x': {}}", "nothing in 'x'"),
        ("{'x': [[1], [1, 2]]}", "a list as 'x', of which NumPy makes no array"),
        ("{'x': {'a': [1, None]}}", "Python objects as 'a' of x, one of them None"),
        ("{'x': [1], 'y': ['cat']}", "text as 'y'"),
        ("{'x': [1j]}", "'x' of type complex128, which no model takes"),
        ("{'x': [1], 'day': np.array(['2026-01-01'], 'M8[D]')}", "'day' of type datetime64[D], which no model takes"),
        ("{'x': [1], 3: [1]}", "3 as the name of an array"),
    ],
)
def test_what_is_no_array_is_refused_by_name(tmp_path, value, message):
    answer, out = prepare(tmp_path, f"import numpy as np\n\n\ndef load():\n    return {value}\n")
    assert (answer["event"], answer["code"]) == ("failed", "not_arrays")
    assert f"load returned {message}" in answer["message"]
    assert (answer["file"], answer["line"]) == (str(tmp_path / "data.py"), 4)
    assert not out.exists()


@pytest.mark.parametrize(
    ("source", "code", "message", "line"),
    [
        ("def load():\n    return open('gone.csv')\n", "function_raised", "load raised FileNotFoundError", 2),
        ("def load(path):\n    pass\n", "function_raised", "missing 1 required positional argument", 1),
        ("import sys\nsys.exit('enough')\n", "function_raised", "importing data.py raised SystemExit: enough", 2),
        ("def load()\n", "function_raised", "importing data.py raised SyntaxError", 1),
        ("from math import sqrt\ndef lod(): ...\n", "no_such_function", "no function 'load'; it has lod", None),
    ],
)
def test_a_mistake_is_found_at_its_line(tmp_path, source, code, message, line):
    answer, _ = prepare(tmp_path, source)
    assert (answer["event"], answer["code"], answer.get("line")) == ("failed", code, line)
    assert message in answer["message"]
    assert answer["file"] == str(tmp_path / "data.py")
