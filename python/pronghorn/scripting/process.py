"""The `pronghorn` program: where it is, and its processes, which say events as lines of JSON (docs/Contracts.md)."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pronghorn.scripting.errors import InvalidRequest, PronghornError, RemoteTraceback

# What `fit` writes into a run's folder.
INPUTS_FOLDER = "inputs"


def binary() -> str:
    """The program: that of PRONGHORN_BINARY, else the one installed with this package, of a checkout, or in PATH."""
    named = os.environ.get("PRONGHORN_BINARY")
    if named:
        if not os.access(named, os.X_OK):
            raise PronghornError(f"PRONGHORN_BINARY is {named}, which is no program")
        return os.path.abspath(named)
    root = Path(__file__).resolve().parents[2]
    places = [
        root / "bin" / "pronghorn",
        Path(sysconfig.get_path("scripts")) / "pronghorn",
        root.parent / ".build" / "release" / "pronghorn",
        root.parent / ".build" / "debug" / "pronghorn",
    ]
    for place in places:
        if os.access(place, os.X_OK):
            return str(place)
    found = shutil.which("pronghorn")
    if found is None:
        raise PronghornError("the program pronghorn was not found: install it, or name it in PRONGHORN_BINARY")
    return found


def environment() -> dict[str, str]:
    """The variables of a process: models are described by this very interpreter where it can."""
    variables = dict(os.environ)
    if not variables.get("PRONGHORN_PYTHON") and _describes_models():
        variables["PRONGHORN_PYTHON"] = sys.executable
    return variables


@functools.cache
def _describes_models() -> bool:
    """Whether this interpreter has the packages, no older than those that Pronghorn was made for."""
    for name, oldest in (("keras", (3, 15)), ("jax", (0, 10))):
        if importlib.util.find_spec(name) is None:
            return False
        numbers = re.findall(r"\d+", importlib.metadata.version(name))[:2]
        if tuple(int(number) for number in numbers) < oldest:
            return False
    return bool(sys.executable)


def plain_message(text: str) -> str:
    """A message without the place in an experiment file that `fit` has written, which its caller has never seen."""
    return re.sub(rf"^\S*/{INPUTS_FOLDER}/experiment\.yaml:\d+:\d+: ", "", text)


def located(text: str, source: str | None) -> str:
    """A text with the file of the caller's code in the place of the name that cloudpickle has for it."""
    return text if source is None else re.sub(r"[^\s\"(]*<dynamic-code>", lambda _: source, text)


def argument_named(key: str, message: str) -> str:
    """A message with the argument of `fit` that it is about, told from the key of the experiment file.

    What is wrong with models and data says so itself: their keys stand for files that the caller has never seen.
    """
    name = key.removeprefix("fit.")
    if not name or re.match(r"(model|data|custom_objects)\b", name):
        return message
    return f"{name}: {message}"


def ask(arguments: Sequence[str]) -> str:
    """What the program prints, once it has ended well."""
    done = subprocess.run([binary(), *arguments], capture_output=True, text=True, env=environment(), check=False)
    if done.returncode:
        message = done.stderr.strip().removeprefix("error: ") or f"pronghorn ended with status {done.returncode}"
        raise (InvalidRequest if done.returncode == 2 else PronghornError)(message)
    return done.stdout


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        state: "preparing", "training", or how it ended: "finished", "interrupted" or "failed".
        doing: What is being done while it is prepared.
        trials: How many trials there are; 0 until that is known.
        ended: How many have ended, the failed ones among them.
        failed: How many have failed.
        epochs_done: Epochs trained, of all trials together; one that has ended counts with all of its epochs.
        epochs: Epochs to train, of all trials together.
        metrics: The mean of each metric over what trains, of the epochs that ended last.
        epochs_before: Those of `epochs_done` that had been trained when this process began to listen.
    """

    state: str = "preparing"
    doing: str = ""
    trials: int = 0
    ended: int = 0
    failed: int = 0
    epochs_done: int = 0
    epochs: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    epochs_before: int = 0


class TrainingProcess:
    """A `pronghorn train` or `resume`, listened to by a thread of its own."""

    def __init__(self, arguments: Sequence[str], ended: Callable[[], None], source: str | None = None):
        """
        Args:
            arguments: The verb and its arguments.
            ended: Called when the process has ended, before those who wait are told.
            source: The file of the caller's code, whose name cloudpickle leaves out.
        """
        self._source = source
        self.progress = Progress()
        self.notes: list[str] = []
        self.failures: list[str] = []
        self.summary: dict[str, Any] | None = None
        self.error: PronghornError | None = None
        self.changed = threading.Condition()
        self.is_over = False
        self._ended = ended
        self._errors: deque[str] = deque(maxlen=40)
        self._process = subprocess.Popen(
            [binary(), *arguments, "--events"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=environment(),
            # Ctrl-C is for this process, which says what is to become of the run.
            start_new_session=True,
        )
        threading.Thread(target=self._collect_errors, daemon=True).start()
        threading.Thread(target=self._listen, daemon=True).start()

    def stop(self) -> None:
        """Asks the run to end after the epoch at hand, with a checkpoint."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write("stop\n")
            self._process.stdin.flush()

    def kill(self) -> None:
        """Ends the process at once; its runners end with it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the process has ended and all it said is known; whether that is so."""
        with self.changed:
            return self.changed.wait_for(lambda: self.is_over, timeout)

    def _collect_errors(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(ValueError):
            for line in self._process.stderr:
                self._errors.append(line.rstrip("\n"))

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):
                self._hear(json.loads(line))
        status = self._process.wait()
        if self.summary is None and self.error is None:
            said = "\n".join(self._errors).strip()
            how = f"signal {-status}" if status < 0 else f"status {status}"
            self.error = PronghornError(said.removeprefix("error: ") or f"pronghorn ended with {how} and said nothing")
        try:
            self._ended()
        finally:
            with self.changed:
                self.progress = replace(self.progress, state=self._state())
                self.is_over = True
                self.changed.notify_all()

    def _state(self) -> str:
        if self.summary is None:
            return "failed"
        left = self.summary["trials"] - sum(self.summary.get(end, 0) for end in ("finished", "diverged", "failed"))
        return "interrupted" if left > 0 else "finished"

    def _located(self, text: str) -> str:
        return located(text, self._source)

    def _hear(self, event: dict[str, Any]) -> None:
        kind = event.get("event")
        progress = self.progress
        if kind == "preparing":
            progress = replace(progress, doing=event["message"])
        elif kind == "note":
            self.notes.append(event["message"])
        elif kind == "planned":
            progress = replace(progress, state="training", doing="", trials=event["trials"])
        elif kind == "failed":
            self.failures.append(event["message"])
        elif kind == "progress":
            told = dict(event["progress"])
            metrics = {name: float(value) for name, value in told.pop("metrics").items()}
            # Training begins while other models are still being prepared.
            state = "training" if metrics or progress.state == "training" else progress.state
            before = progress.epochs_before if progress.epochs else told["epochs_done"]
            progress = replace(progress, **told, metrics=metrics or progress.metrics, state=state, epochs_before=before)
        elif kind == "summary":
            self.summary = event["summary"]
        elif kind == "error":
            kinds: dict[str, type[PronghornError]] = {"request": InvalidRequest}
            message = argument_named(event.get("key") or "", event["message"])
            self.error = kinds.get(event["kind"], PronghornError)(self._located(message))
            if event.get("detail"):
                self.error.__cause__ = RemoteTraceback(self._located(event["detail"]))
        with self.changed:
            self.progress = progress
            self.changed.notify_all()
