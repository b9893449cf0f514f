"""`fit` and `submit`: a call as an experiment file, and the run that carries it out."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pronghorn.scripting import arrays, callbacks, code, data, models, producing, progress
from pronghorn.scripting.errors import InvalidRequest, TrialsFailed
from pronghorn.scripting.partitions import Partition
from pronghorn.scripting.process import INPUTS_FOLDER
from pronghorn.scripting.run import NUMBERED_FILE, Run
from pronghorn.scripting.values import Axes, plain, yaml


def fit(
    models: Any,
    x: Any = None,
    y: Any = None,
    *,
    epochs: int = 1,
    batch_size: int | None = None,
    validation_split: float = 0.0,
    validation_data: Any = None,
    shuffle: bool | str | dict | None = None,
    sample_weight: Any = None,
    class_weight: Mapping[int, float] | None = None,
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
    validation_steps: int | None = None,
    validation_batch_size: int | None = None,
    validation_freq: int | Sequence[int] = 1,
    callbacks: Any = None,
    trials: Any = None,
    partition: Partition | None = None,
    adapt: bool | str | Sequence[str] = False,
    save: Any = "all",
    seed: int = 0,
    engine: str = "auto",
    backend: str = "auto",
    devices: str = "auto",
    directory: str | os.PathLike[str] | None = None,
    name: str | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    environment: Sequence[str] = (),
    in_place: bool = False,
    verbose: int | str = "auto",
) -> Run:
    """Trains many Keras models at once, on every device of this machine, and waits until they are trained.

    What `Model.fit` has too means the same here, for each trial by itself. Ctrl-C ends the run after the epochs at hand
    and returns it: `run.interrupted` says so, and `run.resume()` goes on.

    Args:
        models: Compiled Keras models (one, or a list), which stay as they are; a function that returns a compiled
            model, called with the values of `trials` that it takes as arguments; or paths of `.keras` files.
        x: Inputs. An array, shape (rows, ...), of NumPy (one that `numpy.load(..., mmap_mode="r")` maps is not copied)
            or any backend; a dictionary of arrays, or a list of them for functional models; a table of pandas, polars
            or PyArrow, whose columns are the input, shape (rows, columns); a `tf.data.Dataset`, `keras.utils.PyDataset`
            or iterable of batches `(x, y)`, drained once; a list of pairs `(x, y)`, one for each model; or
            `pronghorn.stream(pairs)`, pairs that are made while others train.
        y: Targets, shape (rows, ...), or the name of a column of the table.
        epochs: The epoch to train up to.
        batch_size: Rows a batch: 32, or what a dataset gives.
        validation_split: The share of each partition's last rows to validate on.
        validation_data: `(x, y)` or `(x, y, sample_weight)`, or a dataset; with pairs also a list of them.
        shuffle: Whether rows get a new order each epoch, drawn from the trial's seed; True but for datasets, which come
            in their own order. `{"window": 10000}`: in windows of so many rows that stand together.
        sample_weight: A weight a row, shape (rows,), or the name of a column of the table.
        class_weight: Weights of classes, by the class's number.
        initial_epoch: The epoch to begin with.
        steps_per_epoch: Batches an epoch.
        validation_steps: Batches to validate on.
        validation_batch_size: Rows a batch of validation.
        validation_freq: Epochs between validations, or a list of epochs, from 1.
        callbacks: Keras callbacks. Those of Keras that experiment files know run natively; others have the trials
            trained by `Model.fit`, a copy of them each. What `ModelCheckpoint` and `CSVLogger` write lies in the run's
            folder.
        trials: Axes, whose product is tried: `{"seed": range(10), "learning_rate": [1e-3, 1e-2]}`; a list of
            combinations; or with `"random": N` as many drawn ones, from lists, `uniform` and `log_uniform`.
        partition: How the rows are divided: `by`, `folds`, `count` or `bootstrap`.
        adapt: Whether `Normalization` layers (and `Discretization`, by `Model.fit`) are adapted to the rows that each
            trial trains on, as `layer.adapt(rows)` before `fit` would: True for all layers that learn from data, or the
            names of some.
        save: Which models are kept, as in an experiment file: "all", "best", "initial", "none", {"top": 5}, or a list.
        seed: What partitions are drawn from, and the seed of trials that have none.
        engine: "auto", "native" (lowered programs only) or "fit" (real `Model.fit` only).
        backend: What `Model.fit` trains with: "auto", "jax", "tensorflow" or "torch".
        devices: "auto" (all GPUs, else the CPU's cores), "cpu", "cpu:N", "cuda", "cuda:0,2".
        directory: The run's folder, which must hold no run; by default the first of `runs/NAME`, `runs/NAME-2`, …
        name: The run's name; by default that of the build function, or "fit".
        custom_objects: Classes and functions that `.keras` files need; those of given models are found anyway.
        environment: Names of variables that functions of yours need in other processes, besides the usual ones.
        in_place: Gives the given models what was trained, weights, optimizer and history; one trial a model.
        verbose: 0 shows nothing; "auto" or 1 a bar on a terminal or in a notebook; 2 a line a trial.

    Returns:
        The run: `run.models`, `run.history`, `run.results`, `run.best("val_loss")`, `run.failures`.

    Raises:
        InvalidRequest: what was asked for cannot be done.
        TrialsFailed: every trial failed.
        PronghornError: the machine failed.
    """
    arguments = dict(locals())
    verbose = arguments.pop("verbose")
    display = progress.display(verbose)
    return watch(_begun(arguments), verbose, display)


def submit(models: Any, x: Any = None, y: Any = None, **arguments: Any) -> Run:
    """Begins a run, which goes on in the background; arguments as for `fit`.

    `run.progress` says how far it is, `run.wait()` waits for its end, `run.stop()` ends it early. A run that has not
    ended when this process does stops after its epochs at hand; `pronghorn.open(run.directory).resume()` goes on
    with it.
    """
    arguments.pop("verbose", None)
    given = {name: value for name, value in (fit.__kwdefaults__ or {}).items() if name != "verbose"}
    unknown = [name for name in arguments if name not in given]
    if unknown:
        raise TypeError(f"submit() got an unexpected keyword argument {unknown[0]!r}")
    return _begun({"models": models, "x": x, "y": y, **given, **arguments})


def watch(run: Run, verbose: int | str, display: progress.Display | None = None) -> Run:
    """Shows a run until it has ended. Ctrl-C stops it; a second one ends it at once."""
    display = display or progress.display(verbose)
    process = run._process
    assert process is not None
    told = 0
    stopping = False
    while not process.is_over:
        try:
            process.wait(0.1)
            for note in process.notes[told:]:
                display.note(note)
            told = len(process.notes)
            display.show(process.progress)
        except KeyboardInterrupt:
            if stopping:
                process.kill()
                process.wait(10)
                raise
            stopping = True
            display.note("stopping after the epochs at hand; once more stops now")
            process.stop()
    display.close(process.progress)
    run._conclude()
    return run


def _begun(call: dict[str, Any]) -> Run:
    """Writes what a call asks for into a run's folder, and starts the program on it."""
    axes = Axes(call["trials"])
    described = models.described(call["models"], axes, dict(call["custom_objects"] or {}))
    if call["in_place"] and not described.given:
        raise InvalidRequest("in_place needs compiled models: a build function has none to give the weights to")
    name = call["name"] or described.name
    folder = _free_folder(name, call["directory"])
    inputs = folder / INPUTS_FOLDER
    made = not folder.exists()
    files = arrays.ArrayFiles(inputs)
    producer = None
    if isinstance(call["x"], producing.Stream):
        producer = producing.Producer(call["x"], inputs, described.input_names, axes.number * max(1, described.number))
    try:
        inputs.mkdir(parents=True, exist_ok=True)
        sections = _Sections(call, described, axes, files, producer).sections(name)
        if described.number:
            (inputs / NUMBERED_FILE).touch()
        (inputs / "experiment.yaml").write_text(yaml(sections), encoding="utf-8")
        run = Run(folder)
        run._custom_objects = described.custom_objects
        run._build = described.build
        run._after = _conclusion(described, bool(call["in_place"]))

        def ended() -> None:
            _settle(run, folder, files, made)

        arguments = ["train", str(inputs / "experiment.yaml"), "--output", str(folder), "--devices", call["devices"]]
        run._begin(arguments, ended, producer)
    except BaseException:
        files.settle(keep=False)
        _remove(folder, made)
        raise
    return run


def _free_folder(name: str, directory: Any) -> Path:
    if directory is not None:
        folder = Path(directory).absolute()
        if (folder / "ledger.sqlite").exists() or (folder / INPUTS_FOLDER).exists():
            raise InvalidRequest(f"{folder} holds a run already; pronghorn.open({str(directory)!r}) reads it")
        return folder
    number = 1
    while True:
        folder = Path("runs").absolute() / (name if number == 1 else f"{name}-{number}")
        if not folder.exists():
            return folder
        number += 1


def _settle(run: Run, folder: Path, files: arrays.ArrayFiles, made: bool) -> None:
    """Gives back what only a run that goes on needs; a run that could not begin leaves nothing."""
    process = run._process
    if not (folder / "ledger.sqlite").is_file():
        files.settle(keep=False)
        _remove(folder, made)
    else:
        summary = (process.summary if process is not None else None) or {"trials": -1}
        files.settle(keep=summary.get("finished", 0) + summary.get("diverged", 0) != summary["trials"])


def _remove(folder: Path, made: bool) -> None:
    shutil.rmtree(folder / INPUTS_FOLDER, ignore_errors=True)
    if made and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _conclusion(described: models.Models, in_place: bool) -> Callable[[Run], None]:
    def conclude(run: Run) -> None:
        failures = run.failures
        if failures and len(failures) == len(run.trials):
            raise TrialsFailed(f"every trial failed; the first: {failures[0].message}", run)
        if failures:
            number = len(failures)
            warnings.warn(
                f"{number} of {len(run.trials)} trials failed (run.failures); the first: {failures[0].message}",
                RuntimeWarning,
                stacklevel=5,
            )
        if in_place:
            _give_back(described, run)

    return conclude


def _give_back(described: models.Models, run: Run) -> None:
    """Gives the caller's models what was trained."""
    import keras

    if len(run.trials) != len(described.given):
        raise InvalidRequest(
            f"in_place needs one trial a model: there are {len(run.trials)} trials of {len(described.given)} models; "
            f"the trained models are in {run.directory}"
        )
    for trial, model in zip(run.trials, described.given, strict=True):
        if trial.status != "finished":
            continue
        trained = trial.model
        if not model.built:
            model.build(trained.input_shape)
        model.set_weights(trained.get_weights())
        _take_adapted(model, trained)
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        for own, new in zip(model.optimizer.variables, trained.optimizer.variables, strict=True):
            own.assign(keras.ops.convert_to_numpy(new))
        history = keras.callbacks.History()
        history.set_model(model)
        frame = trial.history
        history.epoch = [int(epoch) for epoch in frame["epoch"]]
        history.history = {
            metric: [float(value) for value in frame[metric].dropna()] for metric in frame if metric != "epoch"
        }
        model.history = history


def _take_adapted(model: Any, trained: Any) -> None:
    """Gives layers what they keep of their adapted weights, or beside them."""
    import keras

    for own, new in zip(model._flatten_layers(), trained._flatten_layers(), strict=True):
        if isinstance(own, keras.layers.Normalization):
            own.finalize_state()
        elif isinstance(own, keras.layers.Discretization):
            own.bin_boundaries = new.bin_boundaries
        else:
            continue
        # What was compiled before holds the old numbers as constants.
        model.train_function = model.test_function = model.predict_function = None


class _Sections:
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
        self.fit: dict[str, Any] = {}
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
        if not isinstance(partition, Partition):
            raise InvalidRequest("partition is made by pronghorn.by, folds, count or bootstrap")
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
        names = ("initial_epoch", "steps_per_epoch", "validation_steps", "validation_batch_size")
        settings = {"batch_size": batch_size, **{name: call[name] for name in names}}
        section |= {name: int(value) for name, value in settings.items() if value}
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
