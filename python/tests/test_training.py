"""What a lowered program computes is what Keras computes."""

import keras
import models
import numpy as np
import pytest
from bare import Program, relative, request

ROWS, COUNT, EPOCHS, SEEDS = 8, 29, 2, [3, 4]
rng = np.random.default_rng(0)

CASES = {
    "dense": ({}, rng.standard_normal((COUNT, 10)), rng.standard_normal((COUNT, 1))),
    "conv": (
        {"x": (12, 12, 1), "y": (), "dtypes": ("float32", "int32")},
        rng.standard_normal((COUNT, 12, 12, 1)),
        rng.integers(0, 4, COUNT),
    ),
    "lstm": ({"x": (8, 4)}, rng.standard_normal((COUNT, 8, 4)), rng.standard_normal((COUNT, 1))),
    "normalized": ({}, rng.standard_normal((COUNT, 10)), rng.standard_normal((COUNT, 1))),
    "averaged": ({}, rng.standard_normal((COUNT, 10)), rng.standard_normal((COUNT, 1))),
    "own_step": ({}, rng.standard_normal((COUNT, 10)), rng.standard_normal((COUNT, 1))),
    "subclassed": ({}, rng.standard_normal((COUNT, 10)), rng.standard_normal((COUNT, 1))),
}


def fitted(name, seed, x, y, weight=None):
    keras.utils.set_random_seed(seed)
    model = getattr(models, name)()
    history = model.fit(
        x, y, sample_weight=weight, batch_size=ROWS, epochs=EPOCHS, shuffle=False, verbose=0, validation_data=(x, y)
    ).history
    return model, history


@pytest.mark.parametrize(("name", "form"), [(name, "looped" if name == "conv" else "vectorized") for name in CASES])
def test_every_epoch_the_weights_and_the_predictions_are_those_of_fit(name, form, tmp_path):
    more, x, y = CASES[name]
    dtypes = more.get("dtypes", ("float32", "float32"))
    x, y = x.astype(dtypes[0]), y.astype(dtypes[1])
    program = Program(tmp_path, request(name, **more))
    described = program.json
    state = program.initialize(SEEDS)
    logs, checks = [], []
    for _ in range(EPOCHS):
        state, log = program.epoch("train", state, [x, y], ROWS, form)
        logs.append(log)
        state, check = program.epoch("evaluate", state, [x, y], ROWS, form)
        checks.append(check)
    if described["finalizes"]:
        state = program.function("finalize", len(SEEDS))(state)
    _, outputs = program.epoch("predict", state, [x], ROWS, form)
    # The second lane suffices: were lanes mixed up, it would hold the first one's numbers.
    for lane, seed in [(1, SEEDS[1])]:
        model, history = fitted(name, seed, x, y)
        expected = {**dict.fromkeys(f"val_{log}" for log in described["evaluate_logs"])}
        assert list(history) == [*described["logs"], *expected]
        for index, log in enumerate(described["logs"]):
            assert relative([e[lane][index] for e in logs], history[log]) < 1e-5, log
        for index, log in enumerate(described["evaluate_logs"]):
            assert relative([e[lane][index] for e in checks], history[f"val_{log}"]) < 1e-5, log
        for role, variables in (
            ("trainable", model.trainable_variables),
            ("non_trainable", model.non_trainable_variables),
            ("optimizer", model.optimizer.variables),
        ):
            mine = [s[lane] for s, leaf in zip(state, described["state"], strict=True) if leaf["role"] == role]
            for leaf, variable in zip(mine, variables, strict=True):
                # Adam turns the rounding of a gradient near zero into a share of a step; 2e-6 is far below one.
                np.testing.assert_allclose(leaf, variable, rtol=0, atol=2e-5 * np.max(np.abs(variable)) + 2e-6)
        assert relative(outputs[0][lane], model.predict(x, batch_size=ROWS, verbose=0)) < 1e-5


def test_sample_weights_count_as_in_fit(tmp_path):
    _, x, y = CASES["dense"]
    x, y, weight = x.astype("float32"), y.astype("float32"), rng.uniform(0.2, 2, COUNT).astype("float32")
    program = Program(tmp_path, request("dense", sample_weight=True))
    state = program.initialize(SEEDS)
    logs = []
    for _ in range(EPOCHS):
        state, log = program.epoch("train", state, [x, y, weight], ROWS)
        logs.append(log[0])
    _, history = fitted("dense", SEEDS[0], x, y, weight)
    for index, name in enumerate(program.json["logs"]):
        assert relative([log[index] for log in logs], history[name]) < 1e-5


