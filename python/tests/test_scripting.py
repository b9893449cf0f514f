"""`pronghorn.fit` as a script calls it: its models equal those of `Model.fit`, whatever they and their data are."""

import json
import os
import subprocess
import sys
import textwrap
import time
import warnings

import keras
import numpy as np
import pandas as pd
import pytest
import scripting_models as given
from scripting_runs import EPOCHS, GROUPS, ROWS, X, Y, agrees, fitted

import pronghorn

pytestmark = [pytest.mark.usefixtures("workplace"), pytest.mark.filterwarnings("ignore:.*tty.*")]

WAYS = [given.sequential, given.functional, given.subclassed, given.custom]


@pytest.fixture(scope="module")
def several(workplace):
    """One run of models of all kinds, on arrays that are mapped from a file."""
    np.save("x.npy", X)
    models = [way() for way in WAYS]
    before = [model.get_weights() for model in models]
    run = pronghorn.fit(
        models,
        np.load("x.npy", mmap_mode="r"),
        Y,
        epochs=EPOCHS,
        shuffle=False,
        validation_split=1 / 3,
        devices="cpu:1",
    )
    return run, models, before


@pytest.mark.parametrize("number", range(len(WAYS)), ids=[way.__name__ for way in WAYS])
def test_a_compiled_model_trains_as_by_model_fit(several, number):
    run, _, _ = several
    agrees(run.trials[number], fitted(WAYS[number](), validation_split=1 / 3))


def test_given_models_are_left_untouched(several):
    _, models, before = several
    for model, weights in zip(models, before, strict=True):
        for now, then in zip(model.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(now, then)
        assert int(model.optimizer.iterations) == 0


def test_arrays_that_are_mapped_are_not_copied(several):
    run, _, _ = several
    text = (run.directory / "inputs" / "experiment.yaml").read_text()
    assert json.dumps(os.path.abspath("x.npy")) in text
    assert not (run.directory / "inputs" / "x.npy").exists()


def test_a_run_says_all_that_came_of_it(several):
    run, _, _ = several
    assert list(run.history.columns[:2]) == ["trial", "epoch"]
    assert len(run.history) == len(WAYS) * EPOCHS
    assert list(run.results["status"]) == ["finished"] * len(WAYS)
    assert list(run.results["model"]) == [0, 1, 2, 3]
    assert run.failures == [] and not run.interrupted
    assert run.progress.ended == run.progress.trials == len(WAYS)
    best = run.best("val_loss")
    assert best.metrics["val_loss"] == run.results["val_loss"].min()
    assert len(run.models) == len(WAYS) and isinstance(run.models[-1], keras.Model)
    assert int(run.models[0].optimizer.iterations) == EPOCHS * 2
    again = pronghorn.open(run.directory, custom_objects={"Scaled": given.Scaled, "rounded_error": given.rounded_error})
    pd.testing.assert_frame_equal(again.history, run.history)
    assert again.progress.state == "finished"
    np.testing.assert_array_equal(again.models[3].get_weights()[0], run.models[3].get_weights()[0])


def test_a_keras_file_trains_as_by_model_fit():
    given.sequential(1).save("saved.keras")
    run = pronghorn.fit("saved.keras", X, Y, epochs=EPOCHS, shuffle=False, devices="cpu:1")
    agrees(run.trials[0], fitted(given.sequential(1)))


@pytest.fixture(scope="module")
def functions(workplace):
    """One run of a function of this file's own, inside a function, whose arguments are objects of Keras's too."""
    factor = 3.0

    def build(units, learning_rate=0.01, loss="mse"):
        assert factor == 3.0
        return given.build(units, learning_rate, loss)

    return pronghorn.fit(
        build,
        X,
        Y,
        epochs=EPOCHS,
        shuffle=False,
        trials=[
            {"units": 4, "learning_rate": 0.01, "seed": 5, "loss": "mse"},
            {"units": 4, "learning_rate": 0.02, "seed": 6, "loss": keras.losses.Huber(0.5)},
        ],
        callbacks=[
            keras.callbacks.EarlyStopping("loss", patience=5),
            keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * (1 - factor / 10)),
        ],
        save=["all", "initial"],
        devices="cpu:1",
    )


