"""The lowering process: its answers, its errors and where they point."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bare import Program, request

from pronghorn.lowering.failures import LoweringFailure

ROOT = Path(__file__).parents[1]

GOOD = """
import keras
from keras import layers
def build(units=4):
    model = keras.Sequential([keras.Input((10,)), layers.Dense(units), layers.Dense(1)])
    model.compile("adam", "mse")
    return model
"""


def serve(*requests, env=None):
    lines = "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in requests)
    done = subprocess.run(
        [sys.executable, "-m", "pronghorn.lowering"],
        input=lines,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "torch", **(env or {})},
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_bundles_are_made_by_lines_and_prints_do_not_come_between(tmp_path):
    file, out = tmp_path / "model.py", tmp_path / "out"
    file.write_text("import os\nprint('hello')\nos.system('echo from a shell')\n" + GOOD)
    describe = {"id": 1, "do": "describe", "output": str(out), **request("build", file, arguments={"units": 3})}
    wanted = {"name": "predict", "lanes": 1, "steps": 1, "rows": 8}
    lower = {"id": 2, "do": "lower", "output": str(out), "functions": [wanted, {**wanted, "form": "vectorized"}]}
    answers = serve("no json", describe, lower)
    assert answers[0] == {"id": None, "event": "failed", "code": "bad_request", "message": answers[0]["message"]}
    assert [a["id"] for a in answers if a["event"] == "done"] == [1, 2]
    assert any(a["event"] == "progress" for a in answers)
    program = json.loads((out / "program.json").read_text())
    (function,) = program["functions"]
    assert function["sha256"] == hashlib.sha256((out / function["file"]).read_bytes()).hexdigest()
    assert program["state"][0]["shape"] == [10, 3]
    assert sorted(p.name for p in out.iterdir()) == sorted(
        ["program.json", "request.json", "template.keras", function["file"]]
    )
    assert program["files"] == {
        name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in ("request.json", "template.keras")
    }
    # Another process goes on with the bundle, unless the model's file has changed.
    more = {"id": 3, "do": "lower", "output": str(out), "functions": [{"name": "initialize", "lanes": 2}]}
    assert serve(more)[-1]["event"] == "done"
    assert len(json.loads((out / "program.json").read_text())["functions"]) == 2
    file.write_text(GOOD + "\n")
    failed = serve(more)[-1]
    assert (failed["code"], "changed" in failed["message"]) == ("bad_request", True)


def test_every_file_is_on_the_disk_before_the_description_names_it(tmp_path, disk_steps):
    file, out = tmp_path / "model.py", tmp_path / "out"
    file.write_text(GOOD)
    program = Program(out, request("build", file))
    program.bundle.lower(str(out), {"name": "initialize", "lanes": 2})
    renamed = [step for step in disk_steps if isinstance(step, tuple) and step[1].parent == out]
    assert [place.name for _, place in renamed] == [
        "template.keras",
        "request.json",
        "program.json",
        program.json["functions"][0]["file"],
        "program.json",
    ]
    for step in renamed:
        index = disk_steps.index(step)
        # The contents before the file has its name, and the name before anything else is written.
        assert (disk_steps[index - 1], disk_steps[index + 1]) == (step[0], out)


def failure(tmp_path, source, function="build", **more) -> LoweringFailure:
    file = tmp_path / "model.py"
    if source is not None:
        file.write_text(source)
    with pytest.raises(LoweringFailure) as caught:
        program = Program(tmp_path / "out", request(function, file, **more))
        program.function("train", 2, steps=1, rows=8)
        program.initialize([1, 2])
    return caught.value


def replaced(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


LAYERS = "layers.Dense(units), layers.Dense(1)"
OWN = """
class Own(layers.Layer):
    def call(self, x):
        {body}
