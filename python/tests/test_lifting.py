"""Build arguments as inputs of a program: which are, which are not and why, and that they change nothing."""

import json
import random

import numpy as np
import pytest
from bare import Program, relative, request

from pronghorn.lowering import expressions
from pronghorn.lowering.bundle import Bundle
from pronghorn.lowering.failures import LoweringFailure

SOURCE = """
import keras, math, random, time
import numpy as np
from keras import constraints, initializers, layers, losses, optimizers, regularizers
schedules = optimizers.schedules
calls = [0]
def count():
    calls[0] += 1
    return float(calls[0])
def build(h=0.1{arguments}):
    {first}
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(5, activation="tanh"{dense}), {layer} layers.Dense(1)]
    )
    model.compile({optimizer}, {loss})
    return model
"""
SGD = "optimizers.SGD(0.05)"


def source(layer="", dense="", optimizer=SGD, loss="'mse'", first="pass", arguments=""):
    return SOURCE.format(
        layer=f"{layer}," if layer else "", dense=f", {dense}" if dense else "", optimizer=optimizer, loss=loss,
        first=first, arguments=arguments,
    )  # fmt: skip


def bundle(folder, text, vary, **more) -> Bundle:
    (folder / "model.py").write_text(text)
    return Bundle(request("build", folder / "model.py", x=(6,), vary=vary, **more), lambda message: None)


def optimizer(text):
    return {"optimizer": f"optimizers.{text}"}


LIFTED = {
    **{
        f"{name}.weight_decay": optimizer(f"{name}(0.05, weight_decay=h)")
        for name in ("SGD", "Adam", "Lamb", "Muon", "Ftrl", "Adafactor")
    },
    "SGD.momentum": optimizer("SGD(0.05, momentum=h, nesterov=True)"),
    "RMSprop.momentum": optimizer("RMSprop(0.05, momentum=h)"),
    "Adam.beta_2": optimizer("Adam(0.05, beta_2=1 - h / 100)"),
    "Adamax.beta_1": optimizer("Adamax(0.05, beta_1=h)"),
    "Adam.epsilon": optimizer("Adam(0.05, epsilon=h)"),
    "Adam.clipnorm": optimizer("Adam(0.05, clipnorm=h)"),
    "Adam.clipvalue": optimizer("Adam(0.05, clipvalue=h)"),
    "Adam.global_clipnorm": optimizer("Adam(0.05, global_clipnorm=h)"),
    "Adam.ema_momentum": optimizer("Adam(0.05, use_ema=True, ema_momentum=h)"),
    "LossScaleOptimizer": optimizer("LossScaleOptimizer(optimizers.AdamW(h, weight_decay=h / 10))"),
    "ExponentialDecay": optimizer("SGD(schedules.ExponentialDecay(h, 2, .5))"),
    "CosineDecay.alpha": optimizer("SGD(schedules.CosineDecay(.1, 5, alpha=h))"),
    "PiecewiseConstantDecay": optimizer("SGD(schedules.PiecewiseConstantDecay([2, 4], [h, .2, .1]))"),
    "callable": optimizer("SGD(lambda: h)"),
    "Dropout": {"layer": "layers.Dropout(0.5 * h)"},
    "GaussianNoise": {"layer": "layers.GaussianNoise(h)"},
    "GaussianDropout": {"layer": "layers.GaussianDropout(h)"},
    "AlphaDropout": {"layer": "layers.AlphaDropout(h)"},
    "LSTM.dropout": {"layer": "layers.Reshape((5, 1)), layers.LSTM(3, dropout=h)"},
    "LeakyReLU": {"layer": "layers.LeakyReLU(negative_slope=h)"},
    "BatchNormalization": {"layer": "layers.BatchNormalization(momentum=1 - h, epsilon=h)"},
    "L1": {"dense": "kernel_regularizer=regularizers.L1(h)"},
    "L1L2": {"dense": "kernel_regularizer=regularizers.L1L2(h, h / 2)"},
    "activity L2": {"dense": "activity_regularizer=regularizers.L2(h)"},
    "MaxNorm": {"dense": "kernel_constraint=constraints.MaxNorm(h)"},
    "Huber": {"loss": "losses.Huber(delta=h)"},
    "label smoothing": {"loss": "losses.BinaryCrossentropy(from_logits=True, label_smoothing=h)"},
    "loss weight": {"loss": "'mse', loss_weights=[h]"},
    "closure": {"loss": "lambda y, p: h * keras.ops.mean((y - p) ** 2, -1)"},
}


