"""Pairs `(x, y)` that are still being made: a trial each, in files for which the run waits while it trains others."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pronghorn.scripting import arrays, data
from pronghorn.scripting.errors import InvalidRequest
from pronghorn.scripting.process import TrainingProcess

# In a run's inputs: the folder of the pairs, and the file in it that says that no more come.
FOLDER = "pairs"
END = "no-more-come"


@dataclass(frozen=True, eq=False)
class Stream:
    """Pairs that are made while others train; see `stream`."""

    pairs: Iterable[tuple]
    ahead: int


def stream(pairs: Iterable[tuple], *, ahead: int = 64) -> Stream:
    """Has `fit` and `submit` train one trial (or one for each combination of `trials`) on each pair of an iterable.

    Training begins with the first pair and ends with the last. The iterable is read by a thread of its own, one pair in
    memory at a time, and waits while there are many that have not been trained.

    Args:
        pairs: Gives `(x, y)` or `(x, y, sample_weight)`, each as for `fit`: with the same arrays, types and shapes of a
            row, and any number of rows.
        ahead: How many pairs there may be that are not trained yet. As many may train side by side.
    """
    if ahead < 1:
        raise InvalidRequest(f"ahead is {ahead}: at least one pair is made before it is trained")
    return Stream(pairs, int(ahead))


class Producer:
    """Writes the pairs of a stream into files of a run's inputs."""

    def __init__(self, given: Stream, inputs: Path, input_names: Sequence[str], trials: int):
        """
        Args:
            given: The stream; its first pair is read at once.
            inputs: The folder of the run's inputs.
            input_names: The names of the model's inputs.
            trials: How many trials each pair is for.
        """
        self.error: BaseException | None = None
        self._ahead = given.ahead
        self._folder = inputs / FOLDER
        self._names = input_names
        self._trials = max(1, trials)
        self._pairs: Iterator[Any] = iter(given.pairs)
        self._number = 0
        first = next(self._pairs, None)
        if first is None:
            raise InvalidRequest("the stream of pairs is empty")
        self._pairs = itertools.chain([first], self._pairs)
        self.first = self._rows(first)

    @property
    def section(self) -> dict[str, Any]:
        """What stands under `data`: the files of each array."""
        section: dict[str, Any] = {}
        for role in ("x", "y"):
            names = list(getattr(self.first, role))
            found = {name: f"{FOLDER}/{_stem(role, number)}-*.npy" for number, name in enumerate(names)}
            if found:
                section[role] = found[role] if names == [role] else found
        if self.first.sample_weight is not None:
            section["sample_weight"] = f"{FOLDER}/{_stem('sample_weight', 0)}-*.npy"
        return section

    @property
    def partition(self) -> dict[str, Any]:
        """What stands under `partition`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return {"by": "file", "watch": {"until": f"{FOLDER}/{END}"}}

    def start(self, process: TrainingProcess) -> None:
        """Begins to write; ends with the pairs, or with the process."""
        threading.Thread(target=self._produce, args=[process], daemon=True).start()

    def _produce(self, process: TrainingProcess) -> None:
        try:
            for pair in self._pairs:
                rows = self._rows(pair)
                if self._number:
                    self._agree(rows)
                if process.is_over:
                    break
                self._write(rows)
                self._number += 1
                del pair, rows
                with process.changed:
                    process.changed.wait_for(lambda: process.is_over or self._untrained(process) < self._ahead)
                if process.is_over:
                    break
        except BaseException as error:
            self.error = error
        finally:
            end(self._folder.parent)

    def _untrained(self, process: TrainingProcess) -> int:
        return self._number - process.progress.ended // self._trials

    def _rows(self, pair: Any) -> data.Rows:
        what = f"pair {self._number}: "
        if not isinstance(pair, (tuple, list)) or len(pair) not in (1, 2, 3):
            raise InvalidRequest(f"{what}a stream gives (x, y) or (x, y, sample_weight), found {type(pair).__name__}")
        found = data.rows(*pair, input_names=self._names, what=what)
        for name, array in _arrays(found):
            if not len(array):
                raise InvalidRequest(f"{what}{name} has no rows")
            if array.dtype.kind == "f" and np.isnan(array).any():
                raise InvalidRequest(f"{what}{name} holds NaN: remove or replace missing values")
        return found

    def _agree(self, rows: data.Rows) -> None:
        def kinds(rows: data.Rows) -> list[Any]:
            return [(name, arrays.cast(array[:0]).dtype.name, array.shape[1:]) for name, array in _arrays(rows)]

        if kinds(rows) != kinds(self.first):
            raise InvalidRequest(f"pair {self._number} is of {kinds(rows)}, and the first of {kinds(self.first)}")

    def _write(self, rows: data.Rows) -> None:
        """Files get their names when they are whole."""
        parts = {"x": rows.x, "y": rows.y}
        if rows.sample_weight is not None:
            parts["sample_weight"] = {"sample_weight": rows.sample_weight}
        for role, found in parts.items():
            for number, array in enumerate(found.values()):
                place = self._folder / f"{_stem(role, number)}-{self._number:08}.npy"
                made = place.with_name(f".{place.name}.{os.getpid()}")
                with open(made, "wb") as file:
                    np.save(file, arrays.cast(array), allow_pickle=False)
                os.replace(made, place)


def end(inputs: Path) -> None:
    """Says that no more pairs come, in the inputs of a run that trains on a stream."""
    if (inputs / FOLDER).is_dir():
        (inputs / FOLDER / END).touch()


def _stem(role: str, number: int) -> str:
    return f"{role}-{number}"


def _arrays(rows: data.Rows) -> list[tuple[str, np.ndarray]]:
    found = [(f"x[{name!r}]", array) for name, array in rows.x.items()]
    found += [(f"y[{name!r}]", array) for name, array in rows.y.items()]
    if rows.sample_weight is not None:
        found.append(("sample_weight", rows.sample_weight))
    return found
