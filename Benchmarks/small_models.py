"""Times the training of many small models: Pronghorn, a process pool of ``Model.fit``, and ``vmap`` by hand.

Each way trains the same models (10 inputs, Dense 64 relu, Dense 1, Adam, mse), each on 1,000 rows of its own, in
batches of 32, for 10 epochs. The ways take turns, so that whatever else the machine does falls on all of them, and
medians are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS, BATCH, EPOCHS = 1000, 32, 10

EXPERIMENT = f"""\
name: small-models
model:
  layers: [{{Dense: {{units: 64, activation: relu}}}}, {{Dense: {{units: 1}}}}]
  compile: {{optimizer: adam, loss: mse}}
data: {{x: x.npy, y: y.npy}}
partition: {{count: MODELS}}
fit: {{epochs: {EPOCHS}, batch_size: {BATCH}}}
"""


def make_data(folder: Path, models: int) -> None:
    """Rows of a smooth function with noise, enough for every model."""
    import numpy as np

    generator = np.random.default_rng(0)
    x = generator.random((models * ROWS, 10), dtype=np.float32)
    y = np.sin(x @ generator.random((10, 1), dtype=np.float32))
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", (y + 0.1 * generator.standard_normal(y.shape)).astype(np.float32))
    (folder / "experiment.yaml").write_text(EXPERIMENT.replace("MODELS", str(models)))


def pronghorn(binary: str, folder: Path, *, cold: bool) -> dict:
    """One run of the tool; with ``cold`` no program has been lowered or compiled before it."""
    cache, output = folder / "cache", folder / "run"
    for part in ("programs", "executables") if cold else ():
        shutil.rmtree(cache / part, ignore_errors=True)
    environment = {"PRONGHORN_PYTHON": sys.executable, **os.environ, "PRONGHORN_CACHE": str(cache)}
    command = [binary, "train", str(folder / "experiment.yaml"), "--devices", "cpu", "--output", str(output), "--json"]
    began = time.perf_counter()
    answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    whole = time.perf_counter() - began
    results = subprocess.run([binary, "results", str(output), "--json"], check=True, capture_output=True, text=True)
    losses = [trial["metrics"]["loss"] for trial in json.loads(results.stdout)]
    shutil.rmtree(output)
    return {"whole": whole, "training": json.loads(answer.stdout)["train_seconds"], "loss": statistics.mean(losses)}


def in_python(way: str, folder: Path, models: int) -> dict:
    """One run of this file as a process of its own that trains in the given way."""
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, __file__, "--way", way, "--folder", str(folder), "--models", str(models)]
    began = time.perf_counter()
    answer = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    whole = time.perf_counter() - began
    return {"whole": whole, **json.loads(answer.stdout)}


def fit_one(folder: Path, number: int) -> float:
    """Trains a model with ``Model.fit`` and saves it; what a worker of the pool does."""
    import keras
    import numpy as np

    rows = slice(number * ROWS, (number + 1) * ROWS)
    x, y = (np.load(folder / name, mmap_mode="r")[rows] for name in ("x.npy", "y.npy"))
    keras.utils.set_random_seed(number)
    model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    history = model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    model.save(folder / "pool" / f"{number:04}.keras")
    return history.history["loss"][-1]


def import_keras() -> None:
    import keras  # noqa: F401


def pool(folder: Path, models: int) -> dict:
    """A worker a core, models handed out one at a time."""
    import functools
    import multiprocessing

    (folder / "pool").mkdir(exist_ok=True)
    workers = len(os.sched_getaffinity(0))
    with multiprocessing.get_context("spawn").Pool(workers, initializer=import_keras) as workers_pool:
        workers_pool.map(time.sleep, [0.5] * workers, chunksize=1)  # until all have imported Keras, or nearly
        began = time.perf_counter()
        losses = workers_pool.map(functools.partial(fit_one, folder), range(models), chunksize=1)
        return {"training": time.perf_counter() - began, "loss": statistics.mean(losses)}


def vectorized(folder: Path, models: int) -> dict:
    """All models in one ``vmap`` over a ``scan`` of steps: no Keras, nothing saved."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    began = time.perf_counter()
    x, y = (jnp.asarray(np.load(folder / name)).reshape(models, ROWS, -1) for name in ("x.npy", "y.npy"))

    def dense(key, rows, columns):
        limit = (6 / (rows + columns)) ** 0.5
        return {
            "kernel": jax.random.uniform(key, (rows, columns), minval=-limit, maxval=limit),
            "bias": jnp.zeros(columns),
        }

    def start(key):
        hidden, output = jax.random.split(key)
        weights = {"hidden": dense(hidden, 10, 64), "output": dense(output, 64, 1)}
        zeros = jax.tree.map(jnp.zeros_like, weights)
        return weights, zeros, zeros, 0

    def loss(weights, x, y):
        hidden = jax.nn.relu(x @ weights["hidden"]["kernel"] + weights["hidden"]["bias"])
        return jnp.mean((hidden @ weights["output"]["kernel"] + weights["output"]["bias"] - y) ** 2)

    def step(state, batch):
        weights, first, second, count = state
        value, gradients = jax.value_and_grad(loss)(weights, *batch)
        count = count + 1
        rate = 0.001 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        first = jax.tree.map(lambda m, g: m + 0.1 * (g - m), first, gradients)
        second = jax.tree.map(lambda v, g: v + 0.001 * (g * g - v), second, gradients)
        weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, first, second)
        return (weights, first, second, count), value

    def epoch(state, x, y, key):
        order = jax.random.permutation(key, ROWS)
        whole = ROWS // BATCH * BATCH
        batches = [a[order[:whole]].reshape(-1, BATCH, a.shape[-1]) for a in (x, y)]
        state, losses = jax.lax.scan(step, state, batches)
        state, last = step(state, [a[order[whole:]] for a in (x, y)])
        return state, (losses.sum() * BATCH + last * (ROWS - whole)) / ROWS

    keys = jax.random.split(jax.random.key(0), models)
    state = jax.jit(jax.vmap(start))(keys)
    train = jax.jit(jax.vmap(epoch), donate_argnums=0)
    for number in range(EPOCHS):
        state, losses = train(state, x, y, jax.vmap(jax.random.fold_in, (0, None))(keys, number))
    return {"loss": float(losses.mean()), "training": time.perf_counter() - began}


