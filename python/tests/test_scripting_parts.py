"""The parts of `pronghorn.fit` that need no training: tables, datasets, arrays, callbacks, values."""

import os
import pickle
import threading
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

import pronghorn
from pronghorn.scripting import arrays, callbacks, code, data, models, objects
from pronghorn.scripting.process import Progress, TrainingProcess
from pronghorn.scripting.progress import Notebook, line
from pronghorn.scripting.values import Axes, plain, yaml

X = np.arange(12, dtype="float64").reshape(4, 3)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PRONGHORN_CACHE", str(tmp_path / "cache"))


def tables():
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    columns = {"a": [1.0, 2.0], "b": [3, 4], "kind": ["u", "v"], "price": [5.0, 6.0]}
    return [pd.DataFrame(columns), polars.DataFrame(columns), polars.LazyFrame(columns), pyarrow.table(columns)]


def test_columns_of_any_table_become_inputs_targets_and_keys():
    for table in tables():
        rows = data.rows(table, "price", columns=["kind"])
        np.testing.assert_array_equal(rows.x["x"], [[1, 3], [2, 4]])
        np.testing.assert_array_equal(rows.y["y"], [5, 6])
        assert rows.columns["kind"].tolist() == ["u", "v"]
        with pytest.raises(pronghorn.InvalidRequest, match="column 'kind'"):
            data.rows(table, "price")
        with pytest.raises(pronghorn.InvalidRequest, match="no column 'cost'"):
            data.rows(table, "cost", columns=["kind"])


def test_a_list_of_arrays_goes_by_the_names_of_the_inputs():
    rows = data.rows([X, X[:, 0]], X, input_names=["left", "right"])
    assert list(rows.x) == ["left", "right"]
    with pytest.raises(pronghorn.InvalidRequest, match="dictionary"):
        data.rows([X, X], X)


def test_batches_are_drained_once_in_their_order():
    rows = data.rows((X[i : i + 3], X[i : i + 3, 0]) for i in (0, 3))
    np.testing.assert_array_equal(rows.x["x"], X)
    assert rows.batch_size == 3 and rows.is_dataset
    uneven = data.rows((X[a:b], X[a:b, 0]) for a, b in ((0, 1), (1, 3), (3, 4)))
    assert uneven.batch_size is None
    with pytest.raises(pronghorn.InvalidRequest, match="empty"):
        data.rows(iter(()))


def test_only_whole_mapped_files_are_taken_as_they_are(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, X.astype("float32"))
    mapped = np.load(path, mmap_mode="r")
    assert arrays.mapped_file(mapped) == str(path)
    assert arrays.mapped_file(np.asarray(mapped)) == str(path)
    assert arrays.mapped_file(mapped[1:]) is None
    assert arrays.mapped_file(mapped[::-1]) is None
    assert arrays.mapped_file(mapped.T) is None
    assert arrays.mapped_file(mapped.reshape(3, 4)) is None
    assert arrays.mapped_file(np.load(path, mmap_mode="c")) is None
    assert arrays.mapped_file(X) is None
    np.save(path, X)
    # Of a type that is cast anyway.
    assert arrays.mapped_file(np.load(path, mmap_mode="r")) is None


def test_large_arrays_go_through_shared_memory_and_stay_where_the_run_may_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "KEPT_BYTES", 10)
    for keep in (True, False):
        files = arrays.ArrayFiles(tmp_path / str(keep))
        place = tmp_path / str(keep) / files.path(X, "x/0")
        assert place.is_symlink() and Path(os.readlink(place)).is_relative_to("/dev/shm")
        shared, times = Path(os.readlink(place)), place.stat().st_mtime_ns
        assert np.load(place).dtype == "float32"
        files.settle(keep=keep)
        assert not shared.exists() and not shared.parent.exists()
        assert place.exists() == keep and not place.is_symlink()
        if keep:
            assert place.stat().st_mtime_ns == times
            np.testing.assert_array_equal(np.load(place), X)


