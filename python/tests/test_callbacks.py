"""What callbacks need of Python: tables of learning rates, and where averaged weights are."""

import keras
import numpy as np
import pytest
from bare import Program, request

from pronghorn.lowering.failures import LoweringFailure

MODEL = """
import keras
from keras import layers
def build(learning_rate=0.01):
    model = keras.Sequential([keras.Input((10,)), layers.Dense(1)])
    model.compile({optimizer}, "mse")
    return model
"""
SCHEDULES = """
import math
import random
def decay(epoch, lr):
    return lr if epoch < 2 else lr * math.exp(-0.1)
def old(epoch):
    return 1 / (3 + epoch)
def raising(epoch, lr):
    return [0.1, 0.2][epoch]
def whole(epoch, lr):
    return 1
def chance(epoch, lr):
    return random.random()
"""


def described(tmp_path, function, runs, optimizer="keras.optimizers.SGD(learning_rate)", **more):
    (tmp_path / "model.py").write_text(MODEL.format(optimizer=optimizer))
    (tmp_path / "schedules.py").write_text(SCHEDULES)
    schedule = {"file": str(tmp_path / "schedules.py"), "function": function, "runs": runs}
    asked = request("build", tmp_path / "model.py", callbacks={"schedule": schedule}, **more)
    return Program(tmp_path / "out", asked)


def run(rate, first, last):
    return {"rate": rate, "first_epoch": first, "last_epoch": last}


@pytest.mark.parametrize("function", ["decay", "old"])
def test_a_schedule_is_the_table_that_fit_would_log(function, tmp_path):
    runs = [run(None, 0, 5), run(0.003, 0, 5), run(0.7, 3, 6)]
    program = described(tmp_path, function, runs).json
    namespace = {}
    exec(SCHEDULES, namespace)
    for asked, table in zip(runs, program["schedules"], strict=True):
        model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(asked["rate"] or 0.01), "mse")
        history = model.fit(
            np.zeros((4, 10)), np.zeros((4, 1)), initial_epoch=asked["first_epoch"], epochs=asked["last_epoch"],
            callbacks=[keras.callbacks.LearningRateScheduler(namespace[function])], verbose=0,
        ).history  # fmt: skip
        assert table == {**asked, "rates": history["learning_rate"]}
    # The start's own rate is as it was, and the file is one that the program is made from.
    assert [s["path"].rsplit("/", 1)[1] for s in program["sources"]] == ["model.py", "schedules.py"]


def test_the_own_rate_stays_as_it_was(tmp_path):
    program = described(tmp_path, "old", [run(0.5, 0, 3)])
    state = program.initialize([1])
    assert state[program.json["parameters"][0]["leaf"]] == np.float32(0.01)


@pytest.mark.parametrize(
    ("function", "optimizer", "code", "words", "line"),
    [
        ("raising", "'sgd'", "callback_raised", "IndexError: list index out of range", 9),
        ("whole", "'sgd'", "callback_raised", "should be a float", None),
        ("none", "'sgd'", "callback_raised", "it has chance, decay, old, raising, whole", None),
        ("chance", "'sgd'", "not_lowerable", "when it is called again", None),
        (
            "decay",
            "keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5))",
            "callback_raised",
            "not settable",
            None,
        ),
    ],
)
def test_a_schedule_that_is_no_table_is_told(function, optimizer, code, words, line, tmp_path):
    with pytest.raises(LoweringFailure) as caught:
        described(tmp_path, function, [run(None, 0, 3)], optimizer)
    failure = caught.value
    assert (failure.code, words in failure.message) == (code, True), failure.message
    assert failure.line == line
    if line:
        assert failure.file.endswith("schedules.py")


@pytest.mark.parametrize(
    ("optimizer", "count"),
    [
        ("keras.optimizers.SGD(0.1)", 0),
        ("keras.optimizers.AdamW(0.1, use_ema=True)", 2),
        ("keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1, use_ema=True))", 2),
    ],
)
def test_averages_are_found_where_there_are_any(optimizer, count, tmp_path):
    (tmp_path / "model.py").write_text(MODEL.format(optimizer=optimizer))
    program = Program(tmp_path / "out", request("build", tmp_path / "model.py")).json
    leaves = program["state"]
    assert len(program["averages"]) == count
    for variable, average in program["averages"]:
        assert leaves[variable]["role"] == "trainable"
        assert leaves[average]["path"].endswith("average")
        assert leaves[average]["shape"] == leaves[variable]["shape"]
