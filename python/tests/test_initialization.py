"""`initialize` gives a trial of a seed the weights that Keras gives it."""

import keras
import numpy as np
import pytest
from bare import Program, relative, request
from keras import layers

INITIALIZERS = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
]

ALL = """
import keras
from keras import layers, initializers as I
NAMES = {names!r}
def build():
    x = keras.Input((10,))
    parts = [layers.Dense(6, kernel_initializer=getattr(I, name)())(x) for name in NAMES]
    parts += [layers.Dense(10, kernel_initializer="identity")(x), layers.Dense(40, kernel_initializer="orthogonal")(x)]
    model = keras.Model(x, layers.Dense(1)(layers.Concatenate()(parts)))
    model.compile("adam", "mse")
    return model
"""

MIXED = """
import keras, numpy as np
from keras import layers
def build():
    normalization = layers.Normalization()
    normalization.adapt(np.random.default_rng(0).standard_normal((50, 10)) * 3 + 1)
    recurrent = layers.Bidirectional(layers.GRU(5))
    x = keras.Input((10,))
    y = layers.Dropout(0.2)(recurrent(layers.Reshape((5, 2))(normalization(x))))
    y = layers.BatchNormalization()(layers.SpectralNormalization(layers.Dense(4))(y))
    seeded = layers.Dense(3, kernel_initializer=keras.initializers.GlorotUniform(seed=7), name="seeded")
    generated = keras.initializers.HeNormal(seed=keras.random.SeedGenerator())
    unseeded = lambda shape, dtype=None: keras.random.normal(shape, dtype=dtype)
    y = layers.Dense(3, kernel_initializer=unseeded)(layers.Dense(3, kernel_initializer=generated)(seeded(y)))
    given = layers.Dense(1, name="given")
    model = keras.Model(x, layers.GaussianNoise(0.1, seed=3)(given(y)))
    given.set_weights([np.ones((3, 1)), np.ones(1)])
    model.compile("adam", "mse")
    return model
"""

RESEEDED = """
import keras
from keras import layers
def build():
    keras.utils.set_random_seed(11)
    model = keras.Sequential([keras.Input((10,)), layers.Dense(4), layers.Dropout(0.1), layers.Dense(1)])
    model.compile("adam", "mse")
    return model
"""

SEED_ARGUMENT = """
import keras
from keras import layers
def build(seed, reseed=False):
    layers.Dense(2)
    if reseed:
        keras.utils.set_random_seed(seed)
    first = layers.Dense(4, kernel_initializer=keras.initializers.GlorotUniform(seed=seed))
    model = keras.Sequential([keras.Input((10,)), first, layers.Dropout(0.1, seed=seed), layers.Dense(1)])
    model.compile("adam", "mse")
    return model
"""

BFLOAT = """
import keras
from keras import layers
keras.config.set_dtype_policy("bfloat16")
def build():
    model = keras.Sequential([keras.Input((10,)), layers.Dense(4), layers.Dropout(0.1), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model
"""


COPIED = """
import keras
from keras import layers
def build():
    model = keras.Sequential([keras.Input((10,)), layers.Dense(4), layers.Dense(1)])
    model.compile(keras.optimizers.ScheduleFreeAdamW(0.01), "mse")
    return model
"""


def built_by_keras(source, seed, arguments):
    policy = keras.config.dtype_policy()
    try:
        space = {}
        exec(source, space)
        keras.utils.set_random_seed(seed)
        model = space["build"](**arguments)
        model.optimizer.build(model.trainable_variables)
        return [*model.trainable_variables, *model.non_trainable_variables, *model.optimizer.variables]
    finally:
        keras.config.set_dtype_policy(policy)


@pytest.mark.parametrize(
    ("source", "arguments", "vary"),
    [
        (ALL.format(names=INITIALIZERS), {}, {}),
        (MIXED, {}, {}),
        (RESEEDED, {}, {}),
        (SEED_ARGUMENT, {"reseed": False}, {"seed": [0, 1, 2]}),
        (SEED_ARGUMENT, {"reseed": True}, {"seed": [0, 1, 2]}),
        (BFLOAT, {}, {}),
        (COPIED, {}, {}),
    ],
    ids=["all", "mixed", "reseeded", "seed_argument", "seed_argument_reseeds", "bfloat16", "slots_that_copy_weights"],
)
def test_a_seed_gives_the_weights_that_keras_gives(source, arguments, vary, tmp_path):
    (tmp_path / "model.py").write_text(source)
    program = Program(tmp_path / "out", request("build", tmp_path / "model.py", arguments=arguments, vary=vary))
    seeds = [5, 900]
    state = program.initialize(seeds)
    described = program.json
    assert described["seed_column"] == ("seed" in vary)
    for lane, seed in enumerate(seeds):
        expected = built_by_keras(source, seed, {**arguments, **({"seed": seed} if vary else {})})
        mine = [(e, s[lane]) for e, s in zip(described["state"], state, strict=True) if e["role"] != "metric"]
        assert len(mine) == len(expected)
        for (entry, leaf), variable in zip(mine, expected, strict=True):
            assert relative(leaf, variable) < 1e-6 or "orthogonal" in source or "GRU" in source, entry["path"]
            assert relative(leaf, variable) < 2e-5, entry["path"]


def test_the_weights_of_a_seed_do_not_depend_on_how_many_lanes_there_are(tmp_path):
    program = Program(tmp_path, request("subclassed"))
    one, three = program.initialize([7]), program.initialize([6, 7, 8])
    for a, b in zip(one, three, strict=True):
        assert np.array_equal(a[0], b[1])


def test_a_loaded_model_starts_where_its_file_left_it_and_drops_out_by_the_trials_seed(tmp_path):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((10,)), layers.Dense(4), layers.Dropout(0.5), layers.Dense(1)])
    model.compile("adam", "mse")
    rng = np.random.default_rng(0)
    model.fit(rng.standard_normal((32, 10)), rng.standard_normal((32, 1)), verbose=0)
    model.save(tmp_path / "fitted.keras")
    asked = request("build")
    asked["model"] = {"kind": "keras", "file": str(tmp_path / "fitted.keras")}
    program = Program(tmp_path / "out", asked)
    assert [source["path"] for source in program.json["sources"]] == [str((tmp_path / "fitted.keras").resolve())]
    state = program.initialize([5, 6])
    saved = [*model.trainable_variables, *model.optimizer.variables]
    kept = [s for s, e in zip(state, program.json["state"], strict=True) if e["role"] in ("trainable", "optimizer")]
    for leaf, variable in zip(kept, saved, strict=True):
        assert np.array_equal(leaf[0], variable)
        assert np.array_equal(leaf[1], variable)
    (generator,) = (s for s, e in zip(state, program.json["state"], strict=True) if e["role"] == "non_trainable")
    keras.utils.set_random_seed(5)
    again = keras.models.load_model(tmp_path / "fitted.keras")
    assert np.array_equal(generator[0], again.non_trainable_variables[0])
    assert not np.array_equal(generator[0], generator[1])