def test_keras_callbacks_are_written_by_their_own_arguments():
    stopping = keras.callbacks.EarlyStopping("val_mae", patience=3, mode="min", restore_best_weights=True)
    stopping.min_delta = -0.5
    found = callbacks.entries(
        [
            stopping,
            keras.callbacks.CSVLogger("a.csv", separator=";"),
            keras.callbacks.History(),
            keras.callbacks.TerminateOnNaN(),
        ]
    )
    assert found[0]["early_stopping"] == {
        "monitor": "val_mae",
        "min_delta": 0.5,
        "patience": 3,
        "mode": "min",
        "baseline": None,
        "restore_best_weights": True,
        "start_from_epoch": 0,
    }
    assert found[1] == {"csv_logger": {"append": False, "separator": ";"}}
    assert found[2] == {"terminate_on_nan": {"raise_error": False}}

    class Stricter(keras.callbacks.EarlyStopping):
        pass

    (entry,) = callbacks.entries([Stricter(), keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None)])
    assert entry.endswith("callbacks.py:callbacks")
    namespace = {"__file__": entry.removesuffix(":callbacks")}
    exec(Path(namespace["__file__"]).read_text(), namespace)
    made = namespace["callbacks"]()
    assert [type(one).__name__ for one in made] == ["Stricter", "LambdaCallback"]
    assert namespace["callbacks"]()[0] is not made[0]
    with pytest.raises(pronghorn.InvalidRequest):
        callbacks.entries(["early_stopping"])


def test_the_same_function_has_the_same_file():
    def build(units):
        return units + len(X)

    first = code.function_file("model", code.BUILD, (build, {}), "build")
    assert code.function_file("model", code.BUILD, (build, {}), "build") == first
    namespace = {"__file__": first}
    exec(Path(first).read_text(), namespace)
    assert namespace["build"](units=2) == 6
    with pytest.raises(pronghorn.InvalidRequest, match="the schedule cannot be handed"):
        code.function_file("schedule", code.SCHEDULE, threading.Lock(), "the schedule")


def test_axes_are_plain_values_and_objects_have_labels():
    axes = Axes({"seed": range(3), "rate": np.logspace(-2, -1, 2), "loss": [keras.losses.Huber(2.0), "mse"]})
    assert axes.section == {"seed": {"range": [0, 3, 1]}, "rate": [0.01, 0.1], "loss": ["Huber", "mse"]}
    assert list(axes.objects["loss"]) == ["Huber"]
    loaded = [pickle.loads(axes.objects["loss"]["Huber"]) for _ in range(2)]
    assert loaded[0] is not loaded[1]
    assert loaded[0]._fn_kwargs == {"delta": 2.0}
    rates = Axes({"optimizer": [keras.optimizers.SGD(0.5)]}).objects["optimizer"]["SGD"]
    assert float(pickle.loads(rates).learning_rate) == 0.5
    assert Axes({"random": 5, "lr": pronghorn.log_uniform(1e-4, 1)}).section == {
        "random": 5,
        "lr": {"log_uniform": [0.0001, 1.0]},
    }
    with pytest.raises(pronghorn.InvalidRequest, match="no finite number"):
        Axes({"learning_rate": [float("nan")]})
    with pytest.raises(TypeError):
        plain(float("inf"))


def test_experiment_files_are_yaml_with_numbers_as_the_keys_of_class_weights():
    text = yaml({"name": "a", "fit": {"epochs": 2, "class_weight": {0: 1.0, 1: 2.5}}, "odd key": [1, "é\n"]})
    assert text == 'name: "a"\nfit:\n  epochs: 2\n  class_weight: {0: 1.0, 1: 2.5}\nodd key: [1, "é\\n"]\n'


def test_progress_is_one_line_as_keras_has_it():
    going = Progress("training", "", 4, 1, 0, 5, 20, {"val_loss": 0.5, "loss": 0.25, "acc": 1e-4})
    assert line(going, 3) == "1/4 ━━━━━╺╺╺╺╺╺╺╺╺╺╺╺╺╺╺ 3s (9s left) - loss: 0.2500 - acc: 1.0000e-04 - val_loss: 0.5000"
    assert line(Progress(doing="importing Keras"), 1) == "importing Keras …"
    # What an earlier process trained says nothing of how fast this one is.
    resumed = replace(going, epochs_done=15, epochs_before=10)
    assert line(resumed, 3).startswith("1/4 ━━━━━━━━━━━━━━━╺╺╺╺╺ 3s (3s left) - ")
    # Nor is anything trained yet when a run that goes on says where it is.
    preparing = Progress("preparing", "importing Keras", 4, 1, 0, 10, 20, {}, 10)
    assert line(preparing, 3) == "importing Keras …"


