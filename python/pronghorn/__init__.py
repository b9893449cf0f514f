"""Pronghorn trains many Keras models at once: Keras describes a model, XLA compiles it and Swift trains it.

>>> import pronghorn
>>> run = pronghorn.fit([model_a, model_b], x, y, epochs=10)  # compiled Keras models
>>> run.models[0].predict(x_new)

See docs/Python.md. The other modules of this package are the Python side of the tool itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pronghorn.scripting import InvalidRequest as InvalidRequest
    from pronghorn.scripting import Partition as Partition
    from pronghorn.scripting import PronghornError as PronghornError
    from pronghorn.scripting import Run as Run
    from pronghorn.scripting import Trial as Trial
    from pronghorn.scripting import TrialsFailed as TrialsFailed
    from pronghorn.scripting import bootstrap as bootstrap
    from pronghorn.scripting import by as by
    from pronghorn.scripting import count as count
    from pronghorn.scripting import fit as fit
    from pronghorn.scripting import folds as folds
    from pronghorn.scripting import log_uniform as log_uniform
    from pronghorn.scripting import open as open
    from pronghorn.scripting import stream as stream
    from pronghorn.scripting import submit as submit
    from pronghorn.scripting import uniform as uniform

__version__ = "0.1.0"

__all__ = [
    "InvalidRequest",
    "Partition",
    "PronghornError",
    "Run",
    "Trial",
    "TrialsFailed",
    "bootstrap",
    "by",
    "count",
    "fit",
    "folds",
    "log_uniform",
    "open",
    "stream",
    "submit",
    "uniform",
]


def __getattr__(name: str):
    # The processes that Pronghorn starts import this package too, and need nothing of what follows.
    if name in __all__:
        from pronghorn import scripting

        return getattr(scripting, name)
    raise AttributeError(f"module 'pronghorn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
