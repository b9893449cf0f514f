"""Optimizers and their options, schedules, loss scaling, averages, accumulation, precision."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers, optimizers
from keras.optimizers import schedules

from conformance.case import Case, compiled

OPTIMIZERS: dict[str, dict[str, Callable]] = {
    "SGD": {
        "momentum": lambda: optimizers.SGD(0.05, momentum=0.9),
        "nesterov-decay": lambda: optimizers.SGD(0.05, momentum=0.7, nesterov=True, weight_decay=0.01),
        "clipnorm": lambda: optimizers.SGD(0.05, clipnorm=0.1),
        "clipvalue": lambda: optimizers.SGD(0.05, clipvalue=0.01),
        "global-clipnorm": lambda: optimizers.SGD(0.05, global_clipnorm=0.2),
        "ema": lambda: optimizers.SGD(0.05, use_ema=True, ema_momentum=0.8),
        "ema-overwrites": lambda: optimizers.SGD(0.05, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=2),
        "accumulation": lambda: optimizers.SGD(0.05, gradient_accumulation_steps=2),
        "accumulation-ema-momentum": lambda: optimizers.SGD(
            0.05, momentum=0.5, gradient_accumulation_steps=3, use_ema=True
        ),
        "scaled-loss": lambda: optimizers.SGD(0.05, loss_scale_factor=8.0),
    },
    "Adam": {
        "default": lambda: optimizers.Adam(0.01),
        "amsgrad": lambda: optimizers.Adam(0.01, amsgrad=True, beta_1=0.8, epsilon=1e-5),
        "clipped-decay": lambda: optimizers.Adam(0.01, clipnorm=0.5, weight_decay=0.01),
        "accumulation": lambda: optimizers.Adam(0.01, gradient_accumulation_steps=2),
    },
    "AdamW": {
        "default": lambda: optimizers.AdamW(0.01),
        "excluded": lambda: _without_bias_decay(optimizers.AdamW(0.01, weight_decay=0.05)),
    },
    "Adadelta": {"one": lambda: optimizers.Adadelta(1.0), "rho": lambda: optimizers.Adadelta(0.5, rho=0.8)},
    "Adafactor": {
        "default": lambda: optimizers.Adafactor(0.01),
        "absolute": lambda: optimizers.Adafactor(0.02, relative_step=False, beta_2_decay=-0.7),
    },
    "Adagrad": {
        "default": lambda: optimizers.Adagrad(0.05),
        "start": lambda: optimizers.Adagrad(0.05, initial_accumulator_value=0.5),
    },
    "Adamax": {"default": lambda: optimizers.Adamax(0.01), "betas": lambda: optimizers.Adamax(0.02, beta_1=0.7)},
    "Ftrl": {
        "default": lambda: optimizers.Ftrl(0.05),
        "regularized": lambda: optimizers.Ftrl(
            0.05, l1_regularization_strength=0.01, l2_regularization_strength=0.01, beta=0.1
        ),
    },
    "Lamb": {"default": lambda: optimizers.Lamb(0.01), "decay": lambda: optimizers.Lamb(0.01, weight_decay=0.02)},
    "Lion": {"default": lambda: optimizers.Lion(0.002), "betas": lambda: optimizers.Lion(0.002, beta_1=0.8)},
    "Muon": {
        "default": lambda: optimizers.Muon(0.01),
        "options": lambda: optimizers.Muon(0.01, nesterov=False, adam_weight_decay=0.01, ns_steps=3),
    },
    "Nadam": {"default": lambda: optimizers.Nadam(0.01), "betas": lambda: optimizers.Nadam(0.01, beta_2=0.9)},
    "RMSprop": {
        "default": lambda: optimizers.RMSprop(0.01),
        "centered": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    },
    "ScheduleFreeAdamW": {
        "default": lambda: optimizers.ScheduleFreeAdamW(0.01),
        "warmup": lambda: optimizers.ScheduleFreeAdamW(0.01, warmup_steps=3, weight_decay=0.02),
    },
    "LossScaleOptimizer": {
        "sgd": lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.05), initial_scale=64.0),
        "grows": lambda: optimizers.LossScaleOptimizer(
            optimizers.Adam(0.01), initial_scale=4.0, dynamic_growth_steps=2
        ),
    },
    "MultiOptimizer": {
        "two": lambda: _several(optimizers.SGD(0.05), optimizers.Adam(0.01)),
        "two-schedules": lambda: _several(
            optimizers.SGD(schedules.ExponentialDecay(0.1, 2, 0.5)), optimizers.Lion(1e-3)
        ),
    },
}
SCHEDULES: dict[str, dict[str, Callable]] = {
    "ExponentialDecay": {
        "smooth": lambda: schedules.ExponentialDecay(0.1, 3, 0.8),
        "staircase": lambda: schedules.ExponentialDecay(0.1, 3, 0.5, staircase=True),
    },
    "CosineDecay": {
        "plain": lambda: schedules.CosineDecay(0.1, 6, alpha=0.1),
        "warmup": lambda: schedules.CosineDecay(0.01, 5, warmup_target=0.1, warmup_steps=3),
    },
    "CosineDecayRestarts": {
        "plain": lambda: schedules.CosineDecayRestarts(0.1, 3),
        "shrinking": lambda: schedules.CosineDecayRestarts(0.1, 2, t_mul=1.5, m_mul=0.8, alpha=0.05),
    },
    "InverseTimeDecay": {
        "smooth": lambda: schedules.InverseTimeDecay(0.1, 2, 0.5),
        "staircase": lambda: schedules.InverseTimeDecay(0.1, 2, 0.5, staircase=True),
    },
    "PiecewiseConstantDecay": {
        "two": lambda: schedules.PiecewiseConstantDecay([4], [0.1, 0.02]),
        "three": lambda: schedules.PiecewiseConstantDecay([2, 5], [0.1, 0.05, 0.01]),
    },
    "PolynomialDecay": {
        "linear": lambda: schedules.PolynomialDecay(0.1, 6),
        "cycle": lambda: schedules.PolynomialDecay(0.1, 4, power=2.0, cycle=True),
    },
}


@keras.saving.register_keras_serializable("conformance")
class Halving(schedules.LearningRateSchedule):
    """A schedule of a user's."""

    def __init__(self, start):
        self.start = start

    def __call__(self, step):
        return self.start * keras.ops.power(0.5, keras.ops.cast(step, "float32") / 3)

    def get_config(self):
        return {"start": self.start}


