"""What `pronghorn.fit` raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pronghorn.scripting.run import Run


class PronghornError(Exception):
    """A run could not be begun or carried out."""


class InvalidRequest(PronghornError, ValueError):
    """What was asked for cannot be done: a model, data or a setting is wrong.

    Where the caller's own Python raised in another process, `__cause__` holds its traceback as text.
    """


class TrialsFailed(PronghornError):
    """Every trial failed. `run` is the run, and `run.failures` says what became of each trial."""

    def __init__(self, message: str, run: Run):
        super().__init__(message)
        self.run = run


class RemoteTraceback(Exception):
    """The traceback of an exception in another process, as the cause of the one that is raised here."""

    def __init__(self, text: str):
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{self.text}"
