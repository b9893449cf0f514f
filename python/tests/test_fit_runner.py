"""The fit engine's runner: what it is told, says and leaves, held to `Model.fit` called by hand."""

from __future__ import annotations

import os
import pathlib

import adapted_models
import fit_models
import keras
import numpy as np
import pytest
from fit_units import MODELS, Runner, Unit, kind, said

TENSORFLOW = os.environ.get("PRONGHORN_TEST_TENSORFLOW_PYTHON")


@pytest.fixture(scope="module")
def runner():
    with Runner() as runner:
        yield runner
        assert runner.end() == 0


def by_hand(unit: Unit, callbacks=(), **fit):
    """The history of `Model.fit` as a script of the user's would call it, and its model."""
    keras.utils.set_random_seed(11)
    model = fit_models.build(units=5)
    rows, held_out = unit.training, unit.validation
    history = model.fit(
        unit.x[rows],
        unit.y[rows],
        batch_size=8,
        epochs=3,
        shuffle=False,
        validation_data=(unit.x[held_out], unit.y[held_out]),
        verbose=0,
        callbacks=list(callbacks),
        **fit,
    )
    return history.history, model


def test_a_trial_is_what_model_fit_gives_in_events_and_files(runner, tmp_path):
    unit = Unit(tmp_path, save={"initial": True, "best": {"monitor": "val_loss", "lessIsBetter": True}})
    events = runner.work(unit)
    assert [kind(event) for event in events] == ["started", *["epoch"] * 3, *["saved"] * 3, "trained", "finished"]
    assert events == unit.events
    assert all(event["unit"] == "0003" for event in events)
    expected, model = by_hand(unit)
    epochs = said(events, "epoch")
    assert [epoch["epoch"] for epoch in epochs] == [0, 1, 2]
    for name, values in expected.items():
        np.testing.assert_allclose([epoch["metrics"][name][0] for epoch in epochs], values, rtol=1e-6)
    assert unit.models == ["0007.best.keras", "0007.initial.keras", "0007.keras"]
    saved = {entry["kind"]: entry for entry in said(events, "saved")}
    assert saved["final"]["file"] == "models/0007.keras"
    assert saved["final"]["trial"] == 7
    assert saved["final"]["bytes"] == (unit.folder / "models/0007.keras").stat().st_size
    trained = keras.models.load_model(unit.folder / "models/0007.keras")
    for own, theirs in zip(trained.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(own, theirs, rtol=1e-6, atol=1e-7)
    first = keras.models.load_model(unit.folder / "models/0007.initial.keras")
    keras.utils.set_random_seed(11)
    for own, theirs in zip(first.get_weights(), fit_models.build(units=5).get_weights(), strict=True):
        np.testing.assert_array_equal(own, theirs)
    best = keras.models.load_model(unit.folder / "models/0007.best.keras")
    held_out = unit.validation
    loss = best.evaluate(unit.x[held_out], unit.y[held_out], batch_size=8, verbose=0)[0]
    assert loss == pytest.approx(min(expected["val_loss"]), rel=1e-5)


def test_a_learning_rate_reaches_the_build_function_or_else_the_optimizer(runner, tmp_path):
    taken = Unit(tmp_path / "a", offered={"learning_rate": 0.5})
    runner.work(taken)
    inline = {
        "kind": "layers",
        "arguments": {},
        "layers": [{"Dense": {"units": 1}}],
        "compile": {"optimizer": {"SGD": {"learning_rate": 0.1}}, "loss": "mse"},
    }
    placed = Unit(tmp_path / "b", offered={"learning_rate": 0.25, "seed": 1}, model=inline)
    runner.work(placed)
    rates = [
        keras.models.load_model(unit.folder / "models/0007.keras").optimizer.learning_rate for unit in (taken, placed)
    ]
    assert [float(rate) for rate in rates] == [0.5, 0.25]


def test_given_weights_are_where_training_starts_and_hostile_files_are_refused(runner, tmp_path):
    keras.utils.set_random_seed(77)
    given = fit_models.build(units=5)
    given.save_weights(tmp_path / "given.weights.h5")
    unit = Unit(tmp_path, weights=tmp_path / "given.weights.h5", save={"initial": True})
    assert kind(runner.work(unit)[-1]) == "finished"
    first = keras.models.load_model(unit.folder / "models/0007.initial.keras")
    for own, theirs in zip(first.get_weights(), given.get_weights(), strict=True):
        np.testing.assert_array_equal(own, theirs)
    (tmp_path / "no.weights.h5").write_bytes(b"no weights")
    wrong = Unit(tmp_path / "wrong", weights=tmp_path / "no.weights.h5")
    (failure,) = said(runner.work(wrong), "failed")
    assert failure["code"] == "not_a_model"


def test_keras_own_classes_are_the_callbacks_in_the_files_order(runner, tmp_path):
    unit = Unit(
        tmp_path,
        fit={"lastEpoch": 30},
        callbacks=[
            {"reduce_lr_on_plateau": {"monitor": "loss", "patience": 1, "min_delta": 1.0}},
            {"csv_logger": {"separator": ",", "append": False}},
            {"early_stopping": {"monitor": "loss", "patience": 4, "min_delta": 1.0}},
        ],
    )
    events = runner.work(unit)
    ended = said(events, "ended")
    assert ended == [{"lane": 0, "epochs": 5, "by": "early_stopping"}]
    assert said(events, "best") == [{"lane": 0, "epoch": 0}]
    rates = [epoch["metrics"]["learning_rate"][0] for epoch in said(events, "epoch")]
    assert len(rates) == 5
    assert rates == pytest.approx([0.05, 0.05, 0.005, 0.0005, 0.00005])


def test_model_checkpoint_leaves_its_files_under_the_trials_name(runner, tmp_path):
    epochs = {"monitor": "loss", "save_best_only": False, "save_weights_only": False, "mode": "auto"}
    best = {**epochs, "save_best_only": True, "save_weights_only": True}
    unit = Unit(tmp_path, callbacks=[{"model_checkpoint": epochs}, {"model_checkpoint": best}])
    events = runner.work(unit)
    files = [f"0007.epoch-00{number}.keras" for number in (1, 2, 3)]
    assert unit.models == sorted(["0007.checkpoint-2.weights.h5", *files, "0007.keras"])
    assert {entry["file"] for entry in said(events, "saved")} == {f"models/{name}" for name in unit.models}


def test_the_users_own_callbacks_run_and_what_they_print_is_no_event(runner, tmp_path):
    unit = Unit(
        tmp_path,
        callbacks=[
            {"python": {"file": str(MODELS), "function": "prints"}},
            {"python": {"file": str(MODELS), "function": "stops"}},
        ],
    )
    events = runner.work(unit)
    assert said(events, "ended") == [{"lane": 0, "epochs": 2, "by": "stops_after_two"}]
    assert [epoch["metrics"]["seen"] for epoch in said(events, "epoch")] == [[0.5], [1.5]]
    assert kind(events[-1]) == "finished"


def test_a_loss_that_is_no_number_is_told_as_one_and_ends_a_trial_that_asks_for_it(runner, tmp_path):
    unit = Unit(tmp_path, offered={"learning_rate": 1e30}, callbacks=[{"terminate_on_nan": {"raise_error": False}}])
    events = runner.work(unit)
    assert said(events, "ended")[0]["by"] == "terminate_on_nan"
    assert said(events, "epoch")[-1]["metrics"]["loss"][0] in ("NaN", "Infinity")


def test_a_model_that_runs_eagerly_trains(runner, tmp_path):
    events = runner.work(Unit(tmp_path, model={"function": "eager", "arguments": {}}))
    assert kind(events[-1]) == "finished"


@pytest.mark.parametrize(
    ("changes", "code", "told"),
    [
        ({"model": {"arguments": {"nope": 1}}}, "build_raised", "fit_models.py"),
        ({"model": {"function": "failing", "arguments": {}}}, "fit_raised", "RuntimeError: this step cannot"),
        ({"model": {"file": "/nowhere/models.py"}}, "no_such_file", "/nowhere/models.py"),
        ({"callbacks": [{"early_stopping": {"nope": 1}}]}, "callback_raised", "nope"),
        ({"save": {"best": {"monitor": "nope", "lessIsBetter": True}}}, "no_such_metric", "nope"),
    ],
)
def test_a_mistake_fails_its_trial_with_its_place_and_the_runner_goes_on(runner, tmp_path, changes, code, told):
    unit = Unit(tmp_path / "wrong", **changes)
    (failure,) = said(runner.work(unit), "failed")
    assert failure["code"] == code
    assert told in failure["message"]
    assert unit.models == []
    assert kind(runner.work(Unit(tmp_path / "right"))[-1]) == "finished"


def test_the_line_of_the_users_file_that_raised_is_told(runner, tmp_path):
    (failure,) = said(runner.work(Unit(tmp_path, model={"function": "failing", "arguments": {}})), "failed")
    line = next(n for n, text in enumerate(MODELS.read_text().splitlines(), 1) if "this step cannot" in text)
    assert failure["message"].startswith(f"{MODELS}:{line}: ")


def test_data_that_changed_under_a_run_fails_the_trial(runner, tmp_path):
    unit = Unit(tmp_path)
    np.save(pathlib.Path(tmp_path / "x.npy"), unit.x + 1)
    (failure,) = said(runner.work(unit), "failed")
    assert failure["code"] == "data_changed"


def test_data_that_is_written_to_while_a_trial_trains_fails_it(runner, tmp_path):
    touch = tmp_path / "touches.py"
    touch.write_text(f"""
import keras

def touches():
    def write(epoch, logs):
        with open({str(tmp_path / "x.npy")!r}, "r+b") as file:
            file.seek(200)
            file.write(b"abcd")
    return keras.callbacks.LambdaCallback(on_epoch_end=write)
""")
    unit = Unit(tmp_path, callbacks=[{"python": {"file": str(touch), "function": "touches"}}])
    runner.tell(unit.folder)
    (failed,) = said(runner.until("failed"), "failed")
    assert failed["code"] == "data_changed"
    assert "x.npy was changed while it was trained on" in failed["message"]


def test_stop_ends_training_after_the_epoch_and_keeps_nothing(tmp_path):
    with Runner() as runner:
        unit = Unit(tmp_path, fit={"lastEpoch": 100_000}, save={"initial": True})
        runner.tell(unit.folder)
        runner.until("epoch")
        runner.tell("stop")
        assert runner.until("stopped")[-1]["what"] == {"stopped": {"epochs": 0}}
        assert unit.models == []
        assert runner.end() == 0


def test_a_runner_whose_input_ends_while_it_works_ends_at_once(tmp_path):
    with Runner() as runner:
        runner.tell(Unit(tmp_path, fit={"lastEpoch": 1_000_000}).folder)
        runner.until("epoch")
        assert runner.end() == 1


@pytest.mark.skipif(TENSORFLOW is None, reason="needs PRONGHORN_TEST_TENSORFLOW_PYTHON")
def test_a_layer_that_only_tensorflow_computes_trains_on_its_backend(tmp_path):
    with Runner("tensorflow", TENSORFLOW) as runner:
        unit = Unit(
            tmp_path,
            backend="tensorflow",
            model={"function": "tensorflow_only", "arguments": {}},
            callbacks=[{"python": {"file": str(MODELS), "function": "stops"}}],
            save={"initial": True, "best": {"monitor": "val_loss", "lessIsBetter": True}},
        )
        events = runner.work(unit)
        assert kind(events[-1]) == "finished", events[-1]
        assert said(events, "ended") == [{"lane": 0, "epochs": 2, "by": "stops_after_two"}]
        assert unit.models == ["0007.best.keras", "0007.initial.keras", "0007.keras"]


class Weights(keras.callbacks.Callback):
    """The weights after every epoch."""

    def __init__(self):
        super().__init__()
        self.after = []

    def on_epoch_end(self, epoch, logs=None):
        self.after.append(self.model.get_weights())


def diverging(tmp_path, rate=3.0, **changes):
    """A unit whose loss grows until it overflows, by layers that know no learning rate but the one that is offered."""
    compile = {"optimizer": {"SGD": {"learning_rate": rate}}, "loss": "mse"}
    model = {"kind": "layers", "arguments": {}, "layers": [{"Dense": {"units": 1}}], "compile": compile}
    return Unit(tmp_path, model=model, offered={}, fit={"lastEpoch": 60, **changes.pop("fit", {})}, **changes)


def test_a_trial_that_diverges_ends_with_its_last_good_weights_and_its_callbacks_hear_nothing_of_it(runner, tmp_path):
    every_epoch = {"monitor": "val_loss", "save_best_only": False, "save_weights_only": False, "mode": "auto"}
    unit = diverging(tmp_path, callbacks=[{"model_checkpoint": every_epoch}])
    events = runner.work(unit)
    (diverged,) = said(events, "diverged")
    losses = [epoch["metrics"]["loss"][0] for epoch in said(events, "epoch")]
    assert isinstance(losses[-1], str) and all(isinstance(loss, float) for loss in losses[:-1])
    assert diverged["epochs"] == len(losses) < 60
    assert 0 < diverged["kept"] < len(losses)
    saved = sorted(name for name in unit.models if ".epoch-" in name)
    assert len(saved) == len(losses) - 1
    kept = keras.models.load_model(unit.folder / f"models/0007.epoch-{diverged['kept']:03d}.keras")
    trained = keras.models.load_model(unit.folder / "models/0007.keras")
    for own, theirs in zip(trained.get_weights(), kept.get_weights(), strict=True):
        assert np.isfinite(own).all()
        np.testing.assert_array_equal(own, theirs)
    assert int(trained.optimizer.iterations.numpy()) == diverged["kept"] * 3


def test_a_trial_that_is_to_go_on_trains_into_nan_as_keras_does(runner, tmp_path):
    unit = diverging(tmp_path, stops_on_divergence=False, save={"best": {"monitor": "loss", "lessIsBetter": True}})
    events = runner.work(unit)
    assert len(said(events, "epoch")) == 60
    assert not said(events, "diverged")
    assert not np.isfinite(keras.models.load_model(unit.folder / "models/0007.keras").get_weights()[0]).all()


def test_a_trial_that_diverges_in_its_first_epoch_leaves_no_model(runner, tmp_path):
    unit = diverging(tmp_path, rate=1e4, fit={"batchSize": 1, "lastEpoch": 3})
    events = runner.work(unit)
    assert said(events, "diverged") == [{"lane": 0, "epochs": 1, "kept": 0}]
    assert unit.models == []


def test_code_in_a_model_file_is_not_run(runner, tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.save(tmp_path / "lambda.keras")
    unit = Unit(tmp_path, model={"kind": "keras", "file": str(tmp_path / "lambda.keras"), "arguments": {}}, offered={})
    runner.tell(unit.folder)
    (failed,) = said(runner.until("failed"), "failed")
    assert (failed["code"], "Lambda layer" in failed["message"]) == ("unsafe_model", True)


def test_what_is_written_meanwhile_stands_in_the_units_own_log(runner, tmp_path):
    one = Unit(tmp_path / "one", callbacks=[{"python": {"file": str(MODELS), "function": "prints"}}])
    runner.work(one)
    other = Unit(tmp_path / "other", model={"function": "failing", "arguments": {}}, offered={})
    runner.tell(other.folder)
    runner.until("failed")
    assert (one.folder / "log.txt").read_text().splitlines() == [
        "a print of the user's",
        "epoch 0",
        "epoch 1",
        "epoch 2",
    ]
    log = (other.folder / "log.txt").read_text()
    assert "Traceback (most recent call last)" in log and 'RuntimeError("this step cannot")' in log
    assert "a print of the user's" not in log


@pytest.mark.parametrize("function", ["plain", "deferred", "binned"])
def test_layers_are_adapted_to_the_rows_to_train_on_alone(runner, tmp_path, function):
    model = {"file": adapted_models.__file__, "function": function, "arguments": {"width": 3}}
    unit = Unit(tmp_path, model=model, adapt=True)
    assert kind(runner.work(unit)[-1]) == "finished"
    trained = keras.models.load_model(unit.folder / "models/0007.keras")
    rows = unit.x[unit.training]
    own = trained.layers[0]
    if function == "binned":
        expected = keras.layers.Discretization(num_bins=4)
        expected.update_state(rows)
        expected.finalize_state()
        assert own.bin_boundaries == pytest.approx(expected.bin_boundaries)
        expected.update_state(unit.x)
        expected.finalize_state()
        assert own.bin_boundaries != pytest.approx(expected.bin_boundaries)
        return
    np.testing.assert_allclose(own.adapt_mean, rows.mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(own.adapt_variance, rows.var(axis=0), rtol=1e-5)
    assert not np.allclose(own.adapt_mean, unit.x.mean(axis=0), rtol=1e-2)
    # It was trained on what it was adapted to, from the weights that the seed alone would have drawn.
    keras.utils.set_random_seed(11)
    by_hand = getattr(adapted_models, function)(3)
    by_hand.layers[0].adapt(rows)
    by_hand.fit(rows, unit.y[unit.training], batch_size=8, epochs=3, shuffle=False, verbose=0)
    for one, two in zip(trained.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


def test_a_layer_that_cannot_be_adapted_fails_the_trial_with_its_name(runner, tmp_path):
    model = {"file": adapted_models.__file__, "function": "without", "arguments": {}}
    runner.tell(Unit(tmp_path, model=model, adapt=True).folder)
    with pytest.raises(AssertionError, match=r"not_adaptable.*no layer to adapt"):
        runner.until("finished")
