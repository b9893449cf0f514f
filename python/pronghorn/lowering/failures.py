"""Why a request failed, in the words of the contract, and where in the user's own file."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Callable, Iterator


class LoweringFailure(Exception):
    """A request that failed for a reason with a code; `message` says what happened, to what, and what to do."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        detail: str | None = None,
        splits: str | None = None,
        needs: str | None = None,
        key: str | None = None,
        accepted: list[str] | None = None,
    ):
        super().__init__(message)
        self.code = code
        self.message = message
        self.file = file
        self.line = line
        self.detail = detail
        self.splits = splits
        self.needs = needs
        self.key = key
        self.accepted = accepted

    def event(self) -> dict:
        """The fields of the `failed` event, those that are known."""
        fields = {"event": "failed", "code": self.code, "message": self.message}
        for name in ("file", "line", "detail", "splits", "needs", "key", "accepted"):
            value = getattr(self, name)
            if value is not None:
                fields[name] = value
        return fields


def failure_from(
    error: BaseException, code: str, belongs_to_user: Callable[[str], bool], message: str | None = None
) -> LoweringFailure:
    """Wraps an error of the user's code (or of Keras under it), pointing at the innermost line the user wrote."""
    if isinstance(error, LoweringFailure):
        return error
    file, line = None, None
    if isinstance(error, SyntaxError) and error.filename and belongs_to_user(error.filename):
        file, line = error.filename, error.lineno
    else:
        for frame in traceback.extract_tb(error.__traceback__):
            if belongs_to_user(frame.filename):
                file, line = frame.filename, frame.lineno
    # Keras wraps what a layer raised in a page of its own; the error underneath says what is wanting.
    elsewhere = list(_pointing_elsewhere(error))
    return LoweringFailure(
        code,
        message or describe_error(elsewhere[-1][1] if elsewhere else error),
        file=os.path.realpath(file) if file else None,
        line=line,
        detail="".join(traceback.format_exception(error)),
        needs=elsewhere[0][0] if elsewhere else None,
    )


def needed_backend(error: BaseException) -> str | None:
    """The backend of Keras, `tensorflow` or `torch`, that would have spared this error; None if JAX is no hindrance."""
    return next((backend for backend, _ in _pointing_elsewhere(error)), None)


def _pointing_elsewhere(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    """The errors, an error and what led to it, that say that a model is for another backend, and for which.

    An error tells by itself (a module that is not there, Keras's own words of a layer that is for another backend), or
    by where it was raised: in TensorFlow's or Torch's own code, which was handed what JAX traces with.
    """
    seen: BaseException | None = error
    while seen is not None:
        for backend in ("tensorflow", "torch"):
            missing = isinstance(seen, ImportError) and (seen.name or "").split(".")[0] == backend
            told = re.search(rf"(requires|only).{{0,60}}\b{backend}\b", str(seen), re.IGNORECASE)
            frames = traceback.extract_tb(seen.__traceback__)
            if missing or told or any(f"/site-packages/{backend}/" in frame.filename for frame in frames):
                yield backend, seen
        seen = seen.__cause__ or seen.__context__


def describe_error(error: BaseException) -> str:
    """An error as Python's last line of a traceback shows it: its type and its text."""
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
