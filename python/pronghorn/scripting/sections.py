"""What a call of `fit` asks for, as the sections of an experiment file (docs/ExperimentFile.md)."""

from __future__ import annotations

from typing import Any

from pronghorn.scripting import arrays, callbacks, code, data, models, producing
from pronghorn.scripting.errors import InvalidRequest
from pronghorn.scripting.partitions import Partition
from pronghorn.scripting.values import Axes, plain


class Sections:
    """The sections of the experiment file of one call."""

    def __init__(
        self,
        call: dict[str, Any],
        described: models.Models,
        axes: Axes,
        files: arrays.ArrayFiles,
        producer: producing.Producer | None,
    ):
        self.call = call
        self.producer = producer
        self.described = described
        self.axes = axes
        self.files = files
        self.pairs = data.pairs(call["x"], call["y"])

    def sections(self, name: str) -> dict[str, Any]:
        call = self.call
        sections: dict[str, Any] = {"name": name, "model": self._model()}
        if self.described.custom_objects:
            sections["custom_objects"] = code.function_file(
                "objects", code.OBJECTS, self.described.custom_objects, "the models' custom objects"
            )
        rows = self._rows()
        sections["data"], partition = self._data(rows)
        if partition:
            sections["partition"] = partition
        if call["adapt"] is not False and call["adapt"] is not None:
            adapt = call["adapt"]
            sections["adapt"] = adapt if isinstance(adapt, (bool, str)) else [str(name) for name in adapt]
        if self.axes.section is not None:
            sections["trials"] = self.axes.section
        sections["fit"] = self._fit(rows[0])
        entries = callbacks.entries(call["callbacks"])
        if entries:
            sections["callbacks"] = entries
        sections["save"] = "none" if call["save"] in (None, False) else _save(call["save"])
        sections["engine"] = call["engine"]
        sections["backend"] = call["backend"]
        sections["seed"] = int(call["seed"])
        if call["environment"]:
            sections["environment"] = [str(name) for name in call["environment"]]
        return sections

    def _model(self) -> Any:
        source = self.described.source
        if self.pairs is None or not self.described.number:
            return source
        if len(self.pairs) != self.described.number:
            raise InvalidRequest(f"x is a list of {len(self.pairs)} pairs for {self.described.number} models")
        return {"paired": source}

    def _rows(self) -> list[data.Rows]:
        call, names = self.call, self.described.input_names
        if call["partition"] is not None and not isinstance(call["partition"], Partition):
            raise InvalidRequest("partition is made by pronghorn.by, folds, count or bootstrap")
        if self.producer is not None:
            if any(call[key] is not None for key in ("y", "partition", "sample_weight")):
                raise InvalidRequest("a stream brings its targets, weights and partitions itself: leave them out")
            return [self.producer.first]
        if self.pairs is not None:
            if call["partition"] is not None or call["sample_weight"] is not None:
                raise InvalidRequest(
                    "a list of pairs divides the rows already: leave out partition, and give weights as (x, y, weights)"
                )
            return [
                data.rows(*pair, input_names=names, what=f"pair {index}: ") for index, pair in enumerate(self.pairs)
            ]
        if call["x"] is None:
            raise InvalidRequest("x is missing: the inputs of the models")
        columns = list(call["partition"].columns.values()) if call["partition"] is not None else []
        named = [column for column in columns if isinstance(column, str) and column != "y"]
        return [data.rows(call["x"], call["y"], call["sample_weight"], columns=named, input_names=names)]

    def _data(self, rows: list[data.Rows]) -> tuple[dict[str, Any], dict[str, Any]]:
        if self.producer is not None:
            return self.producer.section, self.producer.partition
        if self.pairs is not None:
            return self._arrays(rows, several=True), {"by": "file"}
        section = self._arrays(rows, several=False)
        partition = self.call["partition"]
        if partition is None:
            return section, {}
        scheme = dict(partition.scheme)
        for key, column in partition.columns.items():
            if isinstance(column, str) and column == "y":
                scheme[key] = "y"
                continue
            values = rows[0].columns.get(column) if isinstance(column, str) else arrays.keys(column, f"partition.{key}")
            if values is None:
                raise InvalidRequest(f"partition: x is no table that has a column {column!r}: give one value a row")
            count = len(next(iter(rows[0].x.values())))
            if len(values) != count:
                raise InvalidRequest(f"partition: there are {len(values)} keys for {count} rows")
            scheme[key] = f"{key}_column"
            section[scheme[key]] = self.files.path(values, f"{key}-column")
        return section, scheme

    def _arrays(self, rows: list[data.Rows], *, several: bool, prefix: str = "") -> dict[str, Any]:
        """What stands under `data` or `fit.validation_data`; with `several`, lists of files, one for each of `rows`."""

        def path(index: int, array: Any, name: str) -> str:
            place = f"{prefix}{name}/{index}" if several else f"{prefix}{name}"
            return self.files.path(array, place)

        def files(role: str, number: int, key: str) -> Any:
            stem = role if key == role else f"{role}-{number}"
            found = [path(index, getattr(part, role)[key], stem) for index, part in enumerate(rows)]
            return found if several else found[0]

        section: dict[str, Any] = {}
        for role in ("x", "y"):
            keys = list(getattr(rows[0], role))
            if any(list(getattr(part, role)) != keys for part in rows):
                raise InvalidRequest(f"the pairs have different arrays in {role}")
            named = {key: files(role, number, key) for number, key in enumerate(keys)}
            if list(named) == [role]:
                section[role] = named[role]
            elif named:
                section[role] = named
        weights = [part.sample_weight for part in rows if part.sample_weight is not None]
        if weights:
            if len(weights) != len(rows):
                raise InvalidRequest("some of the pairs have weights and others have none")
            found = [path(index, weight, "sample_weight") for index, weight in enumerate(weights)]
            section["sample_weight"] = found if several else found[0]
        return section

    def _fit(self, rows: data.Rows) -> dict[str, Any]:
        call = self.call
        section: dict[str, Any] = {"epochs": int(call["epochs"])}
        batch_size = call["batch_size"]
        if batch_size is None and rows.is_dataset:
            if rows.batch_size is None:
                raise InvalidRequest("the batches of the dataset are of different sizes: give a batch_size")
            batch_size = rows.batch_size
        names = ("steps_per_epoch", "validation_steps", "validation_batch_size")
        settings = {"batch_size": batch_size, **{name: call[name] for name in names}}
        settings["initial_epoch"] = call["initial_epoch"] or None
        section |= {name: int(value) for name, value in settings.items() if value is not None}
        shuffle = call["shuffle"]
        if shuffle is None:
            shuffle = not rows.is_dataset
        section["shuffle"] = shuffle if isinstance(shuffle, (str, dict)) else bool(shuffle)
        if call["validation_freq"] != 1:
            section["validation_freq"] = plain(call["validation_freq"])
        if call["class_weight"]:
            section["class_weight"] = {int(key): float(value) for key, value in call["class_weight"].items()}
        if call["validation_data"] is not None:
            section["validation_data"] = self._validation()
        elif call["validation_split"]:
            section["validation_split"] = float(call["validation_split"])
        return {name: value for name, value in section.items() if not self._is_axis(name)}

    def _is_axis(self, name: str) -> bool:
        """Whether the trials have a setting of their own, before which the one for all stands back."""
        section = self.axes.section
        return name in section if isinstance(section, dict) else False

    def _validation(self) -> dict[str, Any]:
        given, names = self.call["validation_data"], self.described.input_names
        if isinstance(given, list) and self.pairs is not None:
            if len(given) != len(self.pairs):
                raise InvalidRequest(f"validation_data is a list of {len(given)} for {len(self.pairs)} pairs")
            rows = [data.rows(*pair, input_names=names, what="validation_data: ") for pair in given]
            return self._arrays(rows, several=True, prefix="validation-")
        parts = given if isinstance(given, (tuple, list)) else (given,)
        if len(parts) not in (1, 2, 3):
            raise InvalidRequest("validation_data is (x, y), (x, y, sample_weight) or a dataset")
        columns = self.call["partition"].columns.values() if self.call["partition"] is not None else ()
        named = [column for column in columns if isinstance(column, str) and column != "y"]
        y = self.call["y"] if isinstance(self.call["y"], str) and len(parts) == 1 else None
        padded = [*parts, *([y] if y is not None else [])]
        rows = [data.rows(*padded, columns=named, input_names=names, what="validation_data: ")]
        return self._arrays(rows, several=False, prefix="validation-")


def _save(value: Any) -> Any:
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, (list, tuple)):
        return [_save(element) for element in value]
    return value
