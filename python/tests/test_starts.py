"""Starting points: what is read of many files is what Keras loads, and nothing is shared that is not a leaf."""

import hashlib
import json
import struct
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from bare import Program, request
from keras import layers

from pronghorn.lowering import template
from pronghorn.lowering.failures import LoweringFailure
from pronghorn.lowering.starts import Starts

ROWS = np.random.default_rng(5).normal(size=(48, 10)).astype("float32")
TARGETS = ROWS[:, :1] * 2 - 1


def adapted(number, rate=0.3, **fit):
    keras.utils.set_random_seed(number)
    normalization = layers.Normalization()
    normalization.adapt(ROWS * (number + 1) + number)
    model = keras.Sequential(
        [keras.Input((10,)), normalization, layers.Dense(6, activation="relu"), layers.Dropout(rate), layers.Dense(1)],
        name=f"store_{number}",
    )
    model.compile(keras.optimizers.Adam(0.01 * (number + 1)), "mse", metrics=["mae"])
    if fit:
        model.fit(ROWS, TARGETS, verbose=0, **fit)
    return model


def file_request(path):
    return {**request("", path), "model": {"kind": "keras", "file": str(path)}}


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def read(folder, files):
    """Has the starting points of files written, and reads them: tensors and notes by the files' names."""
    program = json.loads((folder / "program.json").read_text())
    described = json.loads((folder / "request.json").read_text())
    starts = Starts(described, program, template.config(str(folder / "template.keras")))
    entries = [{"file": str(file), "sha256": digest(file)} for file in files]
    starts.write(str(folder / "starts"), entries, lambda message: None)
    return starts, {file.name: read_start(folder / "starts" / f"{digest(file)}.safetensors") for file in files}


