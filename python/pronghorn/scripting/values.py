"""Plain values: what stands in an experiment file and means the same in Swift."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pronghorn.scripting.code import pickled
from pronghorn.scripting.errors import InvalidRequest

_NOT_PLAIN = object()


def plain(value: Any) -> Any:
    """A number, text, True, False, None or a list of them as Python's own types; `TypeError` for what is none."""
    found = _plain(value)
    if found is _NOT_PLAIN:
        raise TypeError(f"{type(value).__name__} is no number, text or list")
    return found


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _NOT_PLAIN
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (list, tuple)):
        elements = [_plain(element) for element in value]
        return _NOT_PLAIN if any(element is _NOT_PLAIN for element in elements) else elements
    # NumPy's numbers and arrays.
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        return _plain(value.tolist())
    return _NOT_PLAIN


class Axes:
    """The trials of a call, as an experiment file has them.

    Objects among the values (a Keras loss, an activation function) get a label, by which the build function's file
    finds them again.

    Attributes:
        section: What stands under `trials`.
        objects: By argument and label, a pickle of the object.
    """

    def __init__(self, trials: Any):
        self.section: dict[str, Any] | list[dict[str, Any]] | None = None
        self.objects: dict[str, dict[str, bytes]] = {}
        self._labels: dict[tuple[str, int], str] = {}
        if trials is None:
            return
        if isinstance(trials, dict):
            self.section = {name: self._axis(name, values) for name, values in trials.items()}
        else:
            self.section = [{name: self._value(name, v) for name, v in trial.items()} for trial in trials]

    @property
    def number(self) -> int:
        """How many combinations there are."""
        if self.section is None:
            return 1
        if isinstance(self.section, list):
            return len(self.section)
        if "random" in self.section:
            return self.section["random"]
        return math.prod(_length(axis) for axis in self.section.values())

    def _axis(self, name: str, values: Any) -> Any:
        if name == "random":
            return int(values)
        if isinstance(values, range):
            return {"range": [values.start, values.stop, values.step]}
        if isinstance(values, dict):
            return values if name == "class_weight" else {key: plain(value) for key, value in values.items()}
        if isinstance(values, str) or not isinstance(values, Iterable):
            return [self._value(name, values)]
        return [self._value(name, value) for value in values]

    def _value(self, name: str, value: Any) -> Any:
        if name == "class_weight" and isinstance(value, dict):
            return {int(key): float(weight) for key, weight in value.items()}
        found = _plain(value)
        if found is not _NOT_PLAIN:
            return found
        if name in ("seed", "learning_rate"):
            raise InvalidRequest(f"trials[{name!r}]: {value!r} is no finite number")
        label = self._labels.get((name, id(value)))
        if label is None:
            known = self.objects.setdefault(name, {})
            stem = getattr(value, "__name__", None) or type(value).__name__
            label, number = stem, 2
            while label in known:
                label, number = f"{stem}-{number}", number + 1
            known[label] = pickled(Remade(value), f"the value {value!r} of trials[{name!r}]")
            self._labels[name, id(value)] = label
        return label


def _length(axis: Any) -> int:
    """How many values an axis has."""
    if isinstance(axis, dict) and "range" in axis:
        return len(range(*axis["range"]))
    return len(axis) if isinstance(axis, list) else 1


class Remade:
    """Pickles an object of Keras's by its configuration, so that what is loaded is new, and others as they are."""

    def __init__(self, value: Any):
        self.value = value

    def __reduce__(self):
        if type(self.value).__module__.split(".")[0] == "keras" and hasattr(self.value, "get_config"):
            from keras.saving import serialize_keras_object

            # Not all losses have their arguments in their configuration: `Huber` of Keras 3.15 has not.
            return _remade, (serialize_keras_object(self.value), getattr(self.value, "_fn_kwargs", None))
        return _itself, (self.value,)


def _remade(config: dict[str, Any], arguments: dict[str, Any] | None) -> Any:
    from keras.saving import deserialize_keras_object

    made = deserialize_keras_object(config)
    if arguments is not None:
        made._fn_kwargs = arguments
    return made


def _itself(value: Any) -> Any:
    return value


def yaml(sections: dict[str, Any]) -> str:
    """An experiment file: a line a key, one more for what a mapping holds; the values as JSON, which is YAML."""
    lines = []
    for key, value in sections.items():
        if isinstance(value, dict) and value:
            lines.append(f"{key}:")
            lines += [f"  {_key(name)}: {_json(inner)}" for name, inner in value.items()]
        else:
            lines.append(f"{key}: {_json(value)}")
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if name.isidentifier() else _json(name)


def _json(value: Any) -> str:
    # JSON's keys are texts, those of class weights numbers.
    if isinstance(value, dict):
        inner = (f"{key if isinstance(key, int) else _json(str(key))}: {_json(v)}" for key, v in value.items())
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_json(element) for element in value) + "]"
    return json.dumps(value, ensure_ascii=False)
