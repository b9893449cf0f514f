"""One function serves last partial batches of every size, and computes what a function of that size would."""

import jax
import keras
import models
import numpy as np
import pytest
from bare import Program, relative, request
from keras import layers

from pronghorn.lowering import masking
from pronghorn.lowering.functions import Functions
from pronghorn.lowering.rows import NotMaskable, symbolic_rows
from pronghorn.lowering.state import State
from pronghorn.lowering.tensors import Inputs

PLACES = 6


def tokens():
    x = keras.Input((5,), dtype="int32")
    hidden = layers.Embedding(11, 8)(x)
    hidden = layers.MultiHeadAttention(2, 4, dropout=0.1)(hidden, hidden)
    hidden = layers.LayerNormalization()(hidden + layers.GRU(8, return_sequences=True)(hidden))
    hidden = layers.GlobalMaxPooling1D()(hidden)
    model = keras.Model(x, layers.Dense(3)(hidden))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(2)])
    return model


def pooled():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(4, 3, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.SpatialDropout2D(0.3),
            layers.DepthwiseConv2D(3),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.GaussianNoise(0.1),
            layers.UnitNormalization(),
            layers.Dense(1, activation="sigmoid", activity_regularizer="l2"),
        ]
    )
    loss = keras.losses.BinaryFocalCrossentropy()
    model.compile(keras.optimizers.SGD(0.1, nesterov=True, momentum=0.5), loss, metrics=["auc", "precision"])
    return model