def report(runs: dict[str, list[dict]], counts: dict[str, int]) -> str:
    """A table of medians; the ratios are to Pronghorn with its program cached."""
    median = {
        way: {key: statistics.median(run[key] for run in taken) for key in taken[0]} for way, taken in runs.items()
    }
    own = next(iter(runs))
    lines = [
        "| | models | whole process, s | ratio | training, ms a model | ratio | mean last loss |",
        "|---|---|---|---|---|---|---|",
    ]
    for way, figures in median.items():
        each = 1000 * figures["training"] / counts[way]
        own_each = 1000 * median[own]["training"] / counts[own]
        comparable = counts[way] == counts[own]
        whole = f"{figures['whole'] / median[own]['whole']:.2f}" if comparable else "other count"
        lines.append(
            f"| {way} | {counts[way]} | {figures['whole']:.2f} | {whole} | {each:.2f} | {each / own_each:.2f} "
            f"| {figures['loss']:.5f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=1000, help="how many models (default 1000)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each way is run (default 5)")
    parser.add_argument("--binary", default=".build/release/pronghorn", help="the pronghorn executable")
    parser.add_argument("--pool-models", type=int, help="fewer models for the pool, whose time a model is constant")
    parser.add_argument("--way", choices=["pool", "vmap"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        train = {"pool": pool, "vmap": vectorized}[options.way]
        print(json.dumps(train(options.folder, options.models)))
        return

    binary = str(Path(options.binary).resolve())
    pool_models = options.pool_models or options.models
    with tempfile.TemporaryDirectory(prefix="small-models-") as name:
        folder = Path(name)
        make_data(folder, options.models)
        pronghorn(binary, folder, cold=True)  # what only a first run on a machine does is not timed
        ways = {
            "Pronghorn, program cached": lambda: pronghorn(binary, folder, cold=False),
            "Pronghorn, nothing compiled yet": lambda: pronghorn(binary, folder, cold=True),
            "process pool of Model.fit": lambda: in_python("pool", folder, pool_models),
            "vmap and scan by hand": lambda: in_python("vmap", folder, options.models),
        }
        runs: dict[str, list[dict]] = {way: [] for way in ways}
        for number in range(options.rounds):
            for way, run in ways.items():
                runs[way].append(run())
                print(f"round {number + 1}: {way}: {runs[way][-1]['whole']:.2f} s", file=sys.stderr, flush=True)
    counts = dict.fromkeys(ways, options.models) | {"process pool of Model.fit": pool_models}
    print(report(runs, counts))


if __name__ == "__main__":
    main()
