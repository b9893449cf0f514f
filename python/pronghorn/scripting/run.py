"""A run: what was trained, and how to go on with it."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from pronghorn.scripting import process
from pronghorn.scripting.errors import InvalidRequest, PronghornError
from pronghorn.scripting.process import INPUTS_FOLDER, Progress, TrainingProcess

if TYPE_CHECKING:
    import keras
    import pandas

    from pronghorn.scripting.producing import Producer

# A file of `fit`'s that is there where models are numbered as in its list.
NUMBERED_FILE = "models-are-numbered"


@dataclass(frozen=True)
class Trial:
    """One model that was trained, or could not be.

    Attributes:
        number: Which of the run's trials it is, from 0.
        parameters: Its values of `trials`, with its seed.
        partition: What its rows are called, "all" where it has all.
        status: "finished", "diverged" (its loss became NaN), "failed", "waiting", …, as `pronghorn results` says.
        message: Why it failed.
        metrics: The last value of each metric.
        epochs: How many epochs it has trained.
        attempts: How often work on it began: more than once where a runner ended before it did.
        best_epoch: The epoch (from 0) that `EarlyStopping` or `save="best"` took for the best.
        stopped_by: The callback that ended it early.
        engine: "native" for a lowered program, "fit" for Keras's own `Model.fit`.
        engine_reason: Why `Model.fit` trained it.
        file: Its `.keras` file, if one was kept.
    """

    number: int
    parameters: dict[str, Any]
    partition: str
    status: str
    message: str | None
    metrics: dict[str, float]
    epochs: int
    attempts: int
    best_epoch: int | None
    stopped_by: str | None
    engine: str
    engine_reason: str | None
    file: Path | None
    run: Run = field(repr=False, compare=False)

    @property
    def model(self) -> keras.Model:
        """The trained model, loaded when asked for, with its optimizer."""
        return self.run.models[self.number]

    @property
    def history(self) -> pandas.DataFrame:
        """Its metrics, a row an epoch."""
        return self.run._history(self.number).drop(columns="trial")


class Run:
    """A run in its folder, which may still go on; made by `fit`, `submit` and `open`."""

    def __init__(self, directory: str | os.PathLike[str]):
        self.directory = Path(directory).absolute()
        self.models = Models(self)
        self.notes: list[str] = []
        self._process: TrainingProcess | None = None
        self._custom_objects: dict[str, Any] = {}
        self._build: Callable[..., Any] | None = None
        self._trials: list[Trial] | None = None
        self._lock = threading.Lock()
        self._after: Callable[[Run], None] | None = None
        self._producer: Producer | None = None

    def __repr__(self) -> str:
        return f"<pronghorn.Run {self.directory} {self.progress.state}>"

    # While it goes on.

    @property
    def progress(self) -> Progress:
        """How far the run is."""
        if self._process is not None:
            return self._process.progress
        status = json.loads(process.ask(["status", str(self.directory), "--json"]))
        counts = status["counts"]
        left = counts.get("waiting", 0) + counts.get("running", 0)
        states = {"running": "training", "stopped": "interrupted"}
        state = states.get(status["state"], "finished" if not left else "interrupted")
        return Progress(
            state=state,
            trials=status["trials"],
            ended=status["trials"] - left,
            failed=counts.get("failed", 0),
            epochs_done=status["epochs_done"],
            epochs=status["epochs_planned"],
        )

    @property
    def interrupted(self) -> bool:
        """Whether trials are left that `resume` would go on with."""
        return self.progress.state == "interrupted"

    def wait(self, timeout: float | None = None) -> Run:
        """Waits until the run has ended.

        Args:
            timeout: At most so many seconds; `TimeoutError` if it has not ended then.

        Raises:
            PronghornError: the run could not be carried out, or every trial failed (`TrialsFailed`).
        """
        if self._process is None:
            return self
        if not self._process.wait(timeout):
            raise TimeoutError(f"the run {self.directory} has not ended")
        self._conclude()
        return self

    def stop(self) -> None:
        """Asks the run to end after the epochs at hand; what is finished is kept, `resume` goes on with the rest."""
        if self._process is not None:
            self._process.stop()

    def resume(self, *, devices: str = "auto", failed: bool = False, verbose: int | str = "auto") -> Run:
        """Goes on with a run that was interrupted, and waits for its end.

        Args:
            devices: As for `fit`.
            failed: Trains the trials that failed, from their beginning, and no others.
            verbose: As for `fit`.
        """
        from pronghorn.scripting import producing
        from pronghorn.scripting.api import watch

        if self._process is not None and not self._process.is_over:
            raise PronghornError(f"the run {self.directory} is going on")
        # Whoever made the pairs of a stream makes no more.
        producing.end(self.directory / INPUTS_FOLDER)
        arguments = ["resume", str(self.directory), "--devices", devices, *(["--failed"] if failed else [])]
        self._begin(arguments, lambda: None)
        return watch(self, verbose)

    def _begin(self, arguments: Sequence[str], ended: Callable[[], None], producer: Producer | None = None) -> None:
        def over() -> None:
            self._trials = None
            ended()

        self._process = TrainingProcess(arguments, over, self._source)
        self._producer = producer
        if producer is not None:
            producer.start(self._process)

    def _conclude(self) -> None:
        """Raises what is to be raised once a run is over."""
        assert self._process is not None
        self.notes = self._process.notes
        if self._producer is not None and self._producer.error is not None:
            raise self._producer.error
        if self._process.error is not None:
            raise self._process.error
        if self._after is not None:
            after, self._after = self._after, None
            after(self)

    # What came of it.

    @property
    def trials(self) -> list[Trial]:
        """All trials, in order."""
        if self._trials is None or (self._process is not None and not self._process.is_over):
            text = process.ask(["results", str(self.directory), "--json"])
            self._trials = [self._trial(result) for result in json.loads(text)]
        return self._trials

    def _trial(self, result: dict[str, Any]) -> Trial:
        parameters = dict(result["parameters"])
        if isinstance(parameters.get("model"), str) and self._names_by_number:
            parameters["model"] = int(parameters["model"].removesuffix(".keras"))
        if "seed" not in parameters and result["seed"] is not None:
            parameters["seed"] = result["seed"]
        return Trial(
            number=result["trial"],
            parameters=parameters,
            partition=result["partition_label"] or "all",
            status=result["status"],
            message=self._message(result["message"]),
            metrics={name: float("nan") if value is None else value for name, value in result["metrics"].items()},
            epochs=result["epochs"],
            attempts=result["attempts"],
            best_epoch=result["best_epoch"],
            stopped_by=result["stopped_by"],
            engine=result["engine"],
            engine_reason=result["engine_reason"],
            file=self.directory / result["model"] if result["model"] else None,
            run=self,
        )

    def _message(self, text: str | None) -> str | None:
        return None if text is None else process.located(process.plain_message(text), self._source)

    @property
    def _source(self) -> str | None:
        """The file of the build function, where the run was given one."""
        return getattr(getattr(self._build, "__code__", None), "co_filename", None)

    @property
    def _names_by_number(self) -> bool:
        """Whether the run's models are those of a list that `fit` was given."""
        return (self.directory / INPUTS_FOLDER / NUMBERED_FILE).is_file()

    @property
    def history(self) -> pandas.DataFrame:
        """Every epoch of every trial: the columns `trial`, `epoch` (from 0) and one a metric."""
        return self._history(None)

    def _history(self, trial: int | None) -> pandas.DataFrame:
        import pandas

        frame = pandas.DataFrame(self._epochs(trial))
        if frame.empty:
            return pandas.DataFrame({"trial": pandas.Series(dtype="int64"), "epoch": pandas.Series(dtype="int64")})
        metrics = sorted((name for name in frame.columns if name not in ("trial", "epoch")), key=_metric_order)
        return frame[["trial", "epoch", *metrics]].astype(dict.fromkeys(metrics, "float64"))

    def _epochs(self, trial: int | None) -> list[dict[str, Any]]:
        ledger = self.directory / "ledger.sqlite"
        if not ledger.is_file():
            raise PronghornError(f"{self.directory} holds no run")
        connection = sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True, timeout=30)
        try:
            found = connection.execute(
                "SELECT trial, epoch, epochs.metrics FROM epochs JOIN trials USING (trial) "
                "WHERE epoch < trials.epochs AND (? IS NULL OR trial = ?) ORDER BY trial, epoch",
                (trial, trial),
            ).fetchall()
        finally:
            connection.close()
        return [{"trial": number, "epoch": epoch, **json.loads(metrics)} for number, epoch, metrics in found]

    @property
    def results(self) -> pandas.DataFrame:
        """A row a trial: `trial`, its parameters, `partition`, `status`, `epochs` and the last value of each metric."""
        import pandas

        names = sorted({name for trial in self.trials for name in trial.metrics}, key=_metric_order)
        rows = []
        for trial in self.trials:
            row: dict[str, Any] = {"trial": trial.number, **trial.parameters, "partition": trial.partition}
            row |= {"status": trial.status, "epochs": trial.epochs}
            rows.append(row | {name: trial.metrics.get(name, float("nan")) for name in names})
        return pandas.DataFrame(rows)

    @property
    def failures(self) -> list[Trial]:
        """The trials that failed; `message` says why."""
        return [trial for trial in self.trials if trial.status == "failed"]

    def best(self, metric: str = "val_loss") -> Trial:
        """The finished trial whose last value of a metric is best.

        Which way is better the `mode` of `save` or of a callback says for the metric; otherwise it is told from the
        metric's name: more of accuracies and scores, less of all else.
        """
        text = process.ask(["results", str(self.directory), "--json", "--sort", metric, "--limit", "1"])
        found = json.loads(text)
        if not found or found[0]["status"] != "finished":
            raise PronghornError(f"no trial of {self.directory} has finished")
        return self.trials[found[0]["trial"]]

    # Loading models.

    def _load(self, trial: Trial) -> keras.Model:
        import keras

        if trial.file is None or not trial.file.is_file():
            why = trial.message or "no model of it was kept"
            raise PronghornError(f"trial {trial.number} is {trial.status}: {why}")
        try:
            return keras.models.load_model(trial.file, custom_objects=self._custom_objects or None)
        except (TypeError, ValueError) as error:
            if self._build is None:
                raise PronghornError(f"Keras cannot load {trial.file}: {error}") from error
            # Keras cannot find classes inside a function; the build function can.
            model = self._rebuilt(trial)
            model.load_weights(trial.file)
            return model

    def _rebuilt(self, trial: Trial) -> keras.Model:
        import inspect

        assert self._build is not None
        accepted = inspect.signature(self._build).parameters
        return self._build(**{name: value for name, value in trial.parameters.items() if name in accepted})


