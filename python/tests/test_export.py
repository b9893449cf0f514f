"""Exports of trials: each format is read back and predicts what the model predicts."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

ROOT = Path(__file__).parents[1]
ROWS = np.random.default_rng(3).normal(size=(4, 6)).astype("float32")

CUSTOM = """
import keras

@keras.saving.register_keras_serializable("stores")
class Doubled(keras.layers.Layer):
    def call(self, x):
        return x * 2
"""


def model():
    built = keras.Sequential([keras.Input((6,)), layers.Dense(5, activation="relu"), layers.Dense(2)])
    built.compile("adam", "mse")
    return built


def trial(number, **more):
    return {
        "trial": number,
        "name": f"{number:04}",
        "model": f"models/{number:04}.keras",
        "parameters": {"units": 5, "optimizer": "adam", "sizes": [1, 2], "seed": None},
        "history": {"loss": [3.0, 2.0, None], "val_loss": [4.0, 2.5]},
        **more,
    }


def export(folder, to, trials, python=sys.executable, backend="jax", expects=0, **more):
    """Runs the export and returns its answers; of one that fails, what it wrote on standard error."""
    (folder / "out").mkdir(exist_ok=True)
    job = {
        "to": to,
        "run": str(folder),
        "output": str(folder / "out"),
        "force": False,
        "imports": [],
        "trials": trials,
        "epochs": {str(t["trial"]): {"loss": [0, 1, 2], "val_loss": [0, 2]} for t in trials},
        **more,
    }
    done = subprocess.run(
        [python, "-m", "pronghorn.export"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == expects, done.stderr
    if expects:
        return done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def run(tmp_path):
    (tmp_path / "models").mkdir()
    for number in range(2):
        keras.utils.set_random_seed(number)
        model().save(tmp_path / "models" / f"{number:04}.keras")
    return tmp_path


def expected(run, number=0):
    return keras.models.load_model(run / "models" / f"{number:04}.keras").predict(ROWS, verbose=0)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_weights_are_those_that_load_weights_reads(run):
    assert export(run, "weights", [trial(0), trial(1)]) == [{"trial": 0}, {"trial": 1}]
    assert names(run / "out") == ["0000.weights.h5", "0001.weights.h5"]
    for number in range(2):
        loaded = model()
        loaded.load_weights(run / "out" / f"{number:04}.weights.h5")
        np.testing.assert_array_equal(loaded.predict(ROWS, verbose=0), expected(run, number))


def test_a_whole_model_in_hdf5_is_one_that_keras_loads(run):
    assert export(run, "h5", [trial(0)]) == [{"trial": 0}]
    # Keras 3.15 reads no compile settings that are short names, such as "mse", from this format.
    loaded = keras.models.load_model(run / "out" / "0000.h5", compile=False)
    np.testing.assert_array_equal(loaded.predict(ROWS, verbose=0), expected(run))


def test_onnx_predicts_the_same_for_any_number_of_rows(run):
    import onnxruntime

    assert export(run, "onnx", [trial(0)]) == [{"trial": 0}]
    session = onnxruntime.InferenceSession(str(run / "out" / "0000.onnx"))
    (given,) = session.get_inputs()
    for rows in (ROWS, ROWS[:1]):
        (found,) = session.run(None, {given.name: rows})
        np.testing.assert_allclose(found, expected(run)[: len(rows)], rtol=1e-5, atol=1e-6)


@pytest.mark.skipif("PRONGHORN_TEST_TENSORFLOW_PYTHON" not in os.environ, reason="needs a Python with TensorFlow")
def test_a_saved_model_serves_the_same_predictions(run):
    python = os.environ["PRONGHORN_TEST_TENSORFLOW_PYTHON"]
    assert export(run, "savedmodel", [trial(0)], python, backend="tensorflow") == [{"trial": 0}]
    code = "import sys, numpy as np, tensorflow as tf; m = tf.saved_model.load(sys.argv[1]); "
    code += "np.save(sys.argv[3], m.serve(np.load(sys.argv[2])))"
    np.save(run / "x.npy", ROWS)
    subprocess.run([python, "-c", code, run / "out" / "0000", run / "x.npy", run / "y.npy"], check=True)
    np.testing.assert_allclose(np.load(run / "y.npy"), expected(run), rtol=1e-5, atol=1e-6)


def test_tensorboard_reads_the_history_of_every_trial_with_its_epochs_and_hyperparameters(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata

    assert export(run, "tensorboard", [trial(0), trial(1)]) == [{"trial": 0}, {"trial": 1}]
    assert names(run / "out") == ["0000", "0001", "hparams"]

    def scalars(name, tag):
        events = EventAccumulator(str(run / "out" / name)).Reload()
        return [(event.step, event.value) for event in events.Scalars(tag)]

    assert scalars("0000/train", "epoch_loss") == [(0, 3.0), (1, 2.0)]
    assert scalars("0001/validation", "epoch_loss") == [(0, 4.0), (2, 2.5)]
    start = EventAccumulator(str(run / "out" / "0001")).Reload()
    content = start.summary_metadata[metadata.SESSION_START_INFO_TAG].plugin_data.content
    found = metadata.parse_session_start_info_plugin_data(content).hparams
    assert (found["units"].number_value, found["optimizer"].string_value) == (5, "adam")
    assert (found["sizes"].string_value, found["seed"].string_value) == ("[1, 2]", "null")


def test_mlflow_reads_the_history_of_every_trial_with_its_parameters_and_its_model(run):
    pytest.importorskip("sqlalchemy")
    from mlflow import MlflowClient

    trials = [
        trial(0, status="finished", seed=7, seconds=1.5),
        trial(1, status="failed", model=None, message="it " + "fell " * 2000, history={}),
    ]
    trials[0]["parameters"]["odd:name?"] = "x" * 7000
    assert export(run, "mlflow", trials) == [{"trial": 0}, {"trial": 1}]
    assert names(run / "out") == ["mlartifacts", "mlflow.db"]
    client = MlflowClient(tracking_uri=f"sqlite:///{run / 'out' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(run.name)
    found = {one.info.run_name: one for one in client.search_runs([experiment.experiment_id])}
    assert {name: one.info.status for name, one in found.items()} == {"0000": "FINISHED", "0001": "FAILED"}
    first = found["0000"]
    assert first.data.params["units"] == "5" and first.data.params["sizes"] == "[1, 2]"
    assert first.data.params["odd_name_"] == "x" * 6000
    assert first.data.tags["pronghorn.seed"] == "7" and first.data.metrics == {"loss": 2.0, "val_loss": 2.5}
    history = client.get_metric_history(first.info.run_id, "val_loss")
    assert [(point.step, point.value) for point in history] == [(0, 4.0), (2, 2.5)]
    artifacts = [file.path for file in client.list_artifacts(first.info.run_id)]
    assert artifacts == ["model.keras"] and client.list_artifacts(found["0001"].info.run_id) == []
    copied = Path(client.download_artifacts(first.info.run_id, "model.keras"))
    assert copied.read_bytes() == (run / "models" / "0000.keras").read_bytes()

    taken = export(run, "mlflow", [trial(0)], expects=1)
    assert "is there already" in taken
    assert export(run, "mlflow", [trial(1)], force=True) == [{"trial": 1}]
    # A client of this process would go on reading the database that was there before.
    with contextlib.closing(sqlite3.connect(run / "out" / "mlflow.db")) as database:
        assert database.execute("SELECT name FROM runs").fetchall() == [("0001",)]


def test_custom_layers_come_from_the_users_file_and_a_model_that_cannot_be_loaded_stops_no_other(run):
    (run / "stores.py").write_text(CUSTOM)
    doubled = f"""
