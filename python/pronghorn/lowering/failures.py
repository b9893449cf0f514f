"""Why a request failed, in the words of the contract, and where in the user's own file."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable


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
    ):
        super().__init__(message)
        self.code = code
        self.message = message
        self.file = file
        self.line = line
        self.detail = detail
        self.splits = splits

    def event(self) -> dict:
        """The fields of the `failed` event, those that are known."""
        fields = {"event": "failed", "code": self.code, "message": self.message}
        for name in ("file", "line", "detail", "splits"):
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
    return LoweringFailure(
        code,
        message or describe_error(error),
        file=os.path.realpath(file) if file else None,
        line=line,
        detail="".join(traceback.format_exception(error)),
    )


def describe_error(error: BaseException) -> str:
    """An error as Python's last line of a traceback shows it: its type and its text."""
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