@pytest.mark.parametrize("parts", LIFTED.values(), ids=LIFTED)
def test_numbers_are_inputs_and_a_step_with_them_is_the_step_without(parts, tmp_path):
    # That a step with the inputs is that of either build is proved while the bundle is made.
    made = bundle(tmp_path, source(**parts), {"h": [0.1, 0.4]})
    made.write(str(tmp_path / "out"))
    program = json.loads((tmp_path / "out" / "program.json").read_text())
    places = [entry for entry in program["parameters"] if entry["name"] == "h"]
    leaves = [entry["leaf"] for entry in places if entry["leaf"] is not None]
    assert leaves
    roles = [program["state"][leaf]["role"] for leaf in leaves]
    assert "parameter" in roles
    assert [leaf["role"] for leaf in program["state"]].count("parameter") == roles.count("parameter")
    assert program["state"][-1]["role"] == "parameter"


BAKED = {
    "int": ({"layer": "layers.Dense(int(10 * h))"}, "two models"),
    "a test in Python": ({"layer": "layers.Dense(4, activation='relu' if h > 0.2 else 'tanh')"}, "activation"),
    "a test in a range": ({"layer": "layers.Rescaling(2.0 if 0.15 < h < 0.35 else 1.0)"}, "0.15"),
    "an equality": ({"layer": "layers.Rescaling(2.0 if h == 0.2 else 1.0)"}, "h == 0.2"),
    "an initializer": ({"dense": "kernel_initializer=initializers.RandomNormal(stddev=h)"}, "start value"),
    "an array": ({"first": "c = np.full(5, h, 'float32')", "layer": "layers.Lambda(lambda x: x * c)"}, "computes"),
    "a name": ({"layer": "layers.Dense(4, name=f'd{10 * h:.0f}')"}, "name"),
    "a global": ({"first": "global G; G = float(h)", "layer": "layers.Lambda(lambda x: x * G)"}, "something else"),
    "a float": ({"layer": "layers.Lambda(lambda x: x * float(h))"}, "Python number"),
    "an unfollowed number": ({"layer": "layers.Rescaling(float(h) ** 0.5)"}, "scale"),
}


@pytest.mark.parametrize(("parts", "words"), BAKED.values(), ids=BAKED)
def test_what_cannot_be_an_input_splits_the_program_and_says_why(parts, words, tmp_path):
    with pytest.raises(LoweringFailure) as caught:
        bundle(tmp_path, source(**parts), {"h": [0.1, 0.4]})
    assert (caught.value.code, caught.value.splits) == ("not_lowerable", "h")
    assert words in caught.value.message, caught.value.message


def test_a_number_that_some_trials_do_not_have_splits_the_program(tmp_path):
    text = source(first="c = (h - 0.05) ** 0.5", layer="layers.Rescaling(c if c.imag == 0 else 0.0)")
    with pytest.raises(LoweringFailure) as caught:
        bundle(tmp_path, text, {"h": [0.04, 0.4]})
    assert (caught.value.code, caught.value.splits) == ("not_lowerable", "h")


