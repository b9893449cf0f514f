"""What belongs to weights: initializers, regularizers, constraints; and activations."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import constraints, initializers, layers, regularizers

from conformance.case import Case, around

INITIALIZERS: dict[str, dict[str, Callable]] = {
    "Constant": {"number": lambda: initializers.Constant(0.2), "seven": lambda: initializers.Constant(-0.1)},
    "GlorotNormal": {"plain": lambda: initializers.GlorotNormal(), "seed": lambda: initializers.GlorotNormal(seed=4)},
    "GlorotUniform": {"plain": lambda: initializers.GlorotUniform(), "by-name": lambda: "glorot_uniform"},
    "HeNormal": {"plain": lambda: initializers.HeNormal(), "by-name": lambda: "he_normal"},
    "HeUniform": {"plain": lambda: initializers.HeUniform(), "seed": lambda: initializers.HeUniform(seed=4)},
    "Identity": {"plain": lambda: initializers.Identity(), "gain": lambda: initializers.Identity(gain=0.5)},
    "LecunNormal": {"plain": lambda: initializers.LecunNormal(), "seed": lambda: initializers.LecunNormal(seed=4)},
    "LecunUniform": {"plain": lambda: initializers.LecunUniform(), "by-name": lambda: "lecun_uniform"},
    "Ones": {"plain": lambda: initializers.Ones(), "by-name": lambda: "ones"},
    "Orthogonal": {
        "plain": lambda: initializers.Orthogonal(),
        "gain": lambda: initializers.Orthogonal(gain=0.5, seed=4),
    },
    "RandomNormal": {
        "plain": lambda: initializers.RandomNormal(),
        "options": lambda: initializers.RandomNormal(mean=0.1, stddev=0.3, seed=4),
    },
    "RandomUniform": {
        "plain": lambda: initializers.RandomUniform(),
        "options": lambda: initializers.RandomUniform(-0.3, 0.4),
    },
    "TruncatedNormal": {
        "plain": lambda: initializers.TruncatedNormal(),
        "options": lambda: initializers.TruncatedNormal(stddev=0.4, seed=4),
    },
    "VarianceScaling": {
        "fan-in": lambda: initializers.VarianceScaling(),
        "fan-avg-uniform": lambda: initializers.VarianceScaling(2.0, "fan_avg", "uniform"),
    },
    "Zeros": {"plain": lambda: initializers.Zeros(), "by-name": lambda: "zeros"},
}
REGULARIZERS: dict[str, dict[str, Callable]] = {
    "L1": {"plain": lambda: regularizers.L1(0.01), "by-name": lambda: "l1"},
    "L2": {"plain": lambda: regularizers.L2(0.05), "by-name": lambda: "l2"},
    "L1L2": {"both": lambda: regularizers.L1L2(0.01, 0.02), "one": lambda: regularizers.L1L2(l2=0.03)},
    "OrthogonalRegularizer": {
        "rows": lambda: regularizers.OrthogonalRegularizer(0.02),
        "columns": lambda: regularizers.OrthogonalRegularizer(0.02, mode="columns"),
    },
}
CONSTRAINTS: dict[str, dict[str, Callable]] = {
    "MaxNorm": {"one": lambda: constraints.MaxNorm(0.8), "axis": lambda: constraints.MaxNorm(0.9, axis=1)},
    "MinMaxNorm": {
        "default": lambda: constraints.MinMaxNorm(0.4, 0.8),
        "slow": lambda: constraints.MinMaxNorm(0.5, 0.9, rate=0.5, axis=1),
    },
    "NonNeg": {"plain": lambda: constraints.NonNeg(), "by-name": lambda: "non_neg"},
    "UnitNorm": {"columns": lambda: constraints.UnitNorm(), "rows": lambda: constraints.UnitNorm(axis=1)},
}
NO_ACTIVATIONS = {"deserialize", "get", "serialize"}


@keras.saving.register_keras_serializable("conformance")
class Striped(initializers.Initializer):
    """An initializer of a user's, with a seeded and an unseeded draw."""

    def __call__(self, shape, dtype=None, **options):
        drawn = keras.random.uniform(shape, -0.3, 0.3, dtype=dtype, seed=11)
        return drawn + keras.ops.eye(*shape, dtype=dtype)


@keras.saving.register_keras_serializable("conformance")
def unseeded(shape, dtype=None):
    """An initializer of a user's that draws from Keras's global generator."""
    return keras.random.normal(shape, stddev=0.2, dtype=dtype)


