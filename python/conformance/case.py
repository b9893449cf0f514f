"""What a case of the sweep is, and the small models that most cases put their subject into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import keras

RATE = 0.01
"""Small, since what diverges amplifies every rounding."""


@dataclass(frozen=True)
class Case:
    """One model of the sweep.

    `signature` names its data, `covers` the exported names that it is a case of. `still` are parts of paths of the
    trainable variables that may keep their first values, since nothing that depends on them is differentiable; every
    other variable must move, or the case would show nothing. `merges` says that Keras saves other weights than it
    trains (LoRA's are merged into the kernel), so that a case starts from its seed and not from a file.
    """

    name: str
    signature: str
    build: Callable[[], keras.Model]
    covers: tuple[str, ...] = ()
    still: tuple[str, ...] = field(default=())
    merges: bool = False


def compiled(inputs, outputs, optimizer=None, loss="mse", **options) -> keras.Model:
    """A functional model, trained by plain SGD unless the optimizer is what matters."""
    model = keras.Model(inputs, outputs)
    model.compile(optimizer=optimizer or keras.optimizers.SGD(RATE), loss=loss, **options)
    return model


def around(subject: Callable, signature: str, *, first: bool = False, masked: bool = False, **options) -> keras.Model:
    """`subject` between trainable layers: what it passes back moves the weights before it.

    With `first` it stands before all of them: it prepares data and passes nothing back. With `masked` the steps that
    are zero are masked.
    """
    layers = keras.layers
    shape = {"vectors": (6,), "sequences": (7, 4), "images": (8, 8, 3), "volumes": (4, 4, 4, 2), "integers": (5,)}
    if signature == "batches":
        inputs = keras.Input(batch_shape=(8, 7, 4))
    else:
        inputs = keras.Input(shape[signature], dtype="int32" if signature == "integers" else None)
    x = layers.Masking()(inputs) if masked and signature == "sequences" else inputs
    if not first:
        if signature == "integers":
            x = layers.Embedding(12, 4, mask_zero=masked)(x)
        else:
            x = layers.Dense({"vectors": 5}.get(signature, x.shape[-1]), activation="tanh")(x)
    x = subject(x)
    if first and len(x.shape) > 2:
        x = layers.Dense(2, activation="tanh")(x)
    if len(x.shape) > 2:
        x = layers.Flatten()(x)
    return compiled(inputs, layers.Dense(1)(x), **options)


def layer_cases(
    family: str,
    signature: str,
    table: dict[str, dict[str, Callable]],
    *,
    first: bool = False,
    masked: bool = False,
    still: tuple[str, ...] = (),
) -> list[Case]:
    """A case for every entry of a table: layer names over configurations, each a function that makes the subject."""

    def case(layer: str, label: str, make: Callable) -> Case:
        return Case(
            f"{family}/{layer}-{label}",
            signature,
            lambda: around(make(), signature, first=first, masked=masked),
            (f"layers.{layer}",),
            still,
            merges=label == "lora",
        )

    return [case(layer, label, make) for layer, entries in table.items() for label, make in entries.items()]
