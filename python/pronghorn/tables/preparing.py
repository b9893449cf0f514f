"""Writes the arrays of a table: what is read, what is left out, and what is said of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy

from pronghorn import prepared
from pronghorn.lowering.failures import LoweringFailure
from pronghorn.tables import values
from pronghorn.tables.encodings import KINDS, Encoder, Key, Number, Target
from pronghorn.tables.reading import Batch, table_file
from pronghorn.tables.values import WrongValue


@dataclass
class Output:
    """One array: its columns side by side."""

    name: str
    role: str
    file: str
    encoders: list[Encoder]
    # Whether a row is a number, not a list of numbers.
    flat: bool

    @property
    def width(self) -> int:
        return sum(encoder.width for encoder in self.encoders)

    @property
    def dtype(self) -> str:
        kinds = {encoder.dtype for encoder in self.encoders}
        return kinds.pop() if len(kinds) == 1 else "float32"


class Preparing:
    """One table, as `pronghorn.prepare_table` describes the request."""

    def __init__(self, request: dict, folder: Path, progress: Callable[[str], None]):
        self.request = request
        self.folder = folder
        self.report = prepared.Reporter(progress)
        self.progress = progress
        self.missing = request.get("missing", {})
        self.markers = request.get("missing_values")
        self.files = [
            table_file(Path(file["path"]), file["shown"], request.get("separator")) for file in request["files"]
        ]
        # What the table to train on had for categories, by role, array and column.
        self.earlier = {(entry["role"], entry["array"], entry["column"]): entry for entry in self._encodings()}
        self.names = self._checked_names()
        self.outputs = self._outputs()
        self.columns = list(dict.fromkeys(encoder.column for output in self.outputs for encoder in output.encoders))
        self.read = 0

    def prepare(self) -> None:
        """Reads twice and writes everything."""
        stamps = {file.path: prepared.stamp(file.path) for file in self.files}
        size = sum(stamp["size"] for stamp in stamps.values())
        what = self.files[0].shown if len(self.files) == 1 else f"{len(self.files)} files"
        self.progress(f"preparing {what} ({size / 1e6:,.1f} MB), once")
        kept = 0
        for batch, keep in self._batches("reading"):
            self._each(batch, keep, lambda encoder, array, absent: encoder.scan(array, absent))
            self.read += batch.rows
            kept += int(keep.sum())
        if kept == 0:
            raise LoweringFailure("wrong_table", f"no row of {what} is left: every one lacks a value and is dropped")
        for output in self.outputs:
            for encoder in output.encoders:
                encoder.settle(self.earlier.get((output.role, output.name, encoder.column)))
        self._write(kept)
        for path, before in stamps.items():
            if prepared.stamp(path) != before:
                raise LoweringFailure("wrong_table", f"{path} was changed while it was read: try again")
        sources = [prepared.source(os.path.realpath(path), before) for path, before in stamps.items()]
        prepared.write_list(
            self.folder,
            {
                "arrays": [self._listed(output, kept) for output in self.outputs],
                "encodings": [entry for output in self.outputs for entry in self._described(output)],
                "rows": {"read": self.read, "dropped": self.read - kept},
                "sources": sources,
            },
        )

    # What is asked for

    def _checked_names(self) -> list[str]:
        names = self.files[0].names()
        for file in self.files[1:]:
            others = file.names()
            if set(others) != set(names):
                odd = sorted(set(others) ^ set(names))[0]
                raise file.failure(f"the columns are not those of {self.files[0].shown}: one alone has '{odd}'")
        return names

    def _outputs(self) -> list[Output]:
        request = self.request
        outputs = []
        for number, entry in enumerate(request["x"]):
            features = entry["columns"]
            earlier = [column for role, name, column in self.earlier if (role, name) == ("x", entry["name"])]
            if features is None and earlier:
                features = [{"column": name} for name in earlier]
            elif features is None:
                taken = {column["column"] for output in request["y"] for column in output["columns"]}
                taken |= {request.get("weight"), *request["columns"]}
                features = [{"column": name} for name in self.names if name not in taken]
                if not features:
                    raise LoweringFailure("wrong_table", "no column is left for the features")
            encoders = [self._encoder(feature, Number) for feature in features]
            outputs.append(Output(entry["name"], "x", f"x-{number}.npy", encoders, flat=False))
        for number, entry in enumerate(request["y"]):
            encoders = [self._encoder(column, Target) for column in entry["columns"]]
            outputs.append(Output(entry["name"], "y", f"y-{number}.npy", encoders, flat=len(encoders) == 1))
        if request.get("weight"):
            encoder = self._encoder({"column": request["weight"]}, Number)
            outputs.append(Output("sample_weight", "sample_weight", "sample_weight.npy", [encoder], flat=True))
        for number, name in enumerate(request["columns"]):
            encoder = self._encoder({"column": name}, Key)
            outputs.append(Output(name, "column", f"column-{number}.npy", [encoder], flat=True))
        return outputs

    def _encoder(self, wanted: dict, default: type[Encoder]) -> Encoder:
        name = wanted["column"]
        if name not in self.names:
            raise LoweringFailure(
                "wrong_table",
                f"{self.files[0].shown} has no column '{name}'; it has {', '.join(self.names)}",
            )
        fill = self.missing.get("columns", {}).get(name) or self.missing.get("all") or {"rule": "error"}
        kind = wanted.get("encoding")
        encoder = default(name, fill) if kind is None else KINDS[kind](name, fill, **wanted.get("arguments", {}))
        if encoder.fill_rule is not None and not isinstance(encoder, Number):
            named = name in self.missing.get("columns", {})
            if named:
                raise LoweringFailure(
                    "wrong_table", f"missing values of the column '{name}' have no {fill['rule']}: it holds no numbers"
                )
            encoder.fill = {"rule": "error"}
        return encoder

    def _encodings(self) -> list[dict]:
        path = self.request.get("encodings")
        return json.loads(Path(path).read_text())["encodings"] if path else []

    # The rows

    def _batches(self, doing: str) -> Iterator[tuple[Batch, numpy.ndarray]]:
        """Batches with the rows to keep."""
        done = 0
        for file in self.files:
            for batch in file.batches(self.columns):
                keep = numpy.ones(batch.rows, bool)
                for encoder in self._encoders():
                    if encoder.fill["rule"] == "drop":
                        keep &= ~self._absent(encoder, batch)
                yield batch, keep
                done += batch.rows
                self.report(lambda: f"{doing} the table: {done:,} rows")  # noqa: B023

    def _encoders(self) -> Iterator[Encoder]:
        return (encoder for output in self.outputs for encoder in output.encoders)

    def _absent(self, encoder: Encoder, batch: Batch) -> numpy.ndarray:
        markers = encoder.markers if self.markers is None else tuple(self.markers)
        return values.missing(batch.columns[encoder.column], ("", *markers))

    def _each(self, batch: Batch, keep: numpy.ndarray, visit) -> list:
        """Calls `visit` for each encoder with the values of the rows to keep."""
        rows = numpy.flatnonzero(keep)
        if not rows.size:
            return [None for _ in self._encoders()]
        found = []
        for encoder in self._encoders():
            array = batch.columns[encoder.column]
            absent = self._absent(encoder, batch)
            if rows.size < batch.rows:
                array, absent = array.take(rows), absent[rows]
            try:
                if encoder.fill["rule"] == "error" and absent.any():
                    advice = f"say what stands for it, such as missing: {{{encoder.column}: drop}}"
                    raise WrongValue(int(absent.argmax()), f"the value is missing: {advice}")
                found.append(visit(encoder, array, absent))
            except WrongValue as wrong:
                message = wrong.message
                if isinstance(encoder, Number) and message.endswith("is no number"):
                    message += "; text needs an encoding, such as one_hot"
                row = batch.first + int(rows[wrong.row])
                raise batch.table.failure(message, row, encoder.column) from wrong
        return found

    # The arrays

    def _write(self, rows: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        arrays = [
            numpy.lib.format.open_memmap(
                self.folder / output.file, mode="w+", dtype=output.dtype, shape=self._shape(output, rows)
            )
            for output in self.outputs
        ]
        start = 0
        for batch, keep in self._batches("writing"):
            encoded = iter(self._each(batch, keep, lambda encoder, array, absent: encoder.encode(array, absent)))
            end = start + int(keep.sum())
            for output, array in zip(self.outputs, arrays, strict=True):
                parts = [next(encoded) for _ in output.encoders]
                if end == start:
                    continue
                block = parts[0] if len(parts) == 1 else numpy.concatenate(parts, axis=1, dtype=output.dtype)
                array[start:end] = block[:, 0] if output.flat and output.width == 1 else block
            start = end
        if start != rows:
            raise LoweringFailure("wrong_table", "the table was changed while it was read: try again")
        for array in arrays:
            array.flush()

    @staticmethod
    def _shape(output: Output, rows: int) -> tuple[int, ...]:
        return (rows,) if output.flat and output.width == 1 else (rows, output.width)

    def _listed(self, output: Output, rows: int) -> dict:
        entry = {
            "name": output.name,
            "role": output.role,
            "file": output.file,
            "shape": list(self._shape(output, rows)),
            "dtype": output.dtype,
        }
        fills = []
        first = 0
        for encoder in output.encoders:
            if encoder.fill_rule is not None:
                fills.append({"place": first, "rule": encoder.fill_rule, "column": encoder.column})
            first += encoder.width
        return {**entry, "fills": fills} if fills else entry

    @staticmethod
    def _described(output: Output) -> Iterator[dict]:
        first = 0
        names = {kind: name for name, kind in KINDS.items()}
        for encoder in output.encoders:
            yield {
                "role": output.role,
                "array": output.name,
                "column": encoder.column,
                "encoding": names.get(type(encoder), type(encoder).__name__.lower()),
                "first": first,
                "width": encoder.width,
                **encoder.description(),
            }
            first += encoder.width
