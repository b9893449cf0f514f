"""The experiments that are disturbed: small, and each of a kind that is kept and resumed in a way of its own."""

from __future__ import annotations

import array
import random
from dataclasses import dataclass, field
from pathlib import Path

MODELS = """\
import keras
import numpy
from keras import layers


def regression(units=4):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(units, activation="relu"), layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def dropout(units=4):
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(units, activation="relu"), layers.Dropout(0.1), layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.02), "mse", metrics=["mae"])
    return model


def normalized(units=4):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Normalization(name="scale"),
            layers.Dense(units, activation="relu"),
            layers.BatchNormalization(),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "mse", metrics=["mae"])
    return model


def data():
    draws = numpy.random.default_rng(7)
    x = draws.normal(size=(240, 6))
    return {"x": x, "y": x[:, :1] * 2 + x[:, 1:2] ** 2}


def summary(results, folder):
    return {"trials": len(results), "losses": [round(result["metrics"]["loss"], 6) for result in results]}
"""


@dataclass(frozen=True)
class Experiment:
    """An experiment file, and how often a run of it is killed."""

    name: str
    text: str
    kills_a_run: float = 6.0
    """How many kills fall into the time that a run takes undisturbed, on average."""
    every: int = 1
    """In how many rounds of all experiments it is run once."""
    is_cold: bool = False
    """Whether each run begins with an empty cache, so that Python lowers its programs."""
    victims: dict[str, float] = field(default_factory=lambda: {"control": 5, "runner": 3, "python": 4})
    """How likely each kind of process is chosen, where there is one."""
    pythons: tuple[str, ...] = ()
    """The Python processes that its run starts."""


COHORTS = Experiment(
    "cohorts",
    """\
model: models.py:regression
data: {x: x.npy, y: y.npy}
trials: {units: [4, 6], seed: {range: 6}}
# An epoch goes on where the one before ended: 10, 10 and 4 of the 24 batches there are.
fit: {epochs: 120, batch_size: 16, validation: 0.25, steps_per_epoch: 10}
save: [initial, all, best]
checkpoint: {every_epochs: 15}
""",
)

CALLBACKS = Experiment(
    "callbacks",
    """\
model: models.py:dropout
data: {x: x.npy, y: y.npy}
partition: {count: 3}
trials: {seed: {range: 5}, learning_rate: [0.02, 0.05]}
fit: {epochs: 80, batch_size: 16, validation: 0.2}
callbacks:
  - reduce_lr_on_plateau: {factor: 0.5, patience: 4}
  - model_checkpoint: {save_best_only: true}
  - early_stopping: {patience: 10, restore_best_weights: true}
  - csv_logger
save: [all, initial]
checkpoint: {every_epochs: 10}
""",
)

FOLDS = Experiment(
    "folds",
    """\
model: models.py:dropout
data: models.py:data
partition: {folds: 3}
trials: {seed: {range: 4}}
fit: {epochs: 60, batch_size: 16}
save: [all, {best: val_mae}]
summarize: models.py:summary
checkpoint: {every_seconds: 0.05}
""",
    pythons=("summarize",),
)

# Lanes of unlike numbers of rows, whose last batches are masked, each normalized by its own training rows.
GROUPS = Experiment(
    "groups",
    """\
model: models.py:normalized
adapt: true
data: {x: x.npy, y: y.npy, shop: shop.npy}
partition: {by: shop}
trials: {seed: {range: 2}}
fit: {epochs: 80, batch_size: 16, validation: 0.2}
save: [all, initial, best]
checkpoint: {every_epochs: 10}
""",
)

FIT = Experiment(
    "fit",
    """\
model: models.py:regression
data: {x: x.npy, y: y.npy}
trials: {units: [3, 5], seed: {range: 2}}
fit: {epochs: 3, batch_size: 64, validation: 0.25}
callbacks: [csv_logger, {model_checkpoint: {save_best_only: true}}]
save: [all, best, initial]
engine: fit
""",
    kills_a_run=3.0,
    every=8,
    victims={"control": 1, "runner": 0, "python": 2},
    pythons=("fit_runner",),
)

COLD = Experiment(
    "cold",
    """\
model: models.py:regression
data: models.py:data
trials: {units: [4, 6], seed: {range: 3}}
fit: {epochs: 100, batch_size: 16, validation: 0.25}
save: [all]
summarize: models.py:summary
""",
    kills_a_run=1.5,
    every=12,
    is_cold=True,
    pythons=("prepare_data", "lowering", "summarize"),
)

ALL = [COHORTS, CALLBACKS, FOLDS, GROUPS, FIT, COLD]


def write_files(experiment: Experiment, folder: Path) -> None:
    """Writes the experiment file and all that it names."""
    folder.mkdir(parents=True, exist_ok=True)
    draws = random.Random(5)
    rows = [[draws.gauss(0, 1) for _ in range(6)] for _ in range(512)]
    _write_array(folder / "x.npy", [value for row in rows for value in row], (512, 6))
    _write_array(folder / "y.npy", [2 * row[0] + row[1] ** 2 for row in rows], (512, 1))
    sizes = (256, 128, 64, 32, 16, 8, 8)
    _write_array(folder / "shop.npy", [shop for shop, rows in enumerate(sizes) for _ in range(rows)], (512,))
    (folder / "models.py").write_text(MODELS)
    (folder / "experiment.yaml").write_text(experiment.text)


def _write_array(path: Path, values: list[float], shape: tuple[int, ...]) -> None:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    path.write_bytes(data + array.array("f", values).tobytes())