def _without_bias_decay(optimizer):
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


def _several(first, second):
    """One optimizer for the last layer's weights, another for the rest."""
    return optimizers.MultiOptimizer(optimizers.OptimizerMap(first, {"last/.*": second}))


def _model(optimizer, **options) -> keras.Model:
    inputs = keras.Input((6,))
    x = layers.Dense(4, activation="tanh")(inputs)
    return compiled(inputs, layers.Dense(1, name="last")(x), optimizer=optimizer, **options)


def _mixed(policy: str, optimizer: Callable, convolution: bool = False) -> Callable:
    def build() -> keras.Model:
        keras.config.set_dtype_policy(policy)
        inputs = keras.Input((6,))
        x = layers.Dense(8, activation="tanh")(inputs)
        if convolution:
            x = layers.Flatten()(layers.Conv1D(2, 3, activation="relu")(layers.Reshape((8, 1))(x)))
        x = layers.Dropout(0.1)(layers.LayerNormalization()(x))
        return compiled(inputs, layers.Dense(1, dtype="float32")(x), optimizer=optimizer())

    return build


def cases() -> list[Case]:
    def case(name, make, covers):
        return Case(f"optimizers/{name}", "vectors", lambda: _model(make()), covers)

    found = [
        case(f"{name}-{label}", make, (f"optimizers.{name}",))
        for name, entries in OPTIMIZERS.items()
        for label, make in entries.items()
    ]
    found += [
        case(f"{name}-{label}", lambda make=make: optimizers.SGD(make()), (f"optimizers.schedules.{name}",))
        for name, entries in SCHEDULES.items()
        for label, make in entries.items()
    ]
    found.append(case("schedule-own", lambda: optimizers.Adam(Halving(0.05)), ()))
    found.append(case("schedule-adam", lambda: optimizers.Adam(schedules.CosineDecay(0.05, 9)), ()))
    for policy in ("mixed_float16", "mixed_bfloat16", "float16", "bfloat16"):
        for name, optimizer in (("sgd", lambda: optimizers.SGD(0.05)), ("adam", lambda: optimizers.Adam(0.01))):
            build = _mixed(policy, optimizer, convolution=name == "sgd" and policy.startswith("mixed"))
            # In bfloat16 Adam's `beta_2` is 1, and its steps are 0.
            still = ("dense/", "layer_normalization/") if (policy, name) == ("bfloat16", "adam") else ()
            found.append(Case(f"optimizers/{policy}-{name}", "vectors", build, still=still))
    found.append(
        Case(
            "optimizers/mixed_float16-overflow",
            "vectors",
            _mixed("mixed_float16", lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.05), initial_scale=2.0**20)),
        )
    )
    return found
