"""Numbers that differ between a program's trials: where they stand, and the proof that nothing else does."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from pronghorn.lowering import spans
from pronghorn.lowering.expressions import arguments, as_json
from pronghorn.lowering.state import State

SENTINEL = 0.7548828125
"""A learning rate that nobody asks for, exact in float32."""


def config_text(model) -> str:
    """The model's `config.json`, as `Model.save` writes it."""
    from keras.src.saving import saving_lib

    return saving_lib._serialize_model_as_json(model)[0]


def learning_rate(model) -> tuple[object | None, str | None]:
    """The variable that holds the learning rate, or why there is none."""
    from keras.src import backend

    optimizer = model.optimizer
    while getattr(optimizer, "inner_optimizer", None) is not None:
        optimizer = optimizer.inner_optimizer
    if getattr(optimizer, "_inner_optimizers", None):
        return None, "the optimizer is made of several, each with a learning rate of its own: none can vary by itself"
    rate = getattr(optimizer, "_learning_rate", None)
    if isinstance(rate, backend.Variable):
        return rate, None
    return None, "the learning rate is a schedule or a function, not a number: it cannot vary by itself"


def entries(model, state: State, text: str, variation, proof) -> tuple[list[dict], list[str]]:
    """The `parameters` of `program.json`, and the notes on what is not among them.

    An argument has an entry for every leaf that holds it or an expression of it, and for every such place in the
    configuration; the optimizer's learning rate is the first of its name.
    """
    found: list[dict] = []
    places = list(proof.places)
    leaves = {**proof.explained, **{state.variables + i: e for i, e in enumerate(proof.lifting.expressions)}}
    for index, expression in leaves.items():
        # A place in the configuration that holds the same is told of in one entry with the leaf.
        path = next((path for path, other in places if other == expression), None)
        places = [(other, e) for other, e in places if other != path]
        found.append(_entry(expression, index, spans.of(text, path) if path else None))
    found += [_entry(expression, None, spans.of(text, path)) for path, expression in places]
    variable, note = learning_rate(model)
    if variable is not None and not any(entry["name"] == "learning_rate" for entry in found):
        leaf = state.index(variable)
        paths = learning_rate_paths(model, variable, text)
        # Where another argument sets the learning rate, that argument's entry has the span.
        own = len(paths) == 1 and leaf not in proof.explained
        found.insert(0, {"name": "learning_rate", "leaf": leaf, "span": spans.of(text, paths[0]) if own else None})
    known = {entry["name"] for entry in found}
    found += [{"name": name, "leaf": None, "span": None} for name in variation.ends if name not in known]
    if variation.seed_taken:
        for path in seed_paths(json.loads(text), variation.seeds[0]):
            found.append({"name": "seed", "leaf": None, "span": spans.of(text, path)})
    return found, [note] if note else []


def _entry(expression, leaf: int | None, span: list[int] | None) -> dict:
    entry = {"name": arguments(expression)[0], "leaf": leaf, "span": span}
    # The argument itself needs no arithmetic.
    return entry if isinstance(expression, str) else {**entry, "expression": as_json(expression)}


def learning_rate_paths(model, variable, text: str) -> list[tuple]:
    """The places in the configuration that follow the learning rate's variable."""
    import jax.numpy as jnp

    value = variable._value
    try:
        variable._value = jnp.asarray(SENTINEL, value.dtype)
        changed = json.loads(config_text(model))
    finally:
        variable._value = value
    return [path for path, _, new in differences(json.loads(text), changed) if new == SENTINEL]


def seed_paths(tree, seed: int) -> list[tuple]:
    """The places in a configuration that hold the seed argument's value under the key `seed`."""
    return [path for path, value in spans.leaves(tree) if path and path[-1] == "seed" and value == seed]


def differences(first, second, path: tuple = ()) -> Iterator[tuple]:
    """Where two JSON values differ: path, the first's value, the second's."""
    if isinstance(first, dict) and isinstance(second, dict) and first.keys() == second.keys():
        for key in first:
            yield from differences(first[key], second[key], (*path, key))
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for index, (a, b) in enumerate(zip(first, second, strict=True)):
            yield from differences(a, b, (*path, index))
    elif first != second and not (first is None and second is None):
        yield path, first, second


def explained(
    first: str, second: str, found: dict[tuple[float, float], object], seeds: set[tuple[int, int]]
) -> tuple[list[tuple], list[tuple]]:
    """The differences of two builds' configurations.

    Args:
        first: one configuration.
        second: the other.
        found: the expressions of the arguments that vary, by their values in the two builds.
        seeds: pairs of what the two were given or drew in the same place: a layer may keep the seed that it drew.

    Returns:
        The places that hold an expression, each with it, and the differences that are neither expressions nor seeds.
    """
    places, rest = [], []
    trees = [json.loads(text, object_hook=_without_build) for text in (first, second)]
    for path, a, b in differences(*trees):
        if path[-1:] == ("shared_object_id",):
            # An address in memory: it only says which objects are the same one.
            continue
        expression = found.get((a, b)) if isinstance(a, float) and isinstance(b, float) else None
        if expression is not None and spans.of(first, path) is not None:
            places.append((path, expression))
        elif path[-1:] != ("seed",) or not isinstance(a, int) or (a, b) not in seeds:
            rest.append((path, a, b))
    return places, rest


def _without_build(fields: dict) -> dict:
    """A layer's fields without the shapes it was built for, which it has once a step that calls it was traced."""
    return {key: value for key, value in fields.items() if key != "build_config"}


def written(path: tuple) -> str:
    """A path in a configuration, for a sentence."""
    return ".".join(str(key) for key in path if key not in ("config", "compile_config"))


def same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    """Whether two lists of arrays agree in number, shapes and dtypes."""
    return [(a.shape, a.dtype) for a in first] == [(b.shape, b.dtype) for b in second]