"""


@pytest.mark.parametrize(
    ("source", "code", "words", "more"),
    [
        (None, "no_such_file", "no file", {}),
        (GOOD, "no_such_function", "it has build", {"function": "make"}),
        (replaced("    model.compile", "    return 3\n    model.compile"), "not_a_model", "returned int", {}),
        (replaced('    model.compile("adam", "mse")\n', ""), "not_compiled", "model.compile", {}),
        (replaced('"mse")', '"mse", run_eagerly=True)'), "not_lowerable", "run_eagerly", {}),
        (GOOD, "shapes_disagree", "(10,), but rows of x have shape (12,)", {"x": (12,)}),
        (replaced('"mse"', '"categorical_crossentropy"'), "shapes_disagree", "shape (1,)", {"y": (3,)}),
        (
            replaced("layers.Dense(units)", "layers.Dense(units, kernel_initializer=lambda s, dtype=None: "
                     "__import__('numpy').random.normal(size=s))"),
            "not_lowerable", "dense/kernel", {},
        ),
        (replaced("    model =", "    __import__('random').random()\n    model ="), "not_lowerable", "kernel", {}),
        (replaced("units),", "units + __import__('random').randint(0, 50)),"), "not_lowerable", "two models", {}),
        (
            GOOD.replace("def build", OWN.format(body="return keras.ops.linalg.svd(x[:, None, :1] + 1)[1] * x")
                         + "def build").replace(LAYERS, LAYERS.replace("units)", "units), Own()")),
            "not_lowerable", "exists only inside JAX", {},
        ),
        (
            GOOD.replace("def build", OWN.format(body="return x * (2 if float(x[0, 0]) > 0 else 1)") + "def build")
            .replace(LAYERS, LAYERS.replace("units)", "units), Own()"))
            .replace("model = keras.Sequential([", "model = keras.Sequential(["),
            "build_raised", "", {},
        ),
        (GOOD, "build_raised", "build() takes no argument 'depth'", {"arguments": {"depth": 2}}),
        (GOOD, "bad_request", "no tensor", {"x": None}),
        (
            replaced('"mse")', '"mse", metrics=[keras.metrics.F1Score()])').replace("Dense(1)", "Dense(3)"),
            "not_lowerable", "f1_score", {"y": (3,)},
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_code_and_in_words(source, code, words, more, tmp_path):
    if more.get("x", 1) is None:
        with pytest.raises(LoweringFailure) as caught:
            Program(tmp_path, {**request("build"), "inputs": {"x": []}})
        failed = caught.value
    else:
        failed = failure(tmp_path, source, **more)
    assert (failed.code, words in failed.message) == (code, True), failed.message


def test_an_argument_that_the_function_does_not_take_is_told_with_those_that_it_takes(tmp_path):
    told = failure(tmp_path, GOOD, arguments={"units": 2, "depth": 2}).event()
    assert (told["key"], told["accepted"]) == ("arguments.depth", ["units"])
    missing = failure(tmp_path, replaced("units=4", "units, depth")).event()
    assert "missing" in missing["message"] and "key" not in missing


def test_an_error_of_the_users_points_at_the_users_line(tmp_path):
    (tmp_path / "parts.py").write_text("def units(n):\n    raise ValueError(f'no {n} units')\n")
    failed = failure(tmp_path, "import parts\n" + replaced("units),", "parts.units(units)),"))
    assert failed.code == "build_raised"
    assert failed.message == "ValueError: no 4 units"
    assert (failed.file, failed.line) == (str((tmp_path / "parts.py").resolve()), 2)
    assert "Traceback" in failed.detail
    failed = failure(tmp_path, replaced("Dense(units)", "Dense(-units)"))
    assert (failed.code, failed.file, failed.line) == ("build_raised", str((tmp_path / "model.py").resolve()), 5)
    failed = failure(tmp_path, "def build(:\n    pass\n")
    assert (failed.code, failed.line) == ("build_raised", 1)


def test_sources_are_what_was_imported_and_opened_and_nothing_of_pythons(tmp_path):
    (tmp_path / "parts.py").write_text("UNITS = 5\n")
    (tmp_path / "words.txt").write_text("4")
    reading = "def build(units=4):\n    open({!r}).read()\n    open({!r}, 'w').close()\n    import parts"
    text = replaced("def build(units=4):", reading.format(str(tmp_path / "words.txt"), str(tmp_path / "log")))
    (tmp_path / "model.py").write_text(text)
    program = Program(tmp_path / "out", request("build", tmp_path / "model.py"))
    sources = program.json["sources"]
    assert [Path(s["path"]).name for s in sources] == ["model.py", "parts.py", "words.txt"]
    for source in sources:
        assert source["sha256"] == hashlib.sha256(Path(source["path"]).read_bytes()).hexdigest()


RATE = """
import keras
from keras import layers
def build(learning_rate, seed=0):
    model = keras.Sequential([keras.Input((10,)), layers.Dense({units}), layers.Dense(1)])
    model.compile({optimizer}, {loss})
    return model
