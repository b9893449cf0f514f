"""What a second call of `pronghorn.fit` in a session does not have to do again."""

import sys

import keras
import numpy as np
import pytest
import scripting_models as given
from scripting_runs import EPOCHS, X, Y, agrees, fitted

import pronghorn

pytestmark = [pytest.mark.usefixtures("workplace"), pytest.mark.filterwarnings("ignore:.*tty.*")]


def test_a_second_call_starts_no_python():
    """What was trained before compiles nothing and lowers nothing: the call says nothing of it."""
    models = [given.sequential(1), given.sequential(2)]
    seen = []
    for _ in range(2):
        run = pronghorn.submit(models, X, Y, epochs=EPOCHS, devices="cpu:1")
        said = []
        while not run._process.is_over:
            said.append(run.progress.doing)
            run._process.wait(0.005)
        run.wait()
        seen.append({text for text in said if text})
    assert not any("Python" in text or "Keras" in text for text in seen[1]), seen


@pytest.fixture
def python_starts(tmp_path, monkeypatch):
    """What Python is started for, noted by a wrapper around it."""
    starts, wrapper = tmp_path / "starts", tmp_path / "python"
    wrapper.write_text(f'#!/bin/sh\necho "$1 $2" >> "{starts}"\nexec "{sys.executable}" "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PRONGHORN_PYTHON", str(wrapper))
    return starts


def fresh(seed):
    model = given.sequential(seed)
    model.optimizer.learning_rate = 0.01 + seed * 1e-7
    return model


# Seeds of their own each time, so that no such file has been read before.
SEEDS = [int(seed) for seed in np.random.default_rng().choice(range(4, 100_000), 5, replace=False)]
FRESH = {"epochs": EPOCHS, "shuffle": False, "devices": "cpu:1"}


def test_a_model_of_a_new_architecture_does_need_python(python_starts):
    """Without this, the wrapper might as well not be asked at all."""
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(int(SEEDS[0])), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    pronghorn.fit(model, X, Y, **FRESH)
    assert "pronghorn.lowering" in python_starts.read_text()


def test_fresh_models_of_a_known_architecture_need_no_python(python_starts):
    pronghorn.fit([fresh(seed) for seed in (1, 2, 3)], X, Y, **FRESH)
    python_starts.write_text("")
    run = pronghorn.fit([fresh(seed) for seed in SEEDS[:3]], X, Y, **FRESH)
    assert "pronghorn.lowering" not in python_starts.read_text()
    for trial, seed in zip(run.trials, SEEDS, strict=False):
        model = fresh(seed)
        rate = float(model.optimizer.learning_rate)
        agrees(trial, fitted(model))
        assert float(trial.model.optimizer.learning_rate) == rate


def test_nor_does_one_fresh_model_with_trials(python_starts):
    trials = {"seed": [0, 1], "learning_rate": [0.02, 0.03]}
    pronghorn.fit(fresh(SEEDS[3]), X, Y, trials=trials, **FRESH)
    python_starts.write_text("")
    run = pronghorn.fit(fresh(SEEDS[4]), X, Y, trials=trials, **FRESH)
    assert "pronghorn.lowering" not in python_starts.read_text()
    assert len(run.trials) == 4
    for trial in run.trials:
        model = fresh(SEEDS[4])
        model.optimizer.learning_rate = trial.parameters["learning_rate"]
        agrees(trial, fitted(model))