def test_a_run_that_goes_on_is_as_far_as_it_was_and_trains_once_it_has_metrics():
    process = TrainingProcess.__new__(TrainingProcess)
    process.progress, process.changed = Progress(), threading.Condition()
    told = {"trials": 4, "ended": 1, "failed": 0, "epochs_done": 10, "epochs": 20, "metrics": {}}
    process._hear({"event": "progress", "progress": told})
    assert (process.progress.state, process.progress.epochs_before) == ("preparing", 10)
    process._hear({"event": "progress", "progress": {**told, "epochs_done": 12, "metrics": {"loss": 0.5}}})
    assert (process.progress.state, process.progress.epochs_before) == ("training", 10)
    assert (process.progress.ended, process.progress.epochs_done, process.progress.epochs) == (1, 12, 20)


def test_a_notebook_shows_a_bar_and_the_metrics_in_one_output(monkeypatch):
    display = pytest.importorskip("IPython.display")
    shown = []

    class Handle:
        def update(self, data, raw):
            shown[-1] = data

    def show(data, raw, display_id):
        shown.append(data)
        return Handle()

    monkeypatch.setattr(display, "display", show)
    notebook = Notebook()
    notebook.show(Progress(doing="importing <Keras>"))
    assert shown[0]["text/html"] == "<pre>importing &lt;Keras&gt; …</pre>"
    going = Progress("training", "", 4, 1, 1, 5, 20, {"val_loss": 0.5, "<loss>": 0.25})
    notebook.show(going)
    notebook.close(going)
    (data,) = shown
    assert 'max="1" value="0.2500"' in data["text/html"] and "1 failed" in data["text/html"]
    assert "<th>&lt;loss&gt;</th><th>val_loss</th></tr><tr><td>0.2500</td><td>0.5000</td>" in data["text/html"]
    assert data["text/plain"].startswith("1/4 ━━━━━╺")


def scaled(factor):
    class Scale(keras.layers.Layer):
        def __init__(self, **named):
            super().__init__(**named)
            self.bias = 1

        def call(self, x):
            return x * factor

    def loss(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred)) * factor

    return {"Scale": Scale, "loss": loss}


@pytest.mark.parametrize("name", ["Scale", "loss"])
def test_objects_of_one_name_may_be_made_twice_but_must_do_the_same(name):
    known = {}
    for factor in (2, 2):
        objects.join(known, {name: scaled(factor)[name]})
    with pytest.raises(pronghorn.InvalidRequest, match=f"two different objects are called {name}"):
        objects.join(known, {name: scaled(5)[name]})


class Counted(keras.layers.Layer):
    """Saves a number that is no variable."""

    count = 1

    def save_own_variables(self, store):
        store["count"] = np.int32(self.count)

    def load_own_variables(self, store):
        self.count = int(store["count"][()])

    def call(self, x):
        return x * self.count


class Spoken(keras.layers.Layer):
    """Saves a file of words, as Keras's lookups do."""

    def save_assets(self, folder):
        Path(folder, "words.txt").write_text("a b")

    def call(self, x):
        return x


def test_models_that_differ_in_what_only_their_files_hold_have_files_of_their_own():
    paths = []
    model = keras.Sequential([keras.Input((2,)), Counted()])
    model.compile("sgd", "mse")
    for count in (3, 4, 3):
        model.layers[0].count = count
        path, _ = models._saved(model, "0", {"Counted": Counted})
        loaded = keras.models.load_model(path, custom_objects={"Counted": Counted})
        assert loaded.layers[0].count == count
        paths.append(path)
    assert paths[0] == paths[2] != paths[1]
    assert models._saves_more(keras.Sequential([keras.Input((2,)), Spoken()]))
    assert not models._saves_more(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
