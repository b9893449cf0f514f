"""Lives of a control process: started, listened to, and what it has reported kept for the judgement."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections import Counter
from pathlib import Path

from torture.place import Place

FINISHED = re.compile(r"unit (\S+) finished, \d+ trials? ")


class Reports:
    """Which trials of a run were reported finished, and how many of their epochs had been trained by then."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self.epochs: dict[int, int] = {}

    def heard(self, line: str) -> None:
        """Takes a line that the control process printed."""
        if match := FINISHED.search(line):
            trained = Counter(trial for trial, _ in epoch_events(self.run))
            for trial in finished_trials(self.run, match[1]):
                self.epochs.setdefault(trial, trained[trial])


class Life:
    """A control process from its start to its end."""

    def __init__(
        self,
        place: Place,
        reports: Reports,
        arguments: list[str] | None = None,
        variables: dict[str, str] | None = None,
    ) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [place.tools.binary, *(arguments or place.arguments())],
            cwd=place.files,
            env=place.environment(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, args=(reports,), daemon=True)
        self._listener.start()

    def _listen(self, reports: Reports) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            reports.heard(line)

    def wait(self, seconds: float) -> int | None:
        """The status that the process ends with within some seconds, all that it said heard; None if it does not."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        # A grandchild that holds the pipe would be found as a survivor.
        self._listener.join(10)
        return status

    @property
    def text(self) -> str:
        """What the process said at its end."""
        return "\n".join(self.lines[-25:])


def _events(run: Path, unit: Path) -> list[dict]:
    events = []
    try:
        text = (unit / "events.ndjson").read_text(errors="replace")
    except OSError:
        return []
    for line in text.splitlines():
        try:
            events.append(json.loads(line)["what"])
        except (ValueError, KeyError, TypeError):
            continue
    return events


def _lanes(unit: Path) -> list[int]:
    try:
        return [lane["trial"] for lane in json.loads((unit / "unit.json").read_text())["lanes"]]
    except (OSError, ValueError, KeyError):
        return []


def units(run: Path) -> list[Path]:
    """The folders of a run's units."""
    return sorted(path for path in (run / "units").glob("*") if path.is_dir())


def epoch_events(run: Path) -> list[tuple[int, int]]:
    """Trial and epoch of every epoch that any unit says it has trained; what was trained twice is in it twice."""
    found = []
    for unit in units(run):
        lanes = _lanes(unit)
        for event in _events(run, unit):
            if isinstance(event, dict) and (epoch := event.get("epoch")):
                found += [(lanes[lane], epoch["epoch"]) for lane in epoch["lanes"] if lane < len(lanes)]
    return found


def finished_trials(run: Path, unit: str) -> list[int]:
    """The trials that are finished once a unit is: all of it, or those that callbacks ended before it was narrowed."""
    folder = run / "units" / unit
    lanes, events = _lanes(folder), _events(run, folder)
    if any("narrowed" in event for event in events):
        return [lanes[event["ended"]["lane"]] for event in events if "ended" in event]
    return lanes
