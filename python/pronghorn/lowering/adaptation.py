"""Which layers are adapted to the rows that each trial trains on, and which input of the model each of them stands on.

`adapt` of a request is true, for all layers that learn from data before training, or a list of layers' names. What is
adapted must keep its shapes whatever it sees, and must see rows of the data as they are: it stands on an input.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pronghorn.lowering.failures import LoweringFailure
from pronghorn.lowering.tensors import Inputs

ADAPTED = "Normalization and Discretization (by num_bins) are"


@dataclass(frozen=True)
class Adaptation:
    """A layer to adapt.

    Attributes:
        layer: the layer.
        input: the number of the tensor among the inputs of role x.
        shape: the shape of a row as the layer sees it, which holds the numbers of the tensor's row in their order.
    """

    layer: object
    input: int
    shape: tuple[int, ...]

    @property
    def axes(self) -> list[int]:
        """The axes of a row whose every index has statistics of its own; all others are taken together."""
        rank = len(self.shape) + 1
        return sorted((axis % rank) - 1 for axis in self.layer.axis)

    def adapt(self, rows: np.ndarray) -> None:
        """Has Keras adapt the layer to rows of the tensor, [N, …]."""
        rows = np.reshape(rows, (len(rows), *self.shape))
        if _is_normalization(self.layer):
            self.layer.adapt(rows)
        else:
            # What `Discretization.adapt` does with an array; it asks TensorFlow first whether the array is a dataset.
            self.layer.reset_state()
            self.layer.update_state(rows)
            self.layer.finalize_state()


def chosen(model, asked: bool | list[str]) -> list:
    """The layers to adapt, which need not be built yet.

    Raises:
        LoweringFailure: `not_adaptable` for layers that cannot be adapted to each trial's rows.
    """
    layers = [layer for layer in _layers(model) if hasattr(layer, "adapt")]
    if asked is True:
        wanted = [layer for layer in layers if not _has_been_given(layer)]
        if not wanted:
            given = f", since {_names(layers)} has been given what it would learn" if layers else ""
            raise LoweringFailure("not_adaptable", f"the model has no layer to adapt{given}: {ADAPTED} adapted")
    else:
        wanted = [layer for name in asked for layer in _named(name, layers)]
    for layer in wanted:
        if not (_is_normalization(layer) or _is_discretization(layer)):
            raise LoweringFailure(
                "not_adaptable",
                f"the layer {layer.name!r} ({type(layer).__name__}) cannot be adapted to each trial's rows, since what "
                f"it learns may change shapes; {ADAPTED}. Adapt it in the build function, or give it its vocabulary, "
                "and name the layers to adapt",
            )
    return wanted


def placed(model, inputs: Inputs, layers: Iterable) -> list[Adaptation]:
    """The layers of a built model with the inputs that they stand on.

    Raises:
        LoweringFailure: `not_adaptable` for a layer that sees something else than rows of the data.
    """
    functional = _functional(model)
    seen: dict[int, set] = {}
    if functional is not None:
        _look(functional, _sources(functional, inputs), seen)
    return [_placed(layer, seen.get(id(layer), set()), inputs) for layer in layers]


def refuse_configured(layers: Iterable) -> None:
    """Refuses to lower a model with a layer that reads what it learns elsewhere than in leaves of a program.

    Raises:
        LoweringFailure: `not_lowerable`.
    """
    from keras.layers import Normalization

    for layer in layers:
        if not _is_normalization(layer):
            why = "keeps what it is adapted to in its configuration, which differs between trials"
        elif type(layer).call is not Normalization.call:
            why = "computes in a way of its own with what it is adapted to, which may be constants then"
        else:
            continue
        raise LoweringFailure("not_lowerable", f"the layer {layer.name!r} ({type(layer).__name__}) {why}")


def entries(adaptations: Iterable[Adaptation], state) -> list[dict]:
    """What `program.json` says of layers that are adapted: see docs/Contracts.md, section 2."""
    return [
        {
            "layer": one.layer.name,
            "input": one.input,
            "shape": list(one.shape),
            "axes": one.axes,
            "mean": state.index(one.layer.adapt_mean),
            "variance": state.index(one.layer.adapt_variance),
        }
        for one in adaptations
    ]


def notes(adaptations: Iterable[Adaptation], inputs: Inputs) -> list[str]:
    """What `plan` says of them."""
    return [
        f"adapted to the training rows of each trial: {one.layer.name}, of {inputs.x[one.input].name}"
        for one in adaptations
    ]


# Layers.


def _layers(model) -> Iterable:
    return model._flatten_layers(include_self=False, recursive=True)


def _is_normalization(layer) -> bool:
    from keras.layers import Normalization

    return isinstance(layer, Normalization) and type(layer).adapt is Normalization.adapt


def _is_discretization(layer) -> bool:
    from keras.layers import Discretization

    return isinstance(layer, Discretization) and type(layer).adapt is Discretization.adapt


def _has_been_given(layer) -> bool:
    """Whether the layer was made with what it would learn: mean and variance, bin boundaries, a vocabulary."""
    if _is_normalization(layer):
        return layer.input_mean is not None
    if _is_discretization(layer):
        return layer.num_bins is None
    return bool(getattr(layer, "_has_input_vocabulary", False))


def _named(name: str, layers: list) -> list:
    found = [layer for layer in layers if layer.name == name]
    if not found:
        there = f"; those with adapt() are {_names(layers)}" if layers else ", and none with adapt() at all"
        raise LoweringFailure("not_adaptable", f"the model has no layer {name!r} with adapt(){there}")
    if any(_has_been_given(layer) for layer in found):
        raise LoweringFailure(
            "not_adaptable", f"the layer {name!r} has been given what it would learn: there is nothing to adapt"
        )
    return found


def _names(layers: list) -> str:
    return ", ".join(repr(layer.name) for layer in layers)


# Places.


def _functional(model):
    """The graph of a model; None for a subclassed one, whose calls nobody knows.

    A functional one with a `call` of its own is judged by its graph, in which its layers stand on its inputs.
    """
    from keras import Sequential
    from keras.src.models import Functional

    if isinstance(model, Sequential):
        return model._functional
    return model if isinstance(model, Functional) else None


def _sources(functional, inputs: Inputs) -> dict[int, tuple]:
    """The inputs of a graph, by identity: the number of each one's tensor, and its shape in the graph."""
    if len(inputs.x) == 1 and inputs.x[0].name == "x" and len(functional.inputs) == 1:
        return {id(functional.inputs[0]): (0, tuple(functional.inputs[0].shape[1:]))}
    numbers = {tensor.name: number for number, tensor in enumerate(inputs.x)}
    return {
        id(tensor): (numbers[tensor.name], tuple(tensor.shape[1:]))
        for tensor in functional.inputs
        if tensor.name in numbers
    }


