"""How the rows are divided among trials, and how values are drawn: as docs/ExperimentFile.md says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Partition:
    """A division of the rows; made by `by`, `folds`, `count` and `bootstrap`.

    Attributes:
        scheme: What stands under `partition` in an experiment file, but for columns.
        columns: The keys of `scheme` that name a column, each with the column: its name in a table, or one value a
            row, shape (rows,).
    """

    scheme: dict[str, Any]
    columns: dict[str, Any]


def by(keys: Any) -> Partition:
    """One trial for each value of a column, on the rows that have it.

    Args:
        keys: One value a row, shape (rows,): whole numbers, texts, or what pandas calls categories; or the name of a
            column where `x` is a table, which is then no input of the model.
    """
    return Partition({}, {"by": keys})


def folds(number: int, *, stratify: Any = None) -> Partition:
    """One trial a fold, which trains on all folds but one and validates on that one.

    Args:
        number: How many folds.
        stratify: One value a row, shape (rows,), each spread evenly over the folds; "y" for the targets; or the name
            of a column where `x` is a table.
    """
    return Partition({"folds": int(number)}, {} if stratify is None else {"stratify": stratify})


def count(shares: int | str | Sequence[int]) -> Partition:
    """Contiguous shares of the rows, one trial each.

    Args:
        shares: How many, their sizes (which add up to the number of rows), or "devices" for as many as there are.
    """
    if isinstance(shares, str):
        return Partition({"count": shares}, {})
    return Partition({"count": [int(size) for size in shares] if isinstance(shares, Sequence) else int(shares)}, {})


def bootstrap(samples: int) -> Partition:
    """One trial a sample of as many rows, drawn with replacement; it validates on the rows that were not drawn."""
    return Partition({"bootstrap": int(samples)}, {})


def uniform(low: float, high: float) -> dict[str, list[float]]:
    """Numbers from `low` to `high`, for `trials={"random": N, ...}`."""
    return {"uniform": [float(low), float(high)]}


def log_uniform(low: float, high: float) -> dict[str, list[float]]:
    """Numbers above 0 whose logarithm is even between those of `low` and `high`, for `trials={"random": N, ...}`."""
    return {"log_uniform": [float(low), float(high)]}