def read_start(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    body = data[8 + length :]
    notes = header.pop("__metadata__")
    assert notes["sha256"] == hashlib.sha256(body).hexdigest()
    types = {"F32": "float32", "I32": "int32", "U32": "uint32"}
    tensors = {
        int(name.removeprefix("state/")): np.frombuffer(
            body[slice(*entry["data_offsets"])], types[entry["dtype"]]
        ).reshape(entry["shape"])
        for name, entry in header.items()
    }
    return tensors, notes


def leaves(model):
    return [
        *(variable.numpy() for variable in model.trainable_variables),
        *(variable.numpy() for variable in model.non_trainable_variables),
        *(variable.numpy() for variable in model.optimizer.variables),
    ]


def test_every_file_gives_the_leaves_that_keras_loads_and_its_own_configuration(tmp_path):
    files = []
    for number in range(4):
        files.append(tmp_path / f"store-{number}.keras")
        adapted(number, epochs=number + 1).save(files[-1])
    program = Program(tmp_path / "bundle", file_request(files[0])).json
    starts, found = read(tmp_path / "bundle", files)
    assert starts._readings, "the files were read by Keras's slow walk"
    generators = [i for i, leaf in enumerate(program["state"]) if leaf["path"].endswith("seed_generator_state")]
    metrics = [i for i, leaf in enumerate(program["state"]) if leaf["role"] == "metric"]
    assert len(generators) == 1
    for number, file in enumerate(files):
        tensors, notes = found[file.name]
        expected = leaves(keras.models.load_model(file))
        assert sorted(tensors) == [i for i in range(len(program["state"])) if i not in [*generators, *metrics]]
        for index, tensor in tensors.items():
            np.testing.assert_array_equal(tensor[0], expected[index], program["state"][index]["path"])
        assert json.loads(notes["config"])["config"]["name"] == f"store_{number}"
        ((offset, length),) = json.loads(notes["spans"])
        assert float(notes["config"][offset : offset + length]) == pytest.approx(0.01 * (number + 1))


def test_a_program_reads_the_normalization_of_its_own_lane(tmp_path):
    files = [tmp_path / "a.keras", tmp_path / "b.keras"]
    for number, file in enumerate(files):
        adapted(number, epochs=1).save(file)
    program = Program(tmp_path / "bundle", file_request(files[0]))
    _, found = read(tmp_path / "bundle", files)
    state = program.initialize([3, 4])
    for lane, file in enumerate(files):
        for index, tensor in found[file.name][0].items():
            state[index] = np.array(state[index])
            state[index][lane] = tensor[0]
    predict = program.function("predict", 2, steps=1, rows=48)
    (outputs,) = predict([*state, np.stack([ROWS, ROWS])[:, None]])
    for lane, file in enumerate(files):
        theirs = keras.models.load_model(file).predict(ROWS, verbose=0)
        np.testing.assert_allclose(outputs[lane, 0], theirs, rtol=1e-5, atol=1e-6)


def test_a_model_that_was_never_trained_starts_with_a_fresh_optimizer_and_its_own_learning_rate(tmp_path):
    trained, new = tmp_path / "trained.keras", tmp_path / "new.keras"
    adapted(0, epochs=2).save(trained)
    model = adapted(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(new)
    program = Program(tmp_path / "bundle", file_request(trained)).json
    _, found = read(tmp_path / "bundle", [trained, new])
    tensors, _ = found["new.keras"]
    roles = [leaf["role"] for leaf in program["state"]]
    rate = next(entry["leaf"] for entry in program["parameters"] if entry["name"] == "learning_rate")
    assert tensors[rate][0] == np.float32(0.02)
    for index, tensor in tensors.items():
        if roles[index] == "optimizer" and index != rate:
            assert not tensor.any(), program["state"][index]["path"]
    np.testing.assert_array_equal(tensors[0][0], model.trainable_variables[0].numpy())


BUILD = """
import keras
from keras import layers
def build(units=6):
    model = keras.Sequential([
        keras.Input((10,)), layers.Normalization(), layers.Dense(units, activation="relu"), layers.Dropout(0.3),
        layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse")
    return model
"""


def test_weights_for_a_build_function_come_with_no_optimizer_from_either_kind_of_file(tmp_path):
    (tmp_path / "model.py").write_text(BUILD)
    h5, whole = tmp_path / "a.weights.h5", tmp_path / "b.keras"
    one, two = adapted(1, epochs=2), adapted(2, epochs=2)
    one.save_weights(h5)
    two.save(whole)
    program = Program(tmp_path / "bundle", request("build", tmp_path / "model.py")).json
    _, found = read(tmp_path / "bundle", [h5, whole])
    for name, model in [("a.weights.h5", one), ("b.keras", two)]:
        tensors, _ = found[name]
        paths = [program["state"][index]["path"] for index in tensors]
        assert not any(program["state"][index]["role"] in ("optimizer", "metric") for index in tensors), paths
        expected = leaves(model)
        assert len(tensors) == len(model.weights)
        for index, tensor in tensors.items():
            np.testing.assert_array_equal(tensor[0], expected[index])


def test_weights_of_another_architecture_are_told_by_their_file(tmp_path):
    (tmp_path / "model.py").write_text(BUILD.replace("units=6", "units=7"))
    file = tmp_path / "a.weights.h5"
    adapted(1).save_weights(file)
    Program(tmp_path / "bundle", request("build", tmp_path / "model.py"))
    with pytest.raises(LoweringFailure) as caught:
        read(tmp_path / "bundle", [file])
    assert (caught.value.code, "a.weights.h5" in caught.value.message) == ("build_raised", True)


@keras.saving.register_keras_serializable("tests")
class Frozen(layers.Layer):
    """Keeps a constant beside its weight, as no lane of a shared program can."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", trainable=False)
        self.constant = self.scale.numpy()

    def load_own_variables(self, store):
        super().load_own_variables(store)
        self.constant = np.asarray(self.scale)

    def call(self, x):
        return x * self.constant


def frozen(folder, scales):
    """A file of a model with such a layer for each scale, which is its constant."""
    files = []
    for number, scale in enumerate(scales):
        model = keras.Sequential([keras.Input((10,)), Frozen(), layers.Dense(1)])
        model.compile("sgd", "mse")
        model.layers[0].scale.assign(np.full(10, scale))
        files.append(folder / f"{number}.keras")
        model.save(files[-1])
    return files


def test_models_whose_layers_hold_constants_of_their_own_do_not_share_a_program(tmp_path):
    files = frozen(tmp_path, [1.0, 2.0])
    Program(tmp_path / "bundle", file_request(files[0]))
    read(tmp_path / "bundle", files[:1])
    with pytest.raises(LoweringFailure) as caught:
        read(tmp_path / "bundle", files)
    assert caught.value.splits == "model"


def test_one_model_is_compared_with_the_one_that_the_program_was_described_by(tmp_path):
    """The program holds the constants of its own model, though that is none of those that are read."""
    files = frozen(tmp_path, [1.0, 2.0, 2.0])
    Program(tmp_path / "bundle", file_request(files[0]))
    for others in (files[1:2], files[1:]):
        with pytest.raises(LoweringFailure) as caught:
            read(tmp_path / "bundle", others)
        assert caught.value.splits == "model"
    assert records(tmp_path / "bundle") == []


def test_a_model_between_others_is_compared_where_nothing_is_proved(tmp_path):
    files = frozen(tmp_path, [1.0, 2.0, 1.0])
    Program(tmp_path / "bundle", file_request(files[0]))
    with pytest.raises(LoweringFailure, match=r"1\.keras"):
        read(tmp_path / "bundle", files)


def records(folder):
    """What is written down of how files are read."""
    return [json.loads(file.read_text()) for file in sorted((folder / "starts").glob("*.json"))]


def test_how_files_of_a_layout_are_read_is_written_down(tmp_path):
    new, trained = tmp_path / "new.keras", tmp_path / "trained.keras"
    adapted(1).save(new)
    adapted(0, epochs=2).save(trained)
    program = Program(tmp_path / "bundle", file_request(new)).json
    read(tmp_path / "bundle", [new])
    (record,) = records(tmp_path / "bundle")
    rate = next(entry["leaf"] for entry in program["parameters"] if entry["name"] == "learning_rate")
    number = "compile_config/optimizer/config/learning_rate"
    assert record["base"] == f"{digest(new)}.safetensors"
    assert (record["rate"], record["numbers"]) == ({"leaf": f"state/{rate:04}", "number": number}, [number])
    # Keras reads nothing of an optimizer that was never built.
    assert not any(name.startswith("optimizer") for name in record["leaves"].values())
    read(tmp_path / "bundle", [trained])
    (record,) = (record for record in records(tmp_path / "bundle") if record["base"] != f"{digest(new)}.safetensors")
    assert record["rate"] is None
    assert record["leaves"][f"state/{rate:04}"] == "optimizer/vars/1"
    # All but what is drawn, and measured.
    rest = [i for i, leaf in enumerate(program["state"]) if f"state/{i:04}" not in record["leaves"]]
    assert all(
        program["state"][i]["role"] == "metric" or program["state"][i]["path"].endswith("seed_generator_state")
        for i in rest
    )


def test_what_computes_constants_from_its_weights_is_read_by_keras_alone(tmp_path):
    files = frozen(tmp_path, [1.0, 1.0])
    Program(tmp_path / "bundle", file_request(files[0]))
    read(tmp_path / "bundle", files)
    assert records(tmp_path / "bundle") == []


@keras.saving.register_keras_serializable("tests")
class Counted(layers.Layer):
    """Saves a number that is no variable, by which it computes."""

    count = np.int32(1)

    def save_own_variables(self, store):
        store["count"] = self.count

    def load_own_variables(self, store):
        self.count = store["count"][()]

    def call(self, x):
        return x * (2.0 if self.count > 3 else 1.0)


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_numbers_that_are_no_variables_must_be_the_same(kind, tmp_path):
    files = []
    for number, count in enumerate([3, 3, 4]):
        model = keras.Sequential([keras.Input((10,)), Counted(), layers.Dense(1)])
        model.compile("sgd", "mse")
        model.layers[0].count = kind(count)
        files.append(tmp_path / f"{number}.keras")
        model.save(files[-1])
    Program(tmp_path / "bundle", file_request(files[0]))
    read(tmp_path / "bundle", files[:2])
    (record,) = records(tmp_path / "bundle")
    count = hashlib.sha256(kind(3).tobytes()).hexdigest()
    assert record["fixed"] == {"layers/counted/vars/count": count}
    for others in (files[2:], [files[0], files[2], files[1]]):
        with pytest.raises(LoweringFailure, match=r"2\.keras"):
            read(tmp_path / "bundle", others)


def test_a_file_that_changed_under_the_run_is_told(tmp_path):
    file = tmp_path / "a.keras"
    adapted(0).save(file)
    Program(tmp_path / "bundle", file_request(file))
    program = json.loads((tmp_path / "bundle" / "program.json").read_text())
    starts = Starts(file_request(file), program, template.config(str(tmp_path / "bundle" / "template.keras")))
    with pytest.raises(LoweringFailure, match="has changed"):
        starts.write(str(tmp_path / "starts"), [{"file": str(file), "sha256": "0" * 64}], lambda message: None)
