"""What every preparation of data leaves, and how it answers: a folder of `.npy` files, and `data.json` written last.

    {"arrays": [{"name": "x", "role": "x", "file": "x.npy", "shape": [1797, 64], "dtype": "float32", "bytes": 460160}],
     "sources": [{"path": "/abs/digits.py", "sha256": "...", "stamp": {"size": 1, "modified": 2, ...}}]}

`sources` are the user's files that the arrays were made from: while they are the same, the arrays still hold. The
arrays are on the disk before the list is: after a loss of power they are whole where it is there. `bytes` is the size
of the file, which is checked whenever the arrays are used; a digest would have gigabytes read each time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from pronghorn import durable, lifeline
from pronghorn.lowering.failures import LoweringFailure, describe_error


def stamp(path: str | os.PathLike) -> dict:
    """What tells, without reading it again, whether a file is still the one that was read."""
    status = os.stat(path)
    return {
        "size": status.st_size,
        "modified": status.st_mtime_ns,
        "changed": status.st_ctime_ns,
        "inode": status.st_ino,
    }


def source(path: str | os.PathLike, stamped: dict) -> dict:
    """The entry of a file that was read, with the stamp that it had before."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": os.fspath(path), "sha256": digest, "stamp": stamped}


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside a file, which takes the file's place once it is written whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_list(folder: Path, contents: dict) -> None:
    """Brings the arrays to the disk, then writes `data.json`, which says that the folder is whole."""
    arrays = []
    for entry in contents["arrays"]:
        path = folder / entry["file"]
        durable.synchronize(path)
        arrays.append({**entry, "bytes": path.stat().st_size})
    with replacing(folder / "data.json") as temporary:
        temporary.write_text(json.dumps({**contents, "arrays": arrays}, indent=1))
        durable.synchronize(temporary)
    durable.synchronize(folder)


def answering(prepare: Callable[[Callable[[str], None]], None]) -> int:
    """Runs a preparation and says on standard output, a line of JSON each, how far it is and how it ended.

    What the user's code prints, and what C libraries do, goes to standard error.
    """
    lifeline.watch()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    start = time.monotonic()

    def progress(message: str) -> None:
        answers.write(json.dumps({"event": "progress", "message": message}) + "\n")

    try:
        prepare(progress)
    except LoweringFailure as failure:
        answer = failure.event()
    except Exception as error:
        detail = "".join(traceback.format_exception(error))
        answer = LoweringFailure("internal", describe_error(error), detail=detail).event()
    else:
        answer = {"event": "done", "seconds": round(time.monotonic() - start, 3)}
    answers.write(json.dumps(answer) + "\n")
    return 0


class Reporter:
    """Says at most every two seconds how far something is."""

    def __init__(self, progress: Callable[[str], None]):
        self._progress = progress
        self._last = time.monotonic()

    def __call__(self, message: Callable[[], str]) -> None:
        now = time.monotonic()
        if now - self._last >= 2:
            self._last = now
            self._progress(message())
