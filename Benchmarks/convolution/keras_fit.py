"""Trains the network of ``images.py`` with plain ``Model.fit``, one after another, and prints the seconds each took.

The first of them pays for compiling; in Keras on JAX every further model compiles anew, so that the others do too.
"""

import argparse
import json
import os
import time

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=3, help="how many models (default 3)")
    parser.add_argument("--epochs", type=int, default=5, help="epochs of each (default 5, as in experiment.yaml)")
    options = parser.parse_args()

    import images
    import jax
    import keras

    data = images.load()
    runs = []
    for seed in range(options.models):
        keras.utils.set_random_seed(seed)
        began = time.perf_counter()
        history = images.build().fit(
            data["x"], data["y"], epochs=options.epochs, batch_size=64, validation_split=0.25, verbose=0
        )
        last = {name: values[-1] for name, values in history.history.items()}
        runs.append({"seconds": time.perf_counter() - began, **last})
    print(json.dumps({"platform": jax.devices()[0].platform, "runs": runs}))


if __name__ == "__main__":
    main()