import os, sys
os.environ["KERAS_BACKEND"] = "jax"
sys.path.insert(0, {str(run)!r})
import keras, stores
m = keras.Sequential([keras.Input((6,)), stores.Doubled(), keras.layers.Dense(2)])
m.compile("sgd", "mse")
m.save({str(run / "models" / "0001.keras")!r})
"""
    subprocess.run([sys.executable, "-c", doubled], check=True)
    answers = export(run, "weights", [trial(1), trial(0)])
    assert "Doubled" in answers[0]["error"] and "\n" not in answers[0]["error"]
    assert answers[1] == {"trial": 0}
    assert names(run / "out") == ["0000.weights.h5"]
    assert export(run, "weights", [trial(1)], imports=[str(run / "stores.py")]) == [{"trial": 1}]


def test_what_is_there_is_replaced_only_by_force_and_nothing_half_written_stays(run):
    (run / "out").mkdir()
    (run / "out" / "0000.weights.h5").write_text("mine")
    (answer,) = export(run, "weights", [trial(0)])
    assert "is there already" in answer["error"]
    assert (run / "out" / "0000.weights.h5").read_text() == "mine"
    assert export(run, "weights", [trial(0)], force=True) == [{"trial": 0}]
    assert (run / "out" / "0000.weights.h5").read_bytes() != b"mine"
    (answer,) = export(run, "weights", [trial(7)])
    assert answer["error"]
    assert names(run / "out") == ["0000.weights.h5"]


def test_code_in_a_model_is_not_run_by_an_export_of_a_run_without_functions_of_the_users(tmp_path):
    (tmp_path / "models").mkdir()
    built = keras.Sequential([keras.Input((6,)), layers.Lambda(lambda x: x * 2), layers.Dense(2)])
    built.save(tmp_path / "models/0000.keras")
    (answer,) = export(tmp_path, "weights", [trial(0)])
    assert "unsafe" in answer["error"].lower() or "safe_mode" in answer["error"]
    assert not list((tmp_path / "out").iterdir())
