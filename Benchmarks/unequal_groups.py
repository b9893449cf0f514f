"""Times one model a group of very unequal groups: Pronghorn against ``Model.fit`` one after another.

300 groups of 40 to 40,000 rows, as many of each magnitude (10 inputs, Dense 32, BatchNormalization, ReLU, Dense 1,
Adam, mse and mae), in batches of 32. ``Model.fit`` trains a sample of the groups, each on its rows alone, from the same
first weights and in the same order of rows: the groups in order of size are cut into as many strata as are sampled, the
group of each whose size is nearest to the stratum's mean is trained, and its time counts for each group of the stratum.
The ways take turns; medians are compared.

The logs are compared epoch by epoch, and beside them those of `Model.fit` itself with one of its first weights greater
by the least that a float can be: what that changes is what rounding grows to.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GROUPS, LEAST, MOST, BATCH = 300, 40, 40_000, 32

MODEL = """\
import keras


def build():
    model = keras.Sequential(
        [
            keras.Input((10,)),
            keras.layers.Dense(32, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    return model
"""

EXPERIMENT = f"""\
name: unequal-groups
model: model.py:build
data: {{x: x.npy, y: y.npy, group: group.npy}}
partition: {{by: group}}
fit: {{epochs: EPOCHS, batch_size: {BATCH}, shuffle: false}}
"""


def sizes() -> list[int]:
    return [round(LEAST * (MOST / LEAST) ** (i / (GROUPS - 1))) for i in range(GROUPS)]


def make_data(folder: Path, epochs: int) -> None:
    import numpy as np

    generator = np.random.default_rng(0)
    group = generator.permutation(np.repeat(np.arange(GROUPS, dtype=np.int32), sizes()))
    x = generator.random((len(group), 10), dtype=np.float32)
    y = np.sin(x @ generator.random((10, 1), dtype=np.float32)) + 0.01 * group[:, None]
    np.save(folder / "group.npy", group)
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", (y + 0.1 * generator.standard_normal(y.shape)).astype(np.float32))
    (folder / "model.py").write_text(MODEL)
    (folder / "experiment.yaml").write_text(EXPERIMENT.replace("EPOCHS", str(epochs)))


def strata(count: int) -> list[tuple[int, int]]:
    """The group that is trained of each stratum, and how many groups it stands for."""
    rows = sizes()
    bounds = [round(i * GROUPS / count) for i in range(count + 1)]
    chosen = []
    for first, end in itertools.pairwise(bounds):
        mean = statistics.mean(rows[first:end])
        chosen.append((min(range(first, end), key=lambda group: abs(rows[group] - mean)), end - first))
    return chosen


def pronghorn(binary: str, folder: Path, *, cold: bool) -> dict:
    """One run of the tool; with ``cold`` no program has been lowered or compiled before it."""
    cache, output = folder / "cache", folder / "run"
    for part in ("programs", "executables") if cold else ():
        shutil.rmtree(cache / part, ignore_errors=True)
    environment = {"PRONGHORN_PYTHON": sys.executable, **os.environ, "PRONGHORN_CACHE": str(cache)}
    command = [binary, "train", str(folder / "experiment.yaml"), "--devices", "cpu", "--output", str(output), "--json"]
    began = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - began

    def asked(verb: str) -> str:
        return subprocess.run([binary, verb, str(output), "--json"], check=True, capture_output=True, text=True).stdout

    trials = {round(float(trial["partition_label"])): trial["history"] for trial in json.loads(asked("results"))}
    padding = json.loads(asked("status"))["padding"]
    shutil.rmtree(output)
    return {"seconds": seconds, "histories": trials, "padding": padding}


def keras_fit(folder: Path, epochs: int, sampled: int, *, nudged: bool = False) -> dict:
    """``Model.fit`` of the sampled groups, in a process of its own; imports are not timed.

    With ``nudged`` the first weight of each model begins as the next greater float.
    """
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, __file__, "--fit", str(folder), "--epochs", str(epochs), "--sampled", str(sampled)]
    command += ["--nudged"] if nudged else []
    answer = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    taken = json.loads(answer.stdout.splitlines()[-1])
    return {**taken, "histories": {int(group): history for group, history in taken["histories"].items()}}


def fit(folder: Path, epochs: int, sampled: int, *, nudged: bool) -> None:
    import keras
    import numpy as np

    sys.path.insert(0, str(folder))
    import model as models

    x, y, group = (np.load(folder / name) for name in ("x.npy", "y.npy", "group.npy"))
    histories, total = {}, 0.0
    for chosen, stands_for in strata(sampled):
        rows = group == chosen
        began = time.perf_counter()
        keras.utils.set_random_seed(0)
        model = models.build()
        if nudged:
            weights = model.get_weights()
            weights[0].flat[0] = np.nextafter(weights[0].flat[0], np.float32(np.inf))
            model.set_weights(weights)
        history = model.fit(x[rows], y[rows], batch_size=BATCH, epochs=epochs, shuffle=False, verbose=0).history
        model.save(folder / "fit.keras")
        total += stands_for * (time.perf_counter() - began)
        histories[chosen] = history
    print(json.dumps({"seconds": total, "histories": histories}))


def worst(ours: dict, theirs: dict) -> list[float]:
    """The greatest relative difference between the logs of the sampled groups, for each epoch."""
    differences = [
        [abs(one - two) / max(abs(one), abs(two), 1e-30) for one, two in zip(ours[group][metric], values, strict=True)]
        for group, history in theirs.items()
        for metric, values in history.items()
    ]
    return list(map(max, zip(*differences, strict=True)))


def shown(differences: list[float]) -> str:
    return " ".join(f"{difference:.1e}" for difference in differences)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3, help="how often each way is run (default 3)")
    parser.add_argument("--sampled", type=int, default=10, help="groups that Model.fit trains (default 10)")
    parser.add_argument("--binary", default=".build/release/pronghorn", help="the pronghorn executable")
    parser.add_argument("--fit", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--nudged", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fit:
        fit(options.fit, options.epochs, options.sampled, nudged=options.nudged)
        return

    binary = str(Path(options.binary).resolve())
    runs: dict[str, list[dict]] = {
        "Model.fit one after another": [],
        "Pronghorn, nothing compiled yet": [],
        "cached": [],
    }
    fits, cold, cached = runs.values()
    with tempfile.TemporaryDirectory(prefix="unequal-groups-") as name:
        folder = Path(name)
        make_data(folder, options.epochs)
        for _ in range(options.rounds):
            cold.append(pronghorn(binary, folder, cold=True))
            cached.append(pronghorn(binary, folder, cold=False))
            fits.append(keras_fit(folder, options.epochs, options.sampled))
        nudged = keras_fit(folder, options.epochs, options.sampled, nudged=True)
    medians = {way: statistics.median(run["seconds"] for run in taken) for way, taken in runs.items()}
    whole = medians["Model.fit one after another"]
    print(f"{GROUPS} groups of {LEAST} to {MOST} rows, {sum(sizes())} rows, {options.epochs} epochs;")
    print(f"Model.fit trained {options.sampled} of them, each standing for its stratum of sizes")
    print(f"padding: {100 * cold[0]['padding']:.1f}% of the steps of lanes")
    print("greatest relative difference of a log from Model.fit's, epoch by epoch:")
    print(f"  Pronghorn: {shown(worst(cold[0]['histories'], fits[0]['histories']))}")
    print(f"  Model.fit from a weight one float greater: {shown(worst(nudged['histories'], fits[0]['histories']))}")
    for way, seconds in medians.items():
        print(f"{way}: {seconds:.1f} s, Model.fit takes {whole / seconds:.1f} times as long")


if __name__ == "__main__":
    main()
