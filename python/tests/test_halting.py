"""A lane stops after the batch whose loss is NaN or infinite, as `keras.callbacks.TerminateOnNaN` has it."""

import keras
import models
import numpy as np
import pytest
from bare import Program, relative, request

from pronghorn.lowering.failures import LoweringFailure

ROWS, COUNT, EPOCHS = 8, 45, 4
rng = np.random.default_rng(1)
X = rng.standard_normal((COUNT, 10)).astype("float32")
Y = rng.standard_normal((COUNT, 1)).astype("float32")


def train(program, rates, form, steps=2):
    """Trains lanes with these rates as the runner does: calls of two steps, then the tail; an ended lane rests."""
    lanes, described = len(rates), program.json
    loss = described["logs"].index("loss")
    state = program.initialize([7] * lanes)
    leaf = described["parameters"][0]["leaf"]
    state[leaf] = np.asarray(rates, "float32")
    whole, tail = divmod(COUNT, ROWS)
    calls = [(start, steps, ROWS, min(steps, whole - start)) for start in range(0, whole, steps)]
    calls.append((whole, 1, tail, 1))
    history = [[] for _ in rates]
    active = np.ones(lanes, bool)
    for _ in range(EPOCHS):
        logs, over = np.full((lanes, len(described["logs"])), np.nan), ~active
        for number, (start, length, rows, count) in enumerate(calls):
            batches = []
            for data in (X, Y):
                batch = np.zeros((lanes, length, rows, *data.shape[1:]), "float32")
                piece = data[start * ROWS : start * ROWS + count * rows]
                batch[:, :count] = piece.reshape(count, rows, *data.shape[1:])
                batches.append(batch)
            train = program.function("train", lanes, steps=length, rows=rows, form=form, halt=True)
            counts = np.where(active, count, 0).astype("int32")
            *state, new = train([*state, *batches, counts, np.int32(number == 0)])
            # A call in which a lane takes no step says nothing of it.
            logs = np.where(over[:, None], logs, new)
            over = over | ~np.isfinite(logs[:, loss])
        for lane in np.flatnonzero(active):
            history[lane].append(logs[lane])
        active = active & ~over
    return state, history


@pytest.mark.parametrize(
    ("name", "form", "rates"),
    [
        ("descent", "vectorized", [0.01, 1e3, 1e25, 8, 1]),
        ("descent", "looped", [0.01, 1e3, 1e25, 8, 1]),
        ("descent", "vectorized", [1e25]),
        ("own_step", "vectorized", [0.01, 1e18, 1e30]),
    ],
)
def test_lanes_that_diverge_stop_at_kerass_batch_and_the_others_go_on(name, form, rates, tmp_path):
    program = Program(tmp_path, request(name))
    described = program.json
    state, history = train(program, rates, form)
    stops = []
    for lane, rate in enumerate(rates):
        keras.utils.set_random_seed(7)
        model = getattr(models, name)()
        model.optimizer.learning_rate = rate
        stop = keras.callbacks.TerminateOnNaN()
        expected = model.fit(X, Y, batch_size=ROWS, epochs=EPOCHS, shuffle=False, verbose=0, callbacks=[stop]).history
        assert len(history[lane]) == len(expected["loss"])
        for index, log in enumerate(described["logs"]):
            mine = np.asarray([epoch[index] for epoch in history[lane]])
            theirs = np.asarray(expected[log])
            assert np.array_equal(np.isfinite(mine), np.isfinite(theirs)), (log, mine, theirs)
            finite = np.isfinite(theirs)
            # A training that explodes multiplies its rounding by each step.
            np.testing.assert_allclose(mine[finite], theirs[finite], rtol=1e-5 if np.all(finite) else 1e-3)
        where = next(i for i, leaf in enumerate(described["state"]) if leaf["path"].endswith("iteration"))
        stops.append(int(model.optimizer.iterations))
        assert int(state[where][lane]) == stops[-1]
        for leaf, variable in zip(state, model.trainable_variables, strict=False):
            mine, theirs = leaf[lane], np.asarray(variable)
            assert np.array_equal(np.isfinite(mine), np.isfinite(theirs))
            if np.all(np.isfinite(expected["loss"])):
                assert relative(mine, theirs) < 1e-5
    assert len(set(stops)) >= min(len(rates), 3) or name == "own_step", stops
    if len(rates) > 1:
        assert stops[0] == EPOCHS * -(-COUNT // ROWS)


def test_both_kinds_of_train_stand_in_one_bundle(tmp_path):
    program = Program(tmp_path, request("descent"))
    for halt in (False, True, False):
        program.function("train", 2, steps=1, rows=ROWS, form="vectorized", halt=halt)
    files = [(entry["file"], entry["halt"]) for entry in program.json["functions"]]
    assert files == [("train-v2x1x8.mlirbc", False), ("train-v2x1x8-halt.mlirbc", True)]


@pytest.mark.parametrize(("name", "words"), [("own_loss", "no metric"), ("several_steps", "steps_per_execution=2")])
def test_a_loss_that_cannot_be_watched_is_told(name, words, tmp_path):
    program = Program(tmp_path, request(name))
    with pytest.raises(LoweringFailure, match=words) as caught:
        program.function("train", 2, steps=1, rows=ROWS, halt=True)
    assert caught.value.code == "not_lowerable"
