"""The processes of a run: found by a mark in their environment, told apart by what they are, killed one by one."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Process:
    """A process of a run."""

    number: int
    kind: str
    """control, runner, shell, or python (with what it does)."""
    work: str = ""

    @property
    def trains(self) -> bool:
        """Whether it is one that trains."""
        return self.kind == "runner" or self.work == "fit_runner"

    def kill(self) -> bool:
        """Ends the process by SIGKILL; whether it was still there."""
        try:
            os.kill(self.number, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True


def marked(mark: str) -> list[Process]:
    """The processes that have a text in their environment, zombies left out."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if mark.encode() not in file.read():
                    continue
            with open(f"/proc/{name}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace").split("\0")
        except OSError:
            continue
        found.append(_process(int(name), words))
    return found


def _process(number: int, words: list[str]) -> Process:
    program = os.path.basename(words[0])
    if program == "pronghorn":
        return Process(number, "runner" if words[1:2] == ["runner"] else "control")
    for word in words:
        if word.startswith("pronghorn.") or "/pronghorn/" in word:
            return Process(number, "python", os.path.basename(word).removeprefix("pronghorn.").removesuffix(".py"))
    return Process(number, "shell" if program in ("sh", "dash", "bash") else "python", program)


def survivors(mark: str, seconds: float) -> tuple[float, list[Process], list[Process]]:
    """Waits until no process has the mark.

    Returns how long that took, those that were there last, and those that were there still after so many seconds.
    """
    began = time.monotonic()
    last: list[Process] = []
    while True:
        left = marked(mark)
        passed = time.monotonic() - began
        if not left or passed > seconds:
            return passed, last, left
        last = left
        time.sleep(0.02)