class Models(Sequence["keras.Model"]):
    """The trained models of a run, each loaded when it is asked for first."""

    def __init__(self, run: Run):
        self._run = run
        self._loaded: dict[int, tuple[float, keras.Model]] = {}

    def __len__(self) -> int:
        return len(self._run.trials)

    @overload
    def __getitem__(self, index: int) -> keras.Model: ...

    @overload
    def __getitem__(self, index: slice) -> list[keras.Model]: ...

    def __getitem__(self, index: int | slice) -> keras.Model | list[keras.Model]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        trial = self._run.trials[index]
        written = trial.file.stat().st_mtime if trial.file is not None and trial.file.is_file() else 0.0
        loaded = self._loaded.get(trial.number)
        if loaded is None or loaded[0] != written:
            loaded = self._loaded[trial.number] = (written, self._run._load(trial))
        return loaded[1]

    def __iter__(self) -> Iterator[keras.Model]:
        for number in range(len(self)):
            yield self[number]


def open_run(directory: str | os.PathLike[str], *, custom_objects: dict[str, Any] | None = None) -> Run:
    """Reads a run, of `fit`, of `submit` or of the command line.

    Args:
        directory: The run's folder.
        custom_objects: Classes and functions of yours that its models need, by name, as for
            `keras.models.load_model`; registered ones are found anyway.
    """
    run = Run(directory)
    if not (run.directory / "ledger.sqlite").is_file():
        raise InvalidRequest(f"{run.directory} holds no run")
    run._custom_objects = dict(custom_objects or {})
    return run


def _metric_order(name: str) -> tuple[bool, bool, str]:
    return name.startswith("val_"), name.removeprefix("val_") != "loss", name