"""


@pytest.mark.parametrize(
    ("change", "splits"),
    [
        ({}, None),
        ({"optimizer": "keras.optimizers.AdamW(learning_rate, weight_decay=learning_rate / 10)"}, None),
        ({"units": "int(learning_rate * 1000)"}, "learning_rate"),
        ({"units": "4 + seed"}, "seed"),
    ],
)  # fmt: skip
def test_what_varies_may_not_change_the_model(change, splits, tmp_path):
    parts = {"units": "4", "optimizer": "keras.optimizers.Adam(learning_rate)", "loss": "'mse'", **change}
    (tmp_path / "model.py").write_text(RATE.format(**parts))
    asked = request("build", tmp_path / "model.py", vary={"learning_rate": [0.001, 0.01], "seed": [1, 2]})
    if splits is None:
        program = Program(tmp_path / "out", asked).json
        assert program["parameters"][0]["name"] == "learning_rate"
        assert program["state"][program["parameters"][0]["leaf"]]["path"].endswith("/learning_rate")
        return
    with pytest.raises(LoweringFailure) as caught:
        Program(tmp_path / "out", asked)
    assert (caught.value.code, caught.value.event()["splits"]) == ("not_lowerable", splits)


def test_a_learning_rate_alone_stands_in_the_optimizers_leaf(tmp_path):
    asked = request("dense", vary={"learning_rate": [0.001, 0.01]})
    program = Program(tmp_path, asked).json
    (entry,) = program["parameters"]
    assert (entry["name"], program["state"][entry["leaf"]]["path"]) == ("learning_rate", "adam/learning_rate")
    assert "parameter" not in {leaf["role"] for leaf in program["state"]}


def test_layers_in_the_experiment_file_make_a_model(tmp_path):
    asked = request("build", x=(12, 4), dtypes=("float32", "int32"), y=())
    asked["model"] = {
        "kind": "layers",
        "layers": [
            {"LSTM": {"units": 6}},
            {"Dropout": {"rate": 0.1}},
            {"Dense": {"units": 3, "activation": "softmax"}},
        ],
        "compile": {
            "optimizer": {"Adam": {"learning_rate": 0.01}},
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
        },
    }
    program = Program(tmp_path, asked).json
    assert program["logs"] == ["accuracy", "loss"]
    assert program["outputs"] == [{"name": "output", "shape": [3], "dtype": "float32"}]
    for layer, code, told in (
        ({"Lstm": {}}, "bad_request", r"has no layer 'Lstm' \(did you mean 'LSTM'\?\); it has Activation, .*"),
        ({"LSTM": {"unit": 6}}, "build_raised", r"has no argument 'unit' \(did you mean 'units'\?\); it takes units,"),
    ):
        asked["model"]["layers"][0] = layer
        with pytest.raises(LoweringFailure, match=told) as caught:
            Program(tmp_path, asked)
        assert (caught.value.code, caught.value.key) == (code, "layers[0]")
    asked["model"]["layers"][0] = {"LSTM": {"units": 6}}
    asked["model"]["compile"]["optimizer"] = {"Adamm": {}}
    with pytest.raises(LoweringFailure, match=r"has no optimizer 'Adamm' \(did you mean 'Adam'\?\)") as caught:
        Program(tmp_path, asked)
    assert caught.value.key == "compile.optimizer"


def test_a_file_that_holds_code_is_refused(tmp_path):
    import keras

    model = keras.Sequential([keras.Input((10,)), keras.layers.Lambda(lambda x: x * 2), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.save(tmp_path / "lambda.keras")
    asked = {**request("build"), "model": {"kind": "keras", "file": str(tmp_path / "lambda.keras")}}
    with pytest.raises(LoweringFailure) as caught:
        Program(tmp_path / "out", asked)
    assert caught.value.code == "unsafe_model"


def test_a_file_that_needs_functions_of_its_own_is_refused_with_the_key_that_names_them(tmp_path):
    import keras

    def distance(y, output):
        return keras.ops.mean(keras.ops.abs(y - output))

    model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(1)])
    model.compile("adam", "mse", metrics=[distance])
    model.save(tmp_path / "own.keras")
    asked = {**request("build"), "model": {"kind": "keras", "file": str(tmp_path / "own.keras")}}
    with pytest.raises(LoweringFailure, match=r"needs the function 'distance'.* as `custom_objects`"):
        Program(tmp_path / "out", asked)


def test_several_inputs_and_outputs_are_passed_by_name(tmp_path):
    (tmp_path / "model.py").write_text(
        "import keras\nfrom keras import layers\n"
        "def build():\n"
        "    a, b = keras.Input((3,), name='a'), keras.Input((2,), name='b')\n"
        "    h = layers.Dense(4)(layers.Concatenate()([b, a]))\n"
        "    u, v = layers.Dense(1, name='u')(h), layers.Dense(2, name='v')(h)\n"
        "    model = keras.Model({'a': a, 'b': b}, {'v': v, 'u': u})\n"
        "    model.compile('adam', {'u': 'mse', 'v': 'mae'})\n"
        "    return model\n"
    )
    asked = request("build", tmp_path / "model.py")
    tensor = lambda name, n: {"name": name, "shape": [n], "dtype": "float32"}  # noqa: E731
    asked["inputs"] = {"x": [tensor("b", 2), tensor("a", 3)], "y": [tensor("u", 1), tensor("v", 2)]}
    program = Program(tmp_path / "out", asked)
    assert [i["name"] for i in program.json["inputs"]] == ["b", "a", "u", "v"]
    assert [(o["name"], o["shape"]) for o in program.json["outputs"]] == [("u", [1]), ("v", [2])]
    assert program.json["logs"] == ["loss", "u_loss", "v_loss"]


DRAWN_SEEDS = """
import keras
from keras import layers

