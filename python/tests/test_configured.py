"""A model written as Keras's configuration: the same model, and mistakes told with what Keras has."""

import copy
import json

import keras
import numpy as np
import pytest
from bare import Program, relative, request
from keras import layers

from pronghorn.lowering.failures import LoweringFailure


def sequential():
    return keras.Sequential([keras.Input((10,)), layers.Dense(6, "relu"), layers.Dropout(0.2), layers.Dense(1)])


def functional():
    x = keras.Input((10,), name="x")
    shared = layers.Dense(4, "tanh", kernel_initializer="he_normal")
    y = layers.Concatenate()([shared(x), shared(layers.LayerNormalization()(x))])
    return keras.Model(x, layers.Dense(1)(layers.Bidirectional(layers.GRU(3))(layers.Reshape((4, 2))(y))))


def config(build, compiled=True) -> dict:
    # The names count on from one build to the next.
    keras.backend.clear_session()
    model = build()
    if compiled:
        model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, 20)), "mse", metrics=["mae"])
    return json.loads(model.to_json())


def asked(**model) -> dict:
    return {**request("build"), "model": {"kind": "config", **model}}


@pytest.mark.parametrize("build", [sequential, functional])
def test_a_configuration_makes_the_model_that_wrote_it(tmp_path, build):
    value = config(build)
    file = tmp_path / "model.json"
    file.write_text(json.dumps(value))
    programs = [
        Program(tmp_path / "value", asked(config=value)),
        Program(tmp_path / "file", asked(file=str(file))),
        Program(
            tmp_path / "compiled",
            asked(config=config(build, compiled=False), compile={"optimizer": "adam", "loss": "mse"}),
        ),
    ]
    assert [source["path"] for source in programs[1].json["sources"]] == [str(file)]
    # A functional model draws in the order in which its configuration lists the layers.
    keras.utils.set_random_seed(5)
    expected = keras.models.model_from_json(json.dumps(value))
    for program in programs:
        leaves = program.json["state"]
        trained = [
            array[1]
            for leaf, array in zip(leaves, program.initialize([2, 5]), strict=True)
            if leaf["role"] == "trainable"
        ]
        assert len(trained) == len(expected.trainable_variables)
        for own, variable in zip(trained, expected.trainable_variables, strict=True):
            assert relative(own, np.asarray(variable)) < 1e-6
    assert programs[0].json["logs"] == ["loss", "mae"]
    assert programs[2].json["logs"] == ["loss"]


def changed(change) -> dict:
    value = copy.deepcopy(config(sequential))
    change(value)
    return value


def layer(value: dict, number: int) -> dict:
    return value["config"]["layers"][number]


MISTAKES = [
    (
        lambda v: layer(v, 1).update(class_name="Dens"),
        ["no layer 'Dens' (did you mean 'Dense'?)", "GroupNormalization"],
    ),
    (lambda v: layer(v, 1)["config"].update(unit=3), ["Dense", "no argument 'unit' (did you mean 'units'?)", "dtype"]),
    (lambda v: layer(v, 1)["config"].pop("units"), ["Dense needs the argument 'units'"]),
    (
        lambda v: v["compile_config"].update(
            optimizer={"module": "keras.optimizers", "class_name": "Adam", "config": {"beta": 1}}
        ),
        ["Adam", "no argument 'beta'", "beta_1"],
    ),
    (
        lambda v: v["compile_config"].update(
            loss={"module": "keras.losses", "class_name": "MeanSquareError", "config": {}}
        ),
        ["no loss 'MeanSquareError' (did you mean 'MeanSquaredError'?)"],
    ),
    (lambda v: v.pop("compile_config"), ["no optimizer"]),
    (lambda v: v.update(module="os", class_name="system"), ["system"]),
    (lambda v: v.update(layer(v, 1)), ["Dense"]),
    (lambda v: v.pop("class_name"), ["no `class_name`"]),
]


@pytest.mark.parametrize(("change", "words"), MISTAKES)
def test_a_mistake_is_told_with_what_the_installed_keras_has(tmp_path, change, words):
    with pytest.raises(LoweringFailure) as failure:
        Program(tmp_path / "out", asked(config=changed(change)))
    assert all(word in failure.value.message for word in words), failure.value.message
    assert "\n" not in failure.value.message


def test_code_in_a_configuration_is_not_run(tmp_path):
    value = json.loads(
        keras.Sequential([keras.Input((10,)), layers.Lambda(lambda x: x * 2), layers.Dense(1)]).to_json()
    )
    with pytest.raises(LoweringFailure) as failure:
        Program(tmp_path / "out", asked(config=value, compile={"optimizer": "adam", "loss": "mse"}))
    assert failure.value.code == "unsafe_model"


def test_a_file_that_is_no_json_is_named(tmp_path):
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(LoweringFailure) as failure:
        Program(tmp_path / "out", asked(file=str(tmp_path / "model.json")))
    assert "model.json is no JSON" in failure.value.message and failure.value.code == "not_a_model"