def unrolled():
    """Steps that are stacked along an axis beside the rows."""
    model = keras.Sequential([keras.Input((3, 4)), layers.LSTM(3, unroll=True, return_sequences=True), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def contrasted():
    """A loss in which every row of the batch meets every other."""

    def loss(y, outputs):
        likeness = keras.ops.matmul(outputs, keras.ops.transpose(outputs))
        return keras.ops.mean(keras.ops.logsumexp(likeness, axis=1) - keras.ops.sum(outputs * y, axis=-1))

    model = keras.Sequential([keras.Input((10,)), layers.Dense(3), layers.GroupNormalization(1)])
    model.compile(keras.optimizers.SGD(0.1), loss)
    return model


def described(name, x=(10,), y=(1,), kinds=("float32", "float32"), weight=False):
    return pytest.param(name, x, y, kinds, weight, id=getattr(name, "__name__", name))


MODELS = [
    described("dense", weight=True),
    described("conv", (12, 12, 1), (), ("float32", "int32")),
    described("lstm", (8, 4)),
    described("normalized", weight=True),
    described("averaged"),
    described("own_step"),
    described("subclassed"),
    described("convolutions", (6, 6, 6, 2)),
    described(tokens, (5,), (), ("int32", "int32")),
    described(pooled, (8, 8, 2)),
    described(contrasted, y=(3,)),
    described(unrolled, (3, 4), (3, 1)),
]


def batch(inputs, rows, rng):
    return [
        rng.integers(0, 3, (rows, *tensor.shape)).astype(tensor.dtype)
        if tensor.dtype == "int32" or tensor.role == "y"
        else rng.random((rows, *tensor.shape), "float32") + 0.1
        for tensor in inputs.all
    ]


def padded(array):
    """The rows in the first places; what no row is in holds what would spoil every sum."""
    places = np.full((PLACES, *array.shape[1:]), np.nan if array.dtype == np.float32 else 7, array.dtype)
    places[: len(array)] = array
    return places


@pytest.mark.parametrize(("name", "x", "y", "kinds", "weight"), MODELS)
def test_a_masked_step_computes_what_a_step_of_as_many_rows_computes(name, x, y, kinds, weight):
    keras.utils.set_random_seed(3)
    model = getattr(models, name)() if isinstance(name, str) else name()
    inputs = Inputs(request("", x=x, y=y, dtypes=kinds, sample_weight=weight)["inputs"])
    model._symbolic_build(data_batch=inputs.pack([np.zeros((2, *t.shape), t.dtype) for t in inputs.all]))
    functions = Functions(model, state := State(model), inputs)
    rng = np.random.default_rng(0)
    flat = [np.asarray(leaf.variable.value) for leaf in state.leaves]
    for function in ("train", "evaluate"):
        masked = functions.masked_step(function, PLACES)
        run = jax.jit(masked.run)
        for rows in (2, 5) if function == "train" else (3,):
            step = functions.step(function, rows)
            assert masked.logs == step.logs and masked.changes == step.changes
            data = batch(inputs, rows, rng)
            expected = jax.jit(step.run)(flat, data)
            found = run(flat, [*map(padded, data), np.int32(rows)])
            for leaf, one, other in zip(state.leaves, found[0], expected[0], strict=True):
                if not jax.numpy.issubdtype(one.dtype, jax.numpy.floating):
                    assert np.array_equal(one, other), (rows, leaf.path)
                # Other optimizers divide a gradient by its size: of a true zero they make a step of noise.
                elif leaf.role == "metric" or model.optimizer.name == "SGD":
                    assert np.allclose(one, other, rtol=1e-5, atol=1e-6), (rows, leaf.path)
            assert relative(found[1], expected[1]) < 1e-5, rows
        # The next step begins where this one ended, with metrics that have counted.
        flat = [np.asarray(value) for value in expected[0]]


def looks_back():
    """Each row sees the one before it."""

    class Before(layers.Layer):
        def call(self, x):
            return keras.ops.concatenate([x[:1], x[:-1]], axis=0)

    model = keras.Sequential([keras.Input((10,)), Before(), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def asks(question):
    """Python asks how many rows there are."""

    class Asking(layers.Layer):
        def call(self, x):
            return x * 2 if x.shape[0] is not None and question(x.shape[0]) else x

        def compute_output_shape(self, shape):
            return shape

    model = keras.Sequential([keras.Input((10,)), Asking(), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


QUESTIONS = [
    ("inconclusive", lambda rows: rows > 3),
    ("whether n is 3", lambda rows: rows == 3),
    ("whether n is 5", lambda rows: rows != 5),
    ("is 0", lambda rows: rows % 2),
    ("is 0", lambda rows: rows % 2 == 0),
    ("whether n is 4", lambda rows: (rows, 10) == (4, 10)),
]
ACROSS = [
    (looks_back, "places|across the rows"),
    *((lambda question=question: asks(question), message) for message, question in QUESTIONS),
]


@pytest.mark.parametrize("question", [lambda rows: rows == 1, lambda rows: rows, lambda rows: rows != 0])
def test_a_question_that_all_numbers_of_rows_answer_alike_is_let_pass(question):
    model = asks(question)
    inputs = Inputs(request("")["inputs"])
    model._symbolic_build(data_batch=inputs.pack([np.zeros((2, *t.shape), t.dtype) for t in inputs.all]))
    Functions(model, State(model), inputs).masked_step("train", PLACES)


@pytest.mark.parametrize(("build", "message"), ACROSS)
def test_a_step_across_rows_is_not_masked(build, message):
    model = build()
    inputs = Inputs(request("")["inputs"])
    model._symbolic_build(data_batch=inputs.pack([np.zeros((2, *t.shape), t.dtype) for t in inputs.all]))
    functions = Functions(model, State(model), inputs)
    with pytest.raises(Exception, match=message):
        functions.masked_step("train", PLACES)


def test_no_rule_lets_an_operation_pass_that_was_not_thought_of():
    step = jax.make_jaxpr(lambda x: jax.numpy.linalg.cholesky(x @ x.T))(
        jax.ShapeDtypeStruct((symbolic_rows(), 3), "float32")
    )
    with pytest.raises(NotMaskable, match="cholesky"):
        jax.make_jaxpr(masking.masked(step, 4))(np.zeros((4, 3), "float32"), np.int32(2))


@pytest.mark.parametrize("form", ["masked", "masked_looped"])
def test_lanes_end_with_batches_of_their_own_sizes_in_one_call(form, tmp_path):
    """The call is what the functions of the single sizes are, a lane each; a lane without a batch stays as it is."""
    program = Program(tmp_path, request("normalized", batch_size=PLACES, mask_rows=True))
    assert program.json["masks_rows"] is True
    rng, sizes = np.random.default_rng(2), [4, 0, 2]
    start = program.initialize([1, 2, 3])
    x, y = rng.random((3, 1, PLACES, 10), "float32"), rng.random((3, 1, PLACES, 1), "float32")
    rows = np.asarray(sizes, "int32").reshape(3, 1)
    whole = program.function("train", 3, steps=1, rows=PLACES, form=form)
    *state, logs = whole([*start, x, y, rows, np.asarray([1, 0, 1], "int32"), np.int32(1)])
    assert program.json["functions"][-1]["file"].startswith("train-ml3" if form == "masked_looped" else "train-m3")
    for lane, size in enumerate(sizes):
        own = [leaf[lane : lane + 1] for leaf in start]
        if size:
            data = [a[lane : lane + 1, :, :size] for a in (x, y)]
            single = program.function("train", 1, steps=1, rows=size)
            *own, log = single([*own, *data, np.ones(1, "int32"), np.int32(1)])
            assert relative(logs[lane], log[0]) < 1e-5
        roles = [leaf["role"] for leaf in program.json["state"]]
        for found, expected, role in zip(state, own, roles, strict=True):
            assert (role == "metric" and not size) or relative(found[lane], expected[0]) < 1e-5


def test_a_model_that_cannot_be_masked_says_why(tmp_path):
    (tmp_path / "m.py").write_text(
        "import keras\n"
        "class Before(keras.layers.Layer):\n"
        "    def call(self, x):\n"
        "        return keras.ops.flip(x, axis=0)\n"
        "def build():\n"
        "    model = keras.Sequential([keras.Input((10,)), Before(), keras.layers.Dense(1)])\n"
        "    model.compile('sgd', 'mse')\n"
        "    return model\n"
    )
    program = Program(tmp_path / "program", request("build", tmp_path / "m.py", mask_rows=True))
    assert program.json["masks_rows"] is False
    assert any("rev across the rows" in note for note in program.json["notes"])