@keras.saving.register_keras_serializable("conformance")
class Sparse(regularizers.Regularizer):
    """A regularizer of a user's."""

    def __call__(self, x):
        return 0.01 * keras.ops.sum(keras.ops.sqrt(keras.ops.abs(x) + 0.01))

    def get_config(self):
        return {}


@keras.saving.register_keras_serializable("conformance")
class Bounded(constraints.Constraint):
    """A constraint of a user's."""

    def __call__(self, w):
        return keras.ops.clip(w, -0.5, 0.5)


@keras.saving.register_keras_serializable("conformance")
class Gated(layers.Layer):
    """`glu` halves the last axis, for which `Activation` is not made."""

    def call(self, x):
        return keras.activations.glu(x)


@keras.saving.register_keras_serializable("conformance")
class Cut(layers.Layer):
    """`threshold` has arguments without defaults."""

    def call(self, x):
        return keras.activations.threshold(x, 0.1, -0.2)


def activations() -> dict[str, Callable]:
    """The functions that `keras.activations` exports."""
    names = [n for n in dir(keras.activations) if not n.startswith("_") and n not in NO_ACTIVATIONS]
    return {name: getattr(keras.activations, name) for name in names if callable(getattr(keras.activations, name))}


def _branches(makes: dict[str, Callable]) -> Callable:
    """Each of them on a branch of its own; they are told apart by the names of their layers."""

    def apply(x):
        return layers.Concatenate()([make(name)(x) for name, make in makes.items()])

    return apply


def _grouped(family: str, makes: dict[str, Callable], module: str, together: int) -> list[Case]:
    names = list(makes)
    found = []
    for start in range(0, len(names), together):
        chosen = {name: makes[name] for name in names[start : start + together]}
        covers = tuple(f"{module}.{name.partition('-')[0]}" for name in chosen)

        def build(chosen=chosen):
            return around(_branches(chosen) if len(chosen) > 1 else next(iter(chosen.values()))("one"), "vectors")

        found.append(Case(f"weights/{family}-{start // together}", "vectors", build, covers))
    return found


def _initialized(make: Callable) -> Callable:
    return lambda name: layers.Dense(4, kernel_initializer=make(), name=name)


def _regularized(make: Callable) -> Callable:
    return lambda name: layers.Dense(4, kernel_regularizer=make(), activity_regularizer="l2", name=name)


def _constrained(make: Callable) -> Callable:
    return lambda name: layers.Dense(4, kernel_constraint=make(), bias_constraint="non_neg", name=name)


def _activated(activation: str, function: Callable) -> Callable:
    own = {"glu": Gated, "threshold": Cut}.get(activation, lambda: layers.Activation(function))
    return lambda name: keras.Sequential([layers.Dense(4), own()], name=name)


def _flat(table: dict[str, dict[str, Callable]], wrapped: Callable) -> dict[str, Callable]:
    return {f"{n}-{label}": wrapped(make) for n, entries in table.items() for label, make in entries.items()}


def cases() -> list[Case]:
    found = [
        *_grouped("initializers", _flat(INITIALIZERS, _initialized), "initializers", 6),
        *_grouped("regularizers", _flat(REGULARIZERS, _regularized), "regularizers", 4),
        *_grouped("constraints", _flat(CONSTRAINTS, _constrained), "constraints", 4),
        *_grouped("activations", {n: _activated(n, f) for n, f in activations().items()}, "activations", 6),
    ]
    for label, options in (("real", {"side": "real"}), ("imaginary", {"side": "imag", "scaling": "spectrum"})):

        def build(options=options):
            return around(_frames(initializers.STFT(**options)), "vectors")

        found.append(Case(f"weights/STFT-{label}", "vectors", build, ("initializers.STFT",)))
    for label, make, covers in (
        ("initializer", lambda: {"kernel_initializer": Striped()}, "initializers.Initializer"),
        ("initializer-unseeded", lambda: {"kernel_initializer": unseeded}, "initializers.Initializer"),
        ("regularizer", lambda: {"kernel_regularizer": Sparse()}, "regularizers.Regularizer"),
        ("constraint", lambda: {"kernel_constraint": Bounded()}, "constraints.Constraint"),
    ):

        def build(make=make):
            return around(layers.Dense(4, **make()), "vectors")

        found.append(Case(f"weights/own-{label}", "vectors", build, (covers,)))
    return found


def _frames(initializer) -> Callable:
    layer = layers.Conv1D(5, 8, kernel_initializer=initializer)
    return lambda x: layer(layers.Reshape((16, 1))(layers.Dense(16)(x)))
