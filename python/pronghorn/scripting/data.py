"""What models are trained on: arrays, tables, datasets, or a pair for each model, as named arrays of rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pronghorn.scripting import arrays
from pronghorn.scripting.errors import InvalidRequest


@dataclass
class Rows:
    """The arrays of one set of rows.

    Attributes:
        x: Inputs by name; one called "x" is passed to Keras bare.
        y: Targets by name, "y" if there is one; empty for a model that needs none.
        sample_weight: A weight a row, shape (rows,).
        columns: Columns of the table that rows came from and that are no inputs, by name.
        batch_size: The size of the batches that a dataset gave.
    """

    x: dict[str, np.ndarray]
    y: dict[str, np.ndarray] = field(default_factory=dict)
    sample_weight: np.ndarray | None = None
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    batch_size: int | None = None
    is_dataset: bool = False


def pairs(x: Any, y: Any) -> list[tuple] | None:
    """The (x, y) pairs of a list with one for each model, or None for what is no such list."""
    if y is None and isinstance(x, list) and x and all(isinstance(pair, tuple) and len(pair) in (2, 3) for pair in x):
        return x
    return None


def rows(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    columns: Sequence[str] = (),
    input_names: Sequence[str] = (),
    what: str = "",
) -> Rows:
    """The rows of one set of data.

    Args:
        x: An array, shape (rows, ...); a list or a dictionary of them for several inputs; a table of pandas, polars or
            PyArrow, whose columns are one input, shape (rows, columns); or a `tf.data.Dataset`,
            `keras.utils.PyDataset`, Torch `DataLoader` or iterable of batches, which is drained once.
        y: Targets, shape (rows, ...), a dictionary of them, or the name of a column of the table.
        sample_weight: Shape (rows,), or the name of a column of the table.
        columns: Columns of the table that are no inputs, because rows are divided by them.
        input_names: The names of the model's inputs, for a list of arrays.
        what: What the data is called in errors, with a space behind it.
    """
    if _is_dataset(x):
        if y is not None or sample_weight is not None:
            raise InvalidRequest(f"{what}x is a dataset, which brings its targets and weights itself: leave out y")
        return _drained(x, input_names, what)
    if _is_table(x):
        return _of_table(_Table(x), y, sample_weight, columns, what)
    weight = None if sample_weight is None else arrays.numbers(sample_weight, f"{what}sample_weight")
    return _checked(Rows(_inputs(x, input_names, what), _targets(y, what), weight), what)


def _checked(found: Rows, what: str) -> Rows:
    counts = {name: len(array) for name, array in [*found.x.items(), *found.y.items()]}
    if found.sample_weight is not None:
        counts["sample_weight"] = len(found.sample_weight)
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} has {number}" for name, number in counts.items())
        raise InvalidRequest(f"{what}the numbers of rows differ: {listed}")
    return found


def _inputs(x: Any, names: Sequence[str], what: str) -> dict[str, np.ndarray]:
    if isinstance(x, Mapping):
        return {str(name): arrays.numbers(value, f"{what}x[{name!r}]") for name, value in x.items()}
    if isinstance(x, (list, tuple)) and x and all(hasattr(part, "shape") and len(part.shape) > 0 for part in x):
        if len(x) == 1:
            return {"x": arrays.numbers(x[0], f"{what}x")}
        if len(names) != len(x):
            raise InvalidRequest(
                f"{what}x is a list of {len(x)} arrays, and the model's inputs are {', '.join(names) or 'not known'}: "
                "give a dictionary of arrays by the names of the inputs"
            )
        return {name: arrays.numbers(part, f"{what}x[{name!r}]") for name, part in zip(names, x, strict=True)}
    return {"x": arrays.numbers(x, f"{what}x")}


def _targets(y: Any, what: str) -> dict[str, np.ndarray]:
    if y is None:
        return {}
    if isinstance(y, Mapping):
        return {str(name): arrays.numbers(value, f"{what}y[{name!r}]") for name, value in y.items()}
    if _is_table(y):
        return {"y": _Table(y).matrix(_Table(y).names, f"{what}y")}
    return {"y": arrays.numbers(y, f"{what}y")}


# Tables.


def _is_table(value: Any) -> bool:
    package = type(value).__module__.split(".")[0]
    return (package, type(value).__name__) in {
        ("pandas", "DataFrame"),
        ("polars", "DataFrame"),
        ("polars", "LazyFrame"),
        ("pyarrow", "Table"),
        ("pyarrow", "RecordBatch"),
    }


class _Table:
    """A table of pandas, polars or PyArrow."""

    def __init__(self, table: Any):
        if type(table).__name__ == "LazyFrame":
            table = table.collect()
        self.table = table
        found = table.column_names if hasattr(table, "column_names") else table.columns
        self.names = [str(name) for name in found]
        self._positions = dict(zip(self.names, found, strict=True))

    def column(self, name: str, what: str) -> Any:
        if name not in self._positions:
            raise InvalidRequest(f"{what}: the table has no column {name!r}; it has {', '.join(self.names)}")
        column = self.table[self._positions[name]]
        # PyArrow's dictionaries and pandas's categories are what they stand for.
        return column.to_numpy(zero_copy_only=False) if hasattr(column, "combine_chunks") else column

    def matrix(self, names: Sequence[str], what: str) -> np.ndarray:
        """Columns side by side, shape (rows, columns), in the type that holds them all."""
        if not names:
            raise InvalidRequest(f"{what}: the table has no columns left that are inputs")
        parts = [arrays.numbers(self.column(name, what), f"{what}, column {name!r},") for name in names]
        return np.stack(parts, axis=1)


def _of_table(table: _Table, y: Any, weight: Any, columns: Sequence[str], what: str) -> Rows:
    taken = [name for name in (y, weight, *columns) if isinstance(name, str)]
    found = Rows({"x": table.matrix([name for name in table.names if name not in taken], f"{what}x")})
    found.y = (
        {"y": arrays.numbers(table.column(y, f"{what}y"), f"{what}y")} if isinstance(y, str) else _targets(y, what)
    )
    if isinstance(weight, str):
        weight = table.column(weight, f"{what}sample_weight")
    if weight is not None:
        found.sample_weight = arrays.numbers(weight, f"{what}sample_weight")
    found.columns = {name: arrays.keys(table.column(name, "partition"), f"column {name!r}") for name in columns}
    return _checked(found, what)


# Datasets: batches, once over.


def _is_dataset(value: Any) -> bool:
    if isinstance(value, (np.ndarray, Mapping, list, tuple, str)) or hasattr(value, "shape") or _is_table(value):
        return False
    return hasattr(value, "__iter__") or (hasattr(value, "__getitem__") and hasattr(value, "__len__"))


def _batches(dataset: Any, what: str) -> Iterator[Any]:
    cardinality = getattr(dataset, "cardinality", None)
    if callable(cardinality) and int(cardinality()) == -1:
        raise InvalidRequest(f"{what}the dataset repeats without end: leave out repeat()")
    # A PyDataset has an order by number; iterating it is not part of its interface.
    if hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__") and hasattr(dataset, "on_epoch_end"):
        number = getattr(dataset, "num_batches", None)
        number = len(dataset) if number is None else number
        if number is None:
            raise InvalidRequest(f"{what}the dataset repeats without end: give it a length")
        return (dataset[index] for index in range(number))
    return iter(dataset)


def _drained(dataset: Any, names: Sequence[str], what: str) -> Rows:
    parts: list[Rows] = []
    for batch in _batches(dataset, what):
        elements = batch if isinstance(batch, (tuple, list)) else (batch,)
        if len(elements) not in (1, 2, 3):
            raise InvalidRequest(f"{what}a batch of the dataset has {len(elements)} parts: (x, y) or (x, y, weights)")
        x, y, weight = [*elements, None, None][:3]
        parts.append(rows(x, y, weight, input_names=names, what=f"{what}a batch of the dataset: "))
    if not parts:
        raise InvalidRequest(f"{what}the dataset is empty")
    sizes = [len(next(iter(part.x.values()))) for part in parts]
    even = all(size == sizes[0] for size in sizes[:-1]) and sizes[-1] <= sizes[0]
    weights = [part.sample_weight for part in parts if part.sample_weight is not None]
    return Rows(
        {name: np.concatenate([part.x[name] for part in parts]) for name in parts[0].x},
        {name: np.concatenate([part.y[name] for part in parts]) for name in parts[0].y},
        np.concatenate(weights) if len(weights) == len(parts) else None,
        batch_size=sizes[0] if even else None,
        is_dataset=True,
    )
