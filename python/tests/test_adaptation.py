"""Layers that are adapted to each trial's rows: which they are, on which input, and the numbers of each lane."""

import adapted_models
import keras
import numpy as np
import pytest
from bare import Program, request

from pronghorn.lowering.failures import LoweringFailure

FILE = adapted_models.__file__
TWO = {
    "x": [{"name": "wide", "shape": [3], "dtype": "float32"}, {"name": "deep", "shape": [2], "dtype": "float32"}],
    "y": [{"name": "y", "shape": [1], "dtype": "float32"}],
}


def described(tmp_path, function, adapt=True, **more) -> Program:
    inputs = more.pop("inputs", None)
    asked = request(function, FILE, adapt=adapt, **more)
    return Program(tmp_path / "bundle", {**asked, **({"inputs": inputs} if inputs else {})})


def refusal(tmp_path, function, adapt=True, **more) -> LoweringFailure:
    with pytest.raises(LoweringFailure) as caught:
        described(tmp_path, function, adapt, **more)
    return caught.value


def places(program) -> list[tuple]:
    """What is said of each layer, and that its leaves are those of its statistics."""
    found = []
    for entry in program.json["adapted"]:
        shape = [entry["shape"][axis] for axis in entry["axes"]]
        for kind in ("mean", "variance"):
            leaf = program.json["state"][entry[kind]]
            assert leaf["path"].endswith(f"{entry['layer']}/{kind}")
            assert (leaf["shape"], leaf["offset"] is not None) == (shape, True)
        found.append((entry["layer"], entry["input"], entry["shape"], entry["axes"]))
    return found


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        ("plain", (4,), ("normalization", 0, [4], [0])),
        ("deferred", (5,), ("normalization", 0, [5], [0])),
        ("together", (), ("normalization", 0, [1], [])),
        ("pictures", (3, 2, 2), ("channels", 0, [3, 2, 2], [2])),
        ("nested", (4,), ("scaling", 0, [4], [0])),
    ],
)
def test_a_layer_is_found_with_the_input_that_it_stands_on(tmp_path, function, x, expected):
    program = described(tmp_path, function, x=x)
    assert places(program) == [expected]
    assert program.json["notes"] == [f"adapted to the training rows of each trial: {expected[0]}, of x"]


@pytest.mark.parametrize("function", ["inputs", "named"])
def test_of_several_inputs_each_layer_has_its_own(tmp_path, function):
    found = places(described(tmp_path, function, inputs=TWO))
    assert sorted(found) == [("of_deep", 1, [2], [0]), ("of_wide", 0, [3], [0])]


def test_only_the_layers_that_are_named_are_adapted_and_those_with_numbers_of_their_own_never(tmp_path):
    assert places(described(tmp_path / "a", "inputs", ["of_deep"], inputs=TWO)) == [("of_deep", 1, [2], [0])]
    some = described(tmp_path / "b", "inputs", arguments={"given": True}, inputs=TWO)
    assert places(some) == [("of_wide", 0, [3], [0])]
    assert described(tmp_path / "c", "plain", None, x=(4,)).json["adapted"] == []


@pytest.mark.parametrize(
    ("function", "adapt", "more", "told"),
    [
        ("beyond", True, {"x": (4,)}, "'late' does not stand on an input"),
        ("subclassed", True, {"x": (4,)}, "'scaling' does not stand on an input"),
        ("shared", True, {"inputs": {**TWO, "x": [{**one, "shape": [2]} for one in TWO["x"]]}}, "several inputs"),
        ("without", True, {"x": (4,)}, "no layer to adapt: Normalization and Discretization (by num_bins) are adapted"),
        ("given", True, {"x": (4,)}, "no layer to adapt, since 'known' has been given"),
        ("given", ["known"], {"x": (4,)}, "'known' has been given what it would learn"),
        ("plain", ["nope"], {"x": (4,)}, "no layer 'nope' with adapt(); those with adapt() are 'normalization'"),
        ("without", ["nope"], {"x": (4,)}, "no layer 'nope' with adapt(), and none"),
        ("learned", True, {"x": (4,)}, "'learned' (Learned) cannot be adapted to each trial's rows"),
    ],
)
def test_what_cannot_be_adapted_is_refused_with_the_layer_and_the_reason(tmp_path, function, adapt, more, told):
    failure = refusal(tmp_path, function, adapt, **more)
    assert failure.code == "not_adaptable"
    assert told in failure.message


@pytest.mark.parametrize(
    ("function", "told"),
    [
        ("binned", "'bins' (Discretization) keeps what it is adapted to in its configuration"),
        ("clipped", "'clipped' (Clipped) computes in a way of its own with what it is adapted to"),
    ],
)
def test_what_reads_its_numbers_elsewhere_than_in_leaves_is_for_model_fit(tmp_path, function, told):
    failure = refusal(tmp_path, function, x=(4,))
    assert failure.code == "not_lowerable"
    assert told in failure.message


def test_each_lane_predicts_with_the_statistics_of_its_own_rows_as_keras_adapts_them(tmp_path):
    program = described(tmp_path, "pictures", x=(3, 2, 2))
    rows = np.random.default_rng(3).normal(size=(2, 9, 3, 2, 2)).astype("float32") * [1, 50] + [7, 300]
    rows = rows.astype("float32")
    state = [np.array(leaf) for leaf in program.initialize([5, 5])]
    (entry,) = program.json["adapted"]
    for lane in range(2):
        state[entry["mean"]][lane] = rows[lane].mean(axis=(0, 1, 2), dtype="float64")
        state[entry["variance"]][lane] = rows[lane].var(axis=(0, 1, 2), dtype="float64")
    (outputs,) = program.function("predict", 2, steps=1, rows=9)([*state, rows[:, None]])
    for lane in range(2):
        keras.utils.set_random_seed(5)
        model = adapted_models.pictures()
        model.layers[0].adapt(rows[lane])
        np.testing.assert_allclose(outputs[lane, 0], model.predict(rows[lane], verbose=0), rtol=1e-4, atol=1e-5)