@pytest.mark.parametrize("number, seed, rate, loss", [(0, 5, 0.01, "mse"), (1, 6, 0.02, keras.losses.Huber(0.5))])
def test_a_build_function_trains_as_by_model_fit(functions, number, seed, rate, loss):
    trial = functions.trials[number]
    assert trial.engine == "native", trial.engine_reason
    keras.utils.set_random_seed(seed)
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.7)
    agrees(trial, fitted(given.build(4, rate, loss), callbacks=[schedule]))
    assert trial.parameters["seed"] == seed


def pairs():
    return [(X[group == GROUPS], Y[group == GROUPS]) for group in (0, 1)]


def test_each_model_of_a_list_may_have_a_pair_of_its_own():
    run = pronghorn.fit(
        [given.sequential(1), given.sequential(2)], pairs(), epochs=EPOCHS, shuffle=False, devices="cpu:1"
    )
    for number, (x, y) in enumerate(pairs()):
        agrees(run.trials[number], fitted(given.sequential(number + 1), x, y), x)


def test_a_stream_of_pairs_trains_while_it_is_made_and_waits_for_what_is_trained():
    made, runs = [], []

    def stream():
        for number in range(7):
            # One that was begun without waiting for others to be trained would be far ahead.
            if number > 4:
                assert len(list(runs[0].directory.glob("models/*.keras"))) >= 2 * (number - 3)
            made.append(number)
            x, y = pairs()[number % 2]
            yield x[number:], y[number:]

    run = pronghorn.submit(
        given.build, pronghorn.stream(stream(), ahead=3), epochs=EPOCHS, shuffle=False, devices="cpu:1",
        trials={"units": [3], "seed": range(2)}, directory="streamed",
    )  # fmt: skip
    runs.append(run)
    run.wait(500)
    assert made == list(range(7)) and not run.failures
    assert len(run.trials) == 14 and run.progress.ended == 14
    by_pair = {(trial.partition, trial.parameters["seed"]): trial for trial in run.trials}
    for number in (0, 6):
        trial = by_pair[f"x-0-{number:08}", 1]
        keras.utils.set_random_seed(1)
        x, y = (part[number:] for part in pairs()[number % 2])
        agrees(trial, fitted(given.build(units=3), x, y), x)


def test_a_stream_that_breaks_is_the_calls_error_after_what_was_made_is_trained():
    def stream():
        yield pairs()[0]
        yield pairs()[1]
        raise RuntimeError("the well is dry")

    with pytest.raises(RuntimeError, match="the well is dry"):
        pronghorn.fit(given.build, pronghorn.stream(stream()), directory="dry", devices="cpu:1")
    run = pronghorn.open("dry")
    assert [trial.status for trial in run.trials] == ["finished"] * 2

    def uneven():
        yield pairs()[0]
        yield X[:, :4], Y

    with pytest.raises(pronghorn.InvalidRequest, match=r"pair 1 is of .*\(4,\)"):
        pronghorn.fit(given.build, pronghorn.stream(uneven()), directory="uneven", devices="cpu:1")
    with pytest.raises(pronghorn.InvalidRequest, match="leave them out"):
        pronghorn.fit(given.build, pronghorn.stream(iter(pairs())), Y, directory="twice")
    with pytest.raises(pronghorn.InvalidRequest, match="stream of pairs is empty"):
        pronghorn.fit(given.build, pronghorn.stream([]), directory="empty")


def frame():
    table = pd.DataFrame(X.astype("float64"), columns=list("abcde"))
    return table.assign(target=Y[:, 0], store=[f"store {group}" for group in GROUPS])


def test_a_table_is_divided_by_a_column():
    """In the background, too; in place, the models have then what Keras would have given them."""
    model = given.sequential(1)
    run = pronghorn.submit(
        model, frame(), "target", epochs=EPOCHS, shuffle=False, partition=pronghorn.by("store"), devices="cpu:1"
    )
    assert run.wait(300) is run
    assert [trial.partition for trial in run.trials] == ["store 0", "store 1"]
    for trial, (x, y) in zip(run.trials, pairs(), strict=True):
        agrees(trial, fitted(given.sequential(1), x, y), x)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(32 * index, 32 * index + 32)
        return X[rows], Y[rows]


