"""Every leaf's bytes can be put into the template, and Keras reads them back."""

import json
import struct
import zipfile

import keras
import numpy as np
import pytest
from bare import Program, request

from pronghorn.lowering.failures import LoweringFailure

HARD = """
import keras
from keras import layers, ops

@keras.saving.register_keras_serializable("hard")
class Own(layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), name="scale")
        self.used = self.add_weight(shape=(), dtype="bool", initializer="zeros", trainable=False, name="used")
        self.count = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="count")
        self.empty = self.add_weight(shape=(0, 3), name="empty", trainable=False)
    def call(self, x):
        return x * self.scale
    def save_own_variables(self, store):
        for name in ("used", "count", "empty"):
            store[name] = getattr(self, name)
        store["scale"] = ops.convert_to_numpy(self.scale)
    def load_own_variables(self, store):
        for name in ("scale", "used", "count", "empty"):
            getattr(self, name).assign(store[name])

@keras.saving.register_keras_serializable("hard")
class Tied(layers.Layer):
    def __init__(self, other, **options):
        super().__init__(**options)
        self.other = other
    def build(self, shape):
        self.kernel = self.other.kernel
    def call(self, x):
        return ops.matmul(x, ops.transpose(self.kernel))
    def get_config(self):
        return {{**super().get_config(), "other": keras.saving.serialize_keras_object(self.other)}}
    @classmethod
    def from_config(cls, config):
        config["other"] = keras.saving.deserialize_keras_object(config["other"])
        return cls(**config)

def build():
    keras.config.set_dtype_policy({policy!r})
    x = keras.Input((10,))
    shared = layers.Dense(10, name="shared")
    nested = keras.Sequential([keras.Input((10,)), layers.Dense(10, use_bias=False), layers.BatchNormalization()])
    y = Own()(nested(shared(shared(x))))
    y = layers.Bidirectional(layers.LSTM(3, recurrent_initializer='he_normal'))(layers.Reshape((5, 2))(y))
    wide = layers.Dense(4, name="wide")
    y = layers.Dropout(0.1)(Tied(wide)(wide(y)))
    model = keras.Model(x, layers.Dense(1, dtype="float32")(y))
    keras.config.set_dtype_policy("float32")
    model.compile({optimizer}, "mse", metrics=["mae"])
    return model
"""


@pytest.mark.parametrize(
    ("policy", "optimizer"),
    [
        ("float32", "keras.optimizers.Adam(0.01, use_ema=True, amsgrad=True)"),
        ("mixed_float16", "keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01, momentum=0.9))"),
        ("bfloat16", "keras.optimizers.RMSprop(0.01)"),
    ],
)
def test_patched_bytes_come_back_as_the_loaded_models_weights(policy, optimizer, tmp_path):
    file = tmp_path / "model.py"
    file.write_text(HARD.format(policy=policy, optimizer=optimizer))
    program = Program(tmp_path / "out", request("build", file))
    described = program.json
    template = tmp_path / "out" / "template.keras"
    data = bytearray(template.read_bytes())
    rng = np.random.default_rng(0)
    expected = []
    for entry, leaf in zip(described["state"], program.bundle.state.leaves, strict=True):
        if entry["role"] == "metric":
            assert entry["offset"] is None
            continue
        value = np.asarray(leaf.variable._value)
        if entry["offset"] is not None:
            value = rng.integers(0, 2 if value.dtype == bool else 100, value.shape).astype(value.dtype)
            data[entry["offset"] : entry["offset"] + value.nbytes] = value.tobytes()
        else:
            # Keras saves neither the seeds of dropout nor what has no elements.
            assert "seed_generator" in entry["path"] or value.size == 0
        expected.append((entry, value))
    patched = tmp_path / "patched.keras"
    with zipfile.ZipFile(template) as archive, zipfile.ZipFile(patched, "w") as new:
        for info in archive.infolist():
            name_and_extra = data[info.header_offset + 26 : info.header_offset + 30]
            start = info.header_offset + 30 + sum(struct.unpack("<HH", name_and_extra))
            new.writestr(info.filename, bytes(data[start : start + info.file_size]))
    model = keras.models.load_model(patched)
    variables = [*model.trainable_variables, *model.non_trainable_variables, *model.optimizer.variables]
    for (entry, value), variable in zip(expected, variables, strict=True):
        if entry["offset"] is not None:
            assert np.array_equal(np.asarray(variable._value), value), entry["path"]


@pytest.mark.parametrize("optimizer", ["adam", "mixed"])
def test_the_learning_rate_of_the_configuration_can_be_replaced_where_the_span_says(optimizer, tmp_path):
    make = {"adam": "'adam'", "mixed": "keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.25))"}[optimizer]
    file = tmp_path / "model.py"
    file.write_text(HARD.format(policy="float32", optimizer=make))
    program = Program(tmp_path / "out", request("build", file))
    (parameter,) = program.json["parameters"]
    leaf = program.json["state"][parameter["leaf"]]
    rate = program.bundle.state.leaves[parameter["leaf"]].variable
    assert leaf["path"].endswith("learning_rate")
    assert float(rate) in (np.float32(0.001), 0.25)
    with zipfile.ZipFile(tmp_path / "out" / "template.keras") as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        members = {name: archive.read(name) for name in archive.namelist()}
    offset, length = parameter["span"]
    text = members["config.json"]
    assert float(text[offset : offset + length]) == pytest.approx(float(rate))
    members["config.json"] = text[:offset] + b"0.5" + text[offset + length :]
    json.loads(members["config.json"])
    with zipfile.ZipFile(tmp_path / "changed.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    config = keras.models.load_model(tmp_path / "changed.keras").get_compile_config()["optimizer"]["config"]
    assert config.get("inner_optimizer", {"config": config})["config"]["learning_rate"] in (
        0.5,
        pytest.approx(float(rate)),
    )
    assert b"0.5" in members["config.json"]


def test_a_schedule_has_no_number_to_replace_and_the_notes_say_so(tmp_path):
    file = tmp_path / "model.py"
    schedule = "keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 100))"
    file.write_text(HARD.format(policy="float32", optimizer=schedule))
    program = Program(tmp_path / "out", request("build", file))
    assert program.json["parameters"] == []
    assert any("schedule" in note for note in program.json["notes"])


def test_a_model_whose_saved_weights_are_not_those_it_trains_is_no_program(tmp_path):
    # LoRA merges its matrices into the kernel when it saves: a file with the trained bytes would be another model.
    file = tmp_path / "model.py"
    file.write_text(
        "import keras\n"
        "def build():\n"
        "    model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(1, lora_rank=2)])\n"
        "    model.compile('sgd', 'mse')\n"
        "    return model\n"
    )
    with pytest.raises(LoweringFailure, match="otherwise than it is trained") as failure:
        Program(tmp_path / "out", request("build", file))
    assert failure.value.code == "not_lowerable"