def test_of_several_arguments_the_one_that_splits_is_named(tmp_path):
    parts = {"layer": "layers.Dropout(h), layers.Dense(int(b))", "arguments": ", b=3.0, c=0.1, seed=0"}
    parts |= optimizer("AdamW(0.01, weight_decay=c)")
    with pytest.raises(LoweringFailure) as caught:
        bundle(tmp_path, source(**parts), {"h": [0.1, 0.4], "b": [3.0, 5.0], "c": [0.1, 0.4], "seed": [1, 2]})
    assert caught.value.splits == "b"
    # Without it the others, equal in their values, are told apart.
    made = bundle(tmp_path, source(**parts), {"h": [0.1, 0.4], "c": [0.1, 0.4], "seed": [1, 2]}, arguments={"b": 3.0})
    made.write(str(tmp_path / "out"))
    program = json.loads((tmp_path / "out" / "program.json").read_text())
    spans = {entry["name"]: entry["span"] for entry in program["parameters"] if entry["span"]}
    assert {"h", "c"} <= set(spans)


def test_an_argument_is_not_blamed_for_what_another_does(tmp_path):
    # `a` is looked at first, and is innocent.
    parts = {"layer": "layers.Dropout(a), layers.Dense(int(8 * h))", "arguments": ", a=0.1"}
    with pytest.raises(LoweringFailure) as caught:
        bundle(tmp_path, source(**parts), {"a": [0.1, 0.4], "h": [0.5, 1.0]})
    assert caught.value.splits == "h"


def values(program: dict, numbers: dict) -> list[tuple]:
    """The entries of a program's parameters, with what they hold for a trial's numbers."""

    def evaluated(expression):
        if isinstance(expression, list):
            return expressions.OPERATIONS[expression[0]](*map(evaluated, expression[1:]))
        return numbers.get(expression) if isinstance(expression, str) else expression

    pairs = [(entry, evaluated(entry.get("expression") or entry["name"])) for entry in program["parameters"]]
    return [(entry, value) for entry, value in pairs if value is not None]


def test_a_cohort_of_different_numbers_trains_as_models_built_with_them(tmp_path):
    import keras

    text = source(
        layer="layers.Dropout(0.5 * h), layers.BatchNormalization(momentum=1 - h)", arguments=", decay=0.01, rate=0.1",
        dense="use_bias=False, kernel_regularizer=regularizers.L2(h / 100)",
        **optimizer("AdamW(rate, weight_decay=decay, beta_2=1 - decay)"),
    )  # fmt: skip
    (tmp_path / "model.py").write_text(text)
    vary = {"h": [0.1, 0.4], "decay": [0.001, 0.1], "rate": [0.001, 0.03]}
    program = Program(tmp_path / "out", request("build", tmp_path / "model.py", x=(6,), vary=vary))
    trials = [(3, 0.1, 0.001, 0.03), (4, 0.25, 0.03, 0.02), (5, 0.4, 0.1, 0.001)]
    state = program.initialize([seed for seed, *_ in trials])
    for lane, (_, *numbers) in enumerate(trials):
        for entry, value in values(program.json, dict(zip(vary, numbers, strict=True))):
            if entry["leaf"] is not None:
                state[entry["leaf"]] = state[entry["leaf"]].copy()
                state[entry["leaf"]][lane] = value
    drawn = np.random.default_rng(0)
    x, y = drawn.normal(size=(22, 6)).astype("float32"), drawn.normal(size=(22, 1)).astype("float32")
    histories = []
    for _ in range(3):
        state, logs = program.epoch("train", state, [x, y], 8)
        histories.append(logs)
    namespace: dict = {}
    exec(compile(text, "model", "exec"), namespace)
    for lane, (seed, *numbers) in enumerate(trials):
        keras.utils.set_random_seed(seed)
        model = namespace["build"](**dict(zip(vary, numbers, strict=True)))
        history = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history
        for epoch, logs in enumerate(histories):
            assert relative(logs[lane], [history[name][epoch] for name in program.json["logs"]]) < 1e-5
        config = json.dumps(model.get_config()) + json.dumps(model.get_compile_config())
        for entry, value in values(program.json, dict(zip(vary, numbers, strict=True))):
            if entry["span"] and entry["name"] != "rate":
                assert json.dumps(value) in config