class Mixed(keras.Model):
    def __init__(self):
        super().__init__()
        self.mix, self.flatten, self.dense = layers.MixUp(), layers.Flatten(), layers.Dense(1)
    def build(self, shape):
        self.dense.build((None, 192))
    def call(self, x):
        return self.dense(self.flatten(x))
    def train_step(self, state, data):
        with keras.StatelessScope([*zip(self.non_trainable_variables, state[1])]) as scope:
            mixed = self.mix({"images": data[0], "labels": data[1]}, training=True)
        non_trainable = [scope.get_current_value(v) for v in self.non_trainable_variables]
        return super().train_step((state[0], non_trainable, *state[2:]), (mixed["images"], mixed["labels"]))
    def get_config(self):
        return {"mix": keras.saving.serialize_keras_object(self.mix)}

def mixed():
    model = Mixed()
    model.build((None, 8, 8, 3))
    model.compile("sgd", "mse")
    return model

def cropped():
    crop = layers.RandomCrop(8, 8)
    model = keras.Sequential([keras.Input((8, 8, 3)), crop, layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model
"""


@pytest.mark.parametrize("function", ["cropped", "mixed"])
def test_a_seed_or_a_shape_that_a_layer_keeps_in_its_configuration_is_no_other_model(function, tmp_path):
    file = tmp_path / "model.py"
    file.write_text(DRAWN_SEEDS)
    assert Program(tmp_path / "out", request(function, file, x=(8, 8, 3))).json["draws"] > 0
