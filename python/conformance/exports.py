"""What Keras exports, and which of it no case is of."""

from __future__ import annotations

import inspect

import keras

from conformance.case import Case

MODULES = (
    "layers",
    "optimizers",
    "optimizers.schedules",
    "losses",
    "metrics",
    "initializers",
    "regularizers",
    "constraints",
    "activations",
)
FUNCTIONS = ("activations",)
"""Modules whose public functions are things to train with, and not shorter names of their classes."""

EXCLUDED = {
    "layers.InputSpec": "describes what a layer takes, and is no layer",
    "layers.FlaxLayer": "wraps modules of Flax, which is another package's",
    "layers.TorchModuleWrapper": "wraps modules of Torch, and works under the Torch backend alone",
    "optimizers.Optimizer": "the base class of optimizers",
    "optimizers.schedules.LearningRateSchedule": "the base class of schedules, of which `Halving` is one",
    "optimizers.OptimizerMap": "an argument of MultiOptimizer, in whose cases it is",
    "activations.deserialize": "reads a configuration",
    "activations.get": "finds an activation by its name",
    "activations.serialize": "writes a configuration",
}


def exported() -> dict[str, list[str]]:
    """The public names that stand for something to train with, and the further names of the same object."""
    found: dict[str, list[str]] = {}
    for path in MODULES:
        module = keras
        for part in path.split("."):
            module = getattr(module, part)
        by_object: dict[int, list[str]] = {}
        for name in sorted(n for n in dir(module) if not n.startswith("_")):
            value = getattr(module, name)
            if inspect.isclass(value) or (path in FUNCTIONS and callable(value)):
                by_object.setdefault(id(value), []).append(f"{path}.{name}")
        for names in by_object.values():
            found[names[0]] = names[1:]
    return found


def missing(cases: list[Case]) -> list[str]:
    """What is wrong with the list of cases: exports without enough of them, and names that Keras does not export."""
    exports = exported()
    first = {name: main for main, others in exports.items() for name in (main, *others)}
    count = dict.fromkeys(exports, 0)
    wrong = []
    for case in cases:
        for name in case.covers:
            if name not in first:
                wrong.append(f"{case.name} is a case of {name}, which Keras does not export")
            else:
                count[first[name]] += 1
    for name, cases_of_it in count.items():
        others = exports[name]
        excluded = any(n in EXCLUDED for n in (name, *others))
        if excluded and cases_of_it:
            wrong.append(f"{name} is excluded and has a case")
        elif not excluded and cases_of_it < (2 if name.startswith("layers.") else 1):
            wrong.append(f"{name} has {cases_of_it} cases")
    return wrong
