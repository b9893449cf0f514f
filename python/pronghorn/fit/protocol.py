"""What a runner is told and says: unit folders in, events out (`Sources/Units/RunnerEvent.swift`)."""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import sys
import threading
import time

from pronghorn import lifeline

STOP = "stop"


class Events:
    """Says events, a line of JSON each, on the runner's output and in the record of the unit that they are about."""

    def __init__(self, output: int):
        self._output = output
        self._lock = threading.Lock()
        self._number = 0
        self._unit: str | None = None
        self._record: int | None = None

    @contextlib.contextmanager
    def of(self, unit: str, folder: str):
        """Within this, events are about a unit and go to its `events.ndjson` too."""
        self._record = os.open(os.path.join(folder, "events.ndjson"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._unit = unit
        try:
            yield
        finally:
            os.close(self._record)
            self._unit = self._record = None

    def say(self, what: str, **fields) -> None:
        """Says that something happened; None stands for a field that is not there."""
        with self._lock:
            event = {"number": self._number, "time": time.time()}
            if self._unit is not None:
                event["unit"] = self._unit
            event["what"] = {what: {name: _plain(value) for name, value in fields.items() if value is not None}}
            self._number += 1
            line = json.dumps(event).encode() + b"\n"
            if self._record is not None:
                _write(self._record, line)
            # A reader that is gone is no error here: the watch on the input ends the process.
            with contextlib.suppress(OSError):
                _write(self._output, line)


@contextlib.contextmanager
def unit_log(folder: str):
    """Within this, what the process writes on standard error and output goes to the unit's own log.

    The descriptors themselves are moved, so that what libraries and child processes write comes there too.
    """
    own = os.dup(2)
    log = os.open(os.path.join(folder, "log.txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    _turn(log)
    os.close(log)
    try:
        yield
    finally:
        _turn(own)
        os.close(own)


def _turn(target: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os.dup2(target, 2)
    os.dup2(target, 1)


class Feed:
    """Unit folders that come on the runner's input, which a thread of its own reads.

    When the input ends while a unit is at work, whoever wanted the result is gone, and so is this process: at once,
    since the thread that trains may be deep inside a backend.
    """

    def __init__(self, source: int):
        self.shall_stop = False
        self._folders: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._pending = 0
        self._source = source
        threading.Thread(target=self._listen, daemon=True).start()

    def __iter__(self):
        while (folder := self._folders.get()) is not None:
            yield folder

    def done(self) -> None:
        """Says that the last folder has been worked on."""
        with self._lock:
            self._pending -= 1

    def _listen(self) -> None:
        with os.fdopen(self._source, "r", encoding="utf-8") as lines:
            for line in lines:
                line = line.rstrip("\n")
                if line == STOP:
                    self.shall_stop = True
                elif line:
                    with self._lock:
                        self._pending += 1
                    self._folders.put(line)
        with self._lock:
            if self._pending:
                lifeline.end()
        self._folders.put(None)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _plain(value):
    """Numbers that JSON lacks become the strings that the reader takes for them."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
