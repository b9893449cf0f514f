"""Trials as runs of one experiment of MLflow, in a database that MLflow opens: the format ``mlflow`` of the export.

``mlflow.db`` is a store of MLflow's own (SQLite), ``mlartifacts/`` holds the models beside it. Both are written under
other names and then take their places; MLflow finds artifacts by their absolute path, so that the folder is not to be
moved.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable

DATABASE, ARTIFACTS = "mlflow.db", "mlartifacts"

# How a trial's end is called there; what has not ended runs.
STATUS = {"finished": "FINISHED", "failed": "FAILED", "diverged": "FAILED", "stopped": "KILLED"}

# The most that MLflow takes in one call, and the longest value of a parameter and of a tag.
METRICS, PARAMETERS = 1000, 100
LONGEST_PARAMETER, LONGEST_TAG = 6000, 5000


def write(job: dict, placed: Callable) -> dict[int, str | None]:
    """Writes all trials of the job; what is wrong with a trial, or None, by its number.

    Args:
        placed: Has a file or folder written under another name and renamed: `pronghorn.export._placed`.
    """
    reasons: dict[int, str | None] = {}
    artifacts = os.path.join(job["output"], ARTIFACTS)
    names: dict[int, str] = {}

    def database(path: str) -> None:
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=f"sqlite:///{path}")
        name = os.path.basename(os.path.normpath(job["run"]))
        experiment = client.create_experiment(name, artifact_location=f"file://{artifacts}")
        for trial in job["trials"]:
            try:
                names[trial["trial"]] = _log(client, experiment, trial, job)
                reasons[trial["trial"]] = None
            except Exception as error:
                reasons[trial["trial"]] = f"{type(error).__name__}: {' '.join(str(error).split())}"
        # The log beside the database is folded in when its last connection closes.
        client._tracking_client.store.engine.dispose()

    def models(path: str) -> None:
        os.makedirs(path)
        for trial in job["trials"]:
            if trial.get("model") and trial["trial"] in names:
                folder = os.path.join(path, names[trial["trial"]], "artifacts")
                os.makedirs(folder)
                shutil.copyfile(os.path.join(job["run"], trial["model"]), os.path.join(folder, "model.keras"))

    def both(path: str) -> None:
        database(path)
        placed(artifacts, job["force"], models)

    placed(os.path.join(job["output"], DATABASE), job["force"], both)
    return reasons


def _log(client, experiment: str, trial: dict, job: dict) -> str:
    """Logs one trial and returns the name of its run."""
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    begun = now - int(1000 * (trial.get("seconds") or 0))
    run = client.create_run(experiment, run_name=trial["name"], start_time=begun).info.run_id
    epochs = job["epochs"].get(str(trial["trial"]), {})
    metrics = [
        Metric(_key(name), value, begun + epoch, epoch)
        for name, values in trial["history"].items()
        for epoch, value in zip(epochs.get(name) or range(len(values)), values, strict=False)
        if value is not None
    ]
    parameters = [Param(_key(name), _text(value)[:LONGEST_PARAMETER]) for name, value in trial["parameters"].items()]
    tags = [
        RunTag(f"pronghorn.{name}", _text(trial[name])[:LONGEST_TAG])
        for name in ("trial", "seed", "partition_label", "status", "engine", "device", "message", "stopped_by")
        if trial.get(name) is not None
    ]
    client.log_batch(run, params=parameters[:PARAMETERS], tags=tags)
    for start in range(PARAMETERS, len(parameters), PARAMETERS):
        client.log_batch(run, params=parameters[start : start + PARAMETERS])
    for start in range(0, len(metrics), METRICS):
        client.log_batch(run, metrics=metrics[start : start + METRICS])
    status = STATUS.get(trial.get("status", "finished"))
    if status:
        client.set_terminated(run, status, end_time=now)
    return run


def _key(name: str) -> str:
    """The name in the letters that MLflow takes for keys."""
    return re.sub(r"[^\w\-. /]", "_", name)[:250] or "_"


def _text(value) -> str:
    return value if isinstance(value, str) else json.dumps(value)