def test_a_dataset_trains_in_place_as_by_model_fit():
    model = given.sequential(1)
    run = pronghorn.fit(model, Batches(), epochs=EPOCHS, in_place=True, devices="cpu:1")
    reference = fitted(given.sequential(1))
    agrees(run.trials[0], reference)
    for own, other in zip(model.get_weights(), run.models[0].get_weights(), strict=True):
        np.testing.assert_array_equal(own, other)
    assert int(model.optimizer.iterations) == EPOCHS * 3
    np.testing.assert_allclose(model.history.history["loss"], reference[1]["loss"], rtol=1e-5)


def test_layers_are_adapted_to_each_group_and_in_place_to_all_rows():
    scales = [1.0, 40.0, 0.01, 5.0, 300.0]
    x = (X * scales + 1000.0).astype("float32")
    run = pronghorn.fit(
        given.normalized, x, Y, epochs=EPOCHS, shuffle=False, partition=pronghorn.by(GROUPS), adapt=True, save=["all"]
    )
    for group, trial in enumerate(run.trials):
        rows = np.flatnonzero(group == GROUPS)
        keras.utils.set_random_seed(0)
        own = given.normalized()
        own.get_layer("scale").adapt(x[rows].astype("float64"))
        agrees(trial, fitted(own, x[rows], Y[rows]), x)
    model = given.normalized()
    stale = model.predict(x, verbose=0)
    run = pronghorn.fit(model, x, Y, epochs=EPOCHS, shuffle=False, adapt=["scale"], in_place=True)
    np.testing.assert_allclose(model.get_layer("scale").adapt_mean, x.astype("float64").mean(axis=0), rtol=1e-5)
    now = model.predict(x, verbose=0)
    np.testing.assert_allclose(now, run.models[0].predict(x, verbose=0), rtol=1e-5)
    assert not np.allclose(now, stale, rtol=0.1)


