"""The rows of CSV and Parquet files, some columns of them, in batches."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow
import pyarrow.csv
import pyarrow.parquet

from pronghorn.lowering.failures import LoweringFailure

# Bytes of a CSV file, and rows of a Parquet file, that are held at a time.
BLOCK_BYTES = 8 << 20
BLOCK_ROWS = 65536


@dataclass
class Batch:
    """Rows of one file."""

    table: TableFile
    # The number in the file of the first row, from 0.
    first: int
    columns: dict[str, pyarrow.Array]
    rows: int


class TableFile:
    """One file of a table; `shown` is what the user calls it."""

    def __init__(self, path: Path, shown: str):
        self.path = path
        self.shown = shown

    def failure(self, message: str, row: int | None = None, column: str | None = None) -> LoweringFailure:
        """An error about a row, counted from 0, at the place where it stands in the file."""
        return LoweringFailure("wrong_table", f"{self.place(row, column)}: {message}")

    def place(self, row: int | None, column: str | None) -> str:
        raise NotImplementedError

    def names(self) -> list[str]:
        raise NotImplementedError

    def batches(self, columns: list[str]) -> Iterator[Batch]:
        raise NotImplementedError


def table_file(path: Path, shown: str, separator: str | None) -> TableFile:
    """The reader for a file, by its ending."""
    name = path.name.lower()
    if name.endswith((".parquet", ".pq")):
        return ParquetFile(path, shown)
    if separator is None:
        separator = "\t" if ".tsv" in name else ","
    return CSVFile(path, shown, separator)


class CSVFile(TableFile):
    """A CSV file in UTF-8 whose first line names the columns; every field is read as text."""

    def __init__(self, path: Path, shown: str, separator: str):
        super().__init__(path, shown)
        self.separator = separator

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Each record that is not empty, with the line that it begins in, from 1."""
        with pyarrow.input_stream(str(self.path), compression="detect") as stream:
            text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
            reader = csv.reader(text, delimiter=self.separator)
            line = 1
            for record in reader:
                if record:
                    yield line, record
                line = reader.line_num + 1

    def names(self) -> list[str]:
        names = next((record for _, record in self._records()), None)
        if names is None:
            raise LoweringFailure("wrong_table", f"{self.shown} is empty: its first line names the columns")
        for name in names:
            if names.count(name) > 1:
                raise self.failure(f"two columns are called '{name}'")
        return names

    def place(self, row: int | None, column: str | None) -> str:
        if row is None:
            return self.shown
        # pyarrow counts rows, and a field may hold line feeds: only reading once more tells the line.
        line = next((line for number, (line, _) in enumerate(self._records()) if number == row + 1), None)
        if line is None:
            return self.shown
        if column is None:
            return f"{self.shown}:{line}"
        return f"{self.shown}:{line}, column {self.names().index(column) + 1} ('{column}')"

    def batches(self, columns: list[str]) -> Iterator[Batch]:
        names = self.names()
        wrong: list[int] = []

        def refuse(row: pyarrow.csv.InvalidRow) -> str:
            wrong.append(row.actual_columns)
            return "error"

        first = 0
        try:
            reader = pyarrow.csv.open_csv(
                str(self.path),
                pyarrow.csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
                pyarrow.csv.ParseOptions(delimiter=self.separator, newlines_in_values=True, invalid_row_handler=refuse),
                pyarrow.csv.ConvertOptions(
                    column_types={name: pyarrow.string() for name in names},
                    include_columns=columns,
                    null_values=[],
                    strings_can_be_null=False,
                ),
            )
            for batch in reader:
                yield Batch(self, first, dict(zip(columns, batch.columns, strict=True)), batch.num_rows)
                first += batch.num_rows
        except pyarrow.ArrowInvalid as error:
            raise self._explained(error, names, wrong) from error
        if first == 0:
            raise self.failure("there are no rows")

    def _explained(self, error: Exception, names: list[str], wrong: list[int]) -> LoweringFailure:
        """What pyarrow does not tell, or not where."""
        for number, (line, record) in enumerate(self._records()):
            if wrong and number > 0 and len(record) != len(names):
                return LoweringFailure(
                    "wrong_table",
                    f"{self.shown}:{line}, column {min(len(record), len(names)) + 1}: "
                    f"the row has {len(record)} fields, but the first line names {len(names)} columns",
                )
            if "UTF" in str(error) and any("�" in field for field in record):
                return LoweringFailure("wrong_table", f"{self.shown}:{line}: the line is not text in UTF-8")
        return self.failure(str(error))


class ParquetFile(TableFile):
    """A Parquet file."""

    def _open(self) -> pyarrow.parquet.ParquetFile:
        try:
            return pyarrow.parquet.ParquetFile(self.path)
        except (pyarrow.ArrowInvalid, OSError) as error:
            raise LoweringFailure("wrong_table", f"{self.shown} is no whole Parquet file: {error}") from error

    def names(self) -> list[str]:
        with self._open() as file:
            return file.schema_arrow.names

    def place(self, row: int | None, column: str | None) -> str:
        where = [self.shown] if row is None else [self.shown, f"row {row + 1}"]
        return ", ".join([*where, f"column '{column}'"] if column is not None else where)

    def batches(self, columns: list[str]) -> Iterator[Batch]:
        first = 0
        with self._open() as file:
            try:
                for batch in file.iter_batches(batch_size=BLOCK_ROWS, columns=columns, use_threads=False):
                    found = dict(zip(batch.schema.names, batch.columns, strict=True))
                    yield Batch(self, first, {name: self._plain(found[name], name) for name in columns}, batch.num_rows)
                    first += batch.num_rows
            except (pyarrow.ArrowInvalid, OSError) as error:
                raise self.failure(f"the file cannot be read to its end: {error}") from error
        if first == 0:
            raise self.failure("there are no rows")

    def _plain(self, array: pyarrow.Array, column: str) -> pyarrow.Array:
        """A column as text, numbers, Booleans or times."""
        kind = array.type
        if pyarrow.types.is_dictionary(kind):
            array = array.dictionary_decode()
            kind = array.type
        if pyarrow.types.is_decimal(kind) or pyarrow.types.is_float16(kind):
            return array.cast(pyarrow.float64())
        if pyarrow.types.is_large_string(kind) or pyarrow.types.is_string_view(kind):
            return array.cast(pyarrow.string())
        if pyarrow.types.is_date(kind) or pyarrow.types.is_timestamp(kind):
            zone = getattr(kind, "tz", None)
            return array.cast(pyarrow.timestamp("us", zone)).cast(pyarrow.timestamp("us"))
        plain = pyarrow.types.is_string, pyarrow.types.is_boolean, pyarrow.types.is_integer, pyarrow.types.is_floating
        if any(is_kind(kind) for is_kind in plain):
            return array
        raise self.failure(f"elements of type {kind} are neither numbers nor text nor dates", column=column)
