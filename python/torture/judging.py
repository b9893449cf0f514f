"""What a disturbed run is held to: every file and every figure of the undisturbed one."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from torture.lives import Reports, epoch_events
from torture.place import Place

VOLATILE = ("device", "seconds", "unit", "units", "train_seconds", "attempts", "started", "ended")
"""What of a result may differ: where and when it was trained, and in how many attempts."""


@dataclass
class Outcome:
    """What a finished run left."""

    files: dict[str, str]
    results: list[dict]
    summary: dict | None

    @staticmethod
    def of(place: Place) -> Outcome:
        """Reads what a run left."""
        answer = place.ask("results", str(place.run), "--json")
        if answer.returncode != 0:
            raise ValueError(f"results ended with status {answer.returncode}: {answer.stderr[-500:]}")
        results = [
            {key: value for key, value in result.items() if key not in VOLATILE} for result in json.loads(answer.stdout)
        ]
        summary = place.run / "summary.json"
        return Outcome(
            files(place.run),
            results,
            json.loads(summary.read_text()) if summary.exists() else None,
        )


def files(run: Path) -> dict[str, str]:
    """The digests of what a user takes from a run: the weights in models, and CSV files."""
    found = {}
    for folder in ("models", "csv"):
        for path in sorted((run / folder).rglob("*")):
            # What a process was writing when it ended is hidden, and no result.
            if path.is_file() and not (path.name.startswith(".") and path.name.endswith(".tmp")):
                found[str(path.relative_to(run))] = _digest(path)
    return found


def _digest(path: Path) -> str:
    if path.suffix != ".keras":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    # Keras writes the time and the numbers of Python's objects into the rest, when it describes a model again.
    try:
        with zipfile.ZipFile(path) as archive:
            return hashlib.sha256(archive.read("model.weights.h5")).hexdigest()
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        return f"unreadable: {error}"


def problems(place: Place, undisturbed: Outcome, reports: Reports) -> list[str]:
    """Everything that is not as in the undisturbed run."""
    try:
        outcome = Outcome.of(place)
    except ValueError as error:
        return [str(error)]
    found = []
    for name in sorted(undisturbed.files.keys() | outcome.files.keys()):
        mine, theirs = outcome.files.get(name), undisturbed.files.get(name)
        if mine != theirs:
            found.append(f"{name} {'is missing' if mine is None else 'is too many' if theirs is None else 'differs'}")
    if len(outcome.results) != len(undisturbed.results):
        found.append(f"there are {len(outcome.results)} trials, not {len(undisturbed.results)}")
    for mine, theirs in zip(outcome.results, undisturbed.results, strict=False):
        for key in sorted(mine.keys() | theirs.keys()):
            if mine.get(key) != theirs.get(key):
                found.append(
                    f"trial {theirs['trial']}: {key} is {_short(mine.get(key))}, not {_short(theirs.get(key))}"
                )
    if outcome.summary != undisturbed.summary:
        found.append(f"the summary is {_short(outcome.summary)}, not {_short(undisturbed.summary)}")
    trained = Counter(trial for trial, _ in epoch_events(place.run))
    for trial, epochs in reports.epochs.items():
        if trained[trial] > epochs:
            found.append(
                f"trial {trial} was trained again after it was reported finished: {trained[trial]} epochs, not {epochs}"
            )
    return found


def repeated_epochs(run: Path) -> tuple[int, int]:
    """How many epochs of trials were trained in all, and how many of them again."""
    events = epoch_events(run)
    return len(events), len(events) - len(set(events))


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 120 else f"{text[:60]}…{text[-50:]}"