class Ending(keras.callbacks.Callback):
    """A callback of the user's own."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = True


def test_a_callback_that_is_not_native_trains_by_model_fit():
    run = pronghorn.fit(given.sequential(1), X, Y, epochs=5, callbacks=[Ending()], devices="cpu:1")
    (trial,) = run.trials
    assert (trial.engine, trial.epochs, trial.stopped_by) == ("fit", 1, "ending")


def test_a_mistake_is_an_exception_with_its_cause():
    def build():
        raise RuntimeError("no such flower")

    with pytest.raises(pronghorn.InvalidRequest, match="no such flower") as caught:
        pronghorn.fit(build, X, Y, directory="mistaken")
    assert "test_scripting.py" in str(caught.value.__cause__)
    assert not os.path.exists("mistaken")
    with pytest.raises(ValueError, match="not compiled"):
        pronghorn.fit(keras.Sequential([keras.Input((5,)), keras.layers.Dense(1)]), X, Y)
    lossy = given.build(loss=keras.losses.Huber(0.5))
    with pytest.raises(ValueError, match="does not save the arguments of Huber"):
        pronghorn.fit(lossy, X, Y)
    with pytest.raises(pronghorn.InvalidRequest, match="numbers of rows differ"):
        pronghorn.fit(given.build, X, Y[:-1])
    with pytest.raises(pronghorn.InvalidRequest, match="partition is made by"):
        pronghorn.fit(given.build, X, Y, partition={"folds": 3})
    with pytest.raises(pronghorn.InvalidRequest, match="batch_size: must be a whole number from 1"):
        pronghorn.fit(given.build, X, Y, batch_size=0)
    with pytest.raises(pronghorn.InvalidRequest, match="int32 cannot"):
        pronghorn.fit(given.build, X, np.full((ROWS, 1), 2**40))
    with pytest.raises(pronghorn.InvalidRequest, match="holds a run already"):
        os.makedirs("taken/inputs")
        pronghorn.fit(given.build, X, Y, directory="taken")
    with pytest.raises(pronghorn.InvalidRequest, match="holds no run"):
        pronghorn.open("nowhere")


def test_trials_that_fail_are_told():
    def failing(units):
        if units == 5:
            raise RuntimeError("five is too many")
        return given.build(units)

    with pytest.warns(RuntimeWarning, match="1 of 2 trials failed.*five is too many"):
        run = pronghorn.fit(failing, X, Y, trials={"units": [4, 5]}, devices="cpu:1")
    (failure,) = run.failures
    assert failure.parameters["units"] == 5 and "five is too many" in failure.message
    assert "test_scripting.py:" in failure.message
    with pytest.raises(pronghorn.PronghornError, match="five is too many"):
        _ = run.models[1]


def test_a_run_that_is_stopped_goes_on():
    """`stop` is what Ctrl-C does."""
    epochs = 8000
    run = pronghorn.submit(given.sequential(1), X, Y, epochs=epochs, shuffle=False, devices="cpu:1")
    deadline = time.monotonic() + 300
    while run.progress.epochs_done < 3 and time.monotonic() < deadline and not run._process.is_over:
        time.sleep(0.02)
    run.stop()
    run.wait(300)
    assert run.interrupted
    assert 0 < len(run.history) < epochs
    assert run.resume(verbose=0) is run
    assert not run.interrupted and run.trials[0].status == "finished"
    assert list(run.history["epoch"]) == list(range(epochs))


def test_ctrl_c_returns_what_is_finished(monkeypatch):
    raised = []
    from pronghorn.scripting.process import TrainingProcess

    wait = TrainingProcess.wait

    def interrupted(self, timeout=None):
        if not raised and self.progress.epochs_done >= 1:
            raised.append(True)
            raise KeyboardInterrupt
        return wait(self, timeout)

    monkeypatch.setattr(TrainingProcess, "wait", interrupted)
    run = pronghorn.fit(given.sequential(1), X, Y, epochs=20_000, shuffle=False, devices="cpu:1", verbose=0)
    assert raised and run.interrupted


def test_nothing_is_shown_in_pipes_and_lines_where_they_are_asked_for(capsys):
    for verbose, lines in (("auto", 0), (0, 0), (2, 1)):
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            pronghorn.fit(given.sequential(1), X, Y, epochs=EPOCHS, shuffle=False, devices="cpu:1", verbose=verbose)
        assert capsys.readouterr().out.count("\n") == lines


TENSORFLOW = """
    import os
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import json, sys
    import keras, numpy as np, tensorflow as tf
    import pronghorn

    class Halved(keras.layers.Layer):
        def call(self, x):
            return x / 2

    keras.utils.set_random_seed(7)
    model = keras.Sequential([keras.Input((5,)), Halved(), keras.layers.Dense(3), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.load("tf-x.npy"), np.load("tf-y.npy")
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(32)
    run = pronghorn.fit([model], dataset, epochs=2, devices="cpu:1")
    model.fit(dataset, epochs=2, verbose=0, shuffle=False)
    ours, theirs = (m.predict(x, verbose=0) for m in (run.models[0], model))
    print(json.dumps({"backend": keras.backend.backend(), "difference": float(abs(ours - theirs).max())}))
"""


def test_a_script_on_tensorflow_gives_a_tf_data_dataset_and_classes_of_main():
    python = os.environ.get("PRONGHORN_TEST_TENSORFLOW_PYTHON")
    if not python:
        pytest.skip("there is no Python with TensorFlow")
    np.save("tf-x.npy", X)
    np.save("tf-y.npy", Y)
    with open("script.py", "w") as file:
        file.write(textwrap.dedent(TENSORFLOW))
    path = os.path.dirname(os.path.dirname(os.path.abspath(pronghorn.__file__)))
    done = subprocess.run(
        [python, "script.py"], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["backend"] == "tensorflow" and found["difference"] < 1e-5


def test_child_processes_do_not_pay_for_the_scripting_package():
    code = "import pronghorn, sys; assert not [m for m in sys.modules if m.startswith('pronghorn.')]; pronghorn.fit"
    path = os.path.dirname(os.path.dirname(os.path.abspath(pronghorn.__file__)))
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": path})