@pytest.mark.parametrize("form", ["vectorized", "looped"])
@pytest.mark.parametrize("name", ["dense", "own_step"])
def test_a_lane_takes_as_many_steps_as_it_is_told_and_no_more(name, form, tmp_path):
    program = Program(tmp_path, request(name))
    state = program.initialize([1, 2, 3])
    x = rng.standard_normal((3, 4, ROWS, 10)).astype("float32")
    y = rng.standard_normal((3, 4, ROWS, 1)).astype("float32")
    shape = {"steps": 4, "rows": ROWS, "form": form}
    train = program.function("train", 3, **shape)
    *uneven, logs = train([*state, x, y, np.asarray([4, 0, 2], "int32"), np.int32(1)])
    *two, two_logs = train([*state, x, y, np.asarray([2, 2, 2], "int32"), np.int32(1)])
    *four, four_logs = train([*state, x, y, np.asarray([4, 4, 4], "int32"), np.int32(1)])
    reset = program.function("train", 3, **shape)([*state, x, y, np.zeros(3, "int32"), np.int32(1)])[:-1]
    for lane, expected in ((0, four), (1, reset), (2, two)):
        for leaf, same in zip(uneven, expected, strict=True):
            np.testing.assert_allclose(leaf[lane], same[lane], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(logs[[0, 2]], [four_logs[0], two_logs[2]], rtol=1e-6)
    assert np.array_equal(reset[0], state[0])


def test_metrics_go_on_without_a_reset_and_start_anew_with_one(tmp_path):
    program = Program(tmp_path, request("dense"))
    _, x, y = CASES["dense"]
    x = np.broadcast_to(x[:ROWS].astype("float32"), (1, 1, ROWS, 10))
    y = np.broadcast_to(y[:ROWS].astype("float32"), (1, 1, ROWS, 1))
    evaluate = program.function("evaluate", 1, steps=1, rows=ROWS)
    state = program.initialize([1])
    count = next(i for i, leaf in enumerate(program.json["state"]) if leaf["path"] == "loss/count")
    one = np.ones(1, "int32")
    once = evaluate([*state, x, y, one, np.int32(1)])[:-1]
    assert evaluate([*once, x, y, one, np.int32(0)])[count] == 2 * ROWS
    assert evaluate([*once, x, y, one, np.int32(1)])[count] == ROWS


@pytest.mark.parametrize(("name", "form"), [("dense", "vectorized"), ("dense", "looped"), ("adafactor", "vectorized")])
def test_the_state_is_given_away_whole_and_nothing_else_is(name, form, tmp_path):
    program = Program(tmp_path, request(name))
    leaves = len(program.json["state"])
    state = program.initialize([1, 2])
    assert len(state) == leaves
    x, y = np.zeros((2, 1, ROWS, 10), "float32"), np.zeros((2, 1, ROWS, 1), "float32")
    for kind in ("train", "evaluate"):
        function = program.function(kind, 2, steps=1, rows=ROWS, form=form)
        results = function([*state, x, y, np.ones(2, "int32"), np.int32(1)])
        assert len(results) == leaves + 1
        assert function.deleted == [True] * leaves + [False] * 4
        assert function.text.count("tf.aliasing_output") == leaves
    predict = program.function("predict", 2, steps=1, rows=ROWS, form=form)
    predict([*state, x])
    assert not any(predict.deleted)


def test_convolutions_are_looped_over_by_themselves_and_all_are_channels_last(tmp_path):
    program = Program(tmp_path, request("convolutions", x=(6, 6, 6, 2), y=(1,)))
    assert program.json["has_convolution"]
    state = program.initialize([1, 2])
    x = rng.standard_normal((3 * ROWS, 6, 6, 6, 2)).astype("float32")
    y = rng.standard_normal((3 * ROWS, 1)).astype("float32")
    _, logs = program.epoch("train", state, [x, y], ROWS)
    assert {f["form"] for f in program.json["functions"] if f["name"] == "train"} == {"looped"}
    vectorized = program.initialize([1, 2])
    _, other = program.epoch("train", vectorized, [x, y], ROWS, "vectorized")
    assert relative(other, logs) < 1e-5
    for entry in program.json["functions"]:
        if entry["name"] == "train":
            text = program.function("train", 2, **{k: entry[k] for k in ("steps", "rows", "form")}).text
            convolutions = [line for line in text.splitlines() if "stablehlo.convolution" in line]
            assert convolutions
            assert all(
                any(f"[b, {s}, f]x[{s}, i, o]->[b, {s}, f]" in line for s in ("0", "0, 1", "0, 1, 2"))
                for line in convolutions
            )
    keras.utils.set_random_seed(1)
    model = models.convolutions()
    history = model.fit(x, y, batch_size=ROWS, epochs=1, shuffle=False, verbose=0).history
    assert relative(logs[0], [history[name][-1] for name in program.json["logs"]]) < 1e-5