def test_the_template_has_a_place_for_every_number(tmp_path):
    made = bundle(tmp_path, source(layer="layers.Dropout(0.5 * h), layers.GaussianNoise(h)"), {"h": [0.1, 0.4]})
    made.write(str(tmp_path / "out"))
    program = json.loads((tmp_path / "out" / "program.json").read_text())
    from pronghorn.lowering import template

    text = template.config(str(tmp_path / "out" / "template.keras"))
    places = [(entry["span"], value) for entry, value in values(program, {"h": 0.2}) if entry["span"]]
    for (offset, length), value in sorted(places, reverse=True):
        text = text[:offset] + json.dumps(value) + text[offset + length :]
    layers = json.loads(text)["config"]["layers"]
    assert [layer["config"].get("rate", layer["config"].get("stddev")) for layer in layers[2:4]] == [0.1, 0.2]


IRREPRODUCIBLE = {
    "a counter": "layers.Lambda(lambda x: x * count())",
    "the time": "layers.Lambda(lambda x: x * time.perf_counter())",
    "Python's random": "layers.Lambda(lambda x: x * random.random())",
    "numpy's random": "layers.Lambda(lambda x: x * np.random.rand())",
    "a generator of one's own": "layers.Lambda(lambda x: x * np.random.default_rng().uniform())",
    "a random choice": "layers.Lambda(lambda x: x * random.Random().choice(range(10 ** 9)))",
}


@pytest.mark.parametrize("layer", IRREPRODUCIBLE.values(), ids=IRREPRODUCIBLE)
def test_a_step_that_is_another_whenever_it_is_traced_is_refused(layer, tmp_path):
    with pytest.raises(LoweringFailure) as caught:
        bundle(tmp_path, source(layer=layer), {})
    assert (caught.value.code, caught.value.splits) == ("not_lowerable", None)
    assert "trace" in caught.value.message


def test_the_line_that_is_another_whenever_it_is_traced_is_named(tmp_path):
    with pytest.raises(LoweringFailure) as caught:
        bundle(tmp_path, source(layer=IRREPRODUCIBLE["a counter"]), {})
    assert "model.py:13" in caught.value.message


def test_an_augmentation_that_chooses_in_python_is_refused(tmp_path):
    (tmp_path / "model.py").write_text(
        "import keras\nfrom keras import layers\n"
        "def build():\n"
        "    model = keras.Sequential([keras.Input((8, 8, 3)), layers.AugMix(), layers.Flatten(), layers.Dense(1)])\n"
        "    model.compile('sgd', 'mse')\n"
        "    return model\n"
    )
    with pytest.raises(LoweringFailure) as caught:
        Bundle(request("build", tmp_path / "model.py", x=(8, 8, 3), batch_size=2), lambda message: None)
    assert caught.value.code == "not_lowerable"


def test_an_initializer_that_is_never_the_same_is_refused_however_large(tmp_path, monkeypatch):
    monkeypatch.setattr("pronghorn.lowering.bundle.TOO_LARGE_TO_BUILD_TWICE", 0)
    with pytest.raises(LoweringFailure) as caught:
        bundle(tmp_path, source(dense="kernel_initializer=lambda s, dtype=None: np.random.normal(size=s)"), {})
    assert "every time" in caught.value.message


def test_numbers_alone_make_no_other_program(tmp_path):
    # Another pair of values of the same range is the same StableHLO, byte for byte.
    text = source(layer="layers.Dropout(h)")
    files = []
    for ends in ([0.1, 0.4], [0.2, 0.3]):
        folder = tmp_path / str(random.random())
        folder.mkdir()
        made = bundle(folder, text, {"h": ends})
        made.write(str(folder / "out"))
        made.lower(str(folder / "out"), {"name": "train", "lanes": 2, "steps": 1, "rows": 8})
        program = json.loads((folder / "out" / "program.json").read_text())
        files.append(program["functions"][0]["sha256"])
    assert files[0] == files[1]