def _look(functional, sources: dict[int, tuple], seen: dict[int, set]) -> None:
    """Notes for each layer of a graph, and of the models in it, what it is called on: an input, or None."""
    for nodes in functional._nodes_by_depth.values():
        for node in nodes:
            called_on = [sources.get(id(tensor)) for tensor in node.input_tensors]
            inner = _functional(node.operation)
            if inner is not None and len(inner.inputs) == len(called_on):
                pairs = zip(inner.inputs, called_on, strict=True)
                inside = {id(tensor): (source[0], tuple(tensor.shape[1:])) for tensor, source in pairs if source}
                _look(inner, inside, seen)
            elif node.input_tensors:
                found = seen.setdefault(id(node.operation), set())
                found.add(called_on[0] if len(called_on) == 1 else None)


def _placed(layer, seen: set, inputs: Inputs) -> Adaptation:
    if len(seen) != 1 or None in seen:
        where = "stands on several inputs" if len(seen) > 1 and None not in seen else "does not stand on an input"
        raise LoweringFailure(
            "not_adaptable",
            f"the layer {layer.name!r} {where} of the model, so that it sees something else than the rows of one "
            "tensor of the data: a layer to adapt is called on an Input itself",
        )
    ((number, wanted),) = seen
    given = inputs.x[number].shape
    # Keras adds or takes away a last axis of length one by itself.
    shape = given if len(wanted) == len(given) else (*given, 1) if len(wanted) > len(given) else given[:-1]
    found = Adaptation(layer, number, tuple(shape))
    if _is_normalization(layer) and -1 in found.axes:
        raise LoweringFailure(
            "not_adaptable", f"the layer {layer.name!r} has statistics for each row of a batch (axis 0): leave that out"
        )
    return found
