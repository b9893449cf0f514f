"""`fit` and `submit`: a call as an experiment file, and the run that carries it out."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pronghorn.scripting import arrays, models, producing, progress
from pronghorn.scripting.errors import InvalidRequest, TrialsFailed
from pronghorn.scripting.partitions import Partition
from pronghorn.scripting.process import INPUTS_FOLDER
from pronghorn.scripting.run import NUMBERED_FILE, Run
from pronghorn.scripting.sections import Sections
from pronghorn.scripting.values import Axes, yaml


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
        sections = Sections(call, described, axes, files, producer).sections(name)
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
