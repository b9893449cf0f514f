"""Makes program bundles of three small models, for tests that run bundles without Python.

usage: python make_bundle.py OUT_DIR [LANES STEPS] [MODEL ...]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

ROWS, TAIL = 32, 7
HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = {
    "dense": ([10], [1], "float32"),
    "conv": ([12, 12, 1], [], "int32"),
    "lstm": ([8, 4], [1], "float32"),
}


def main(arguments: list[str]) -> int:
    out = os.path.abspath(arguments[0])
    numbers = [int(a) for a in arguments[1:] if a.isdigit()]
    lanes, steps = numbers if numbers else (4, 5)
    names = [a for a in arguments[1:] if not a.isdigit()] or list(MODELS)
    requests = []
    for name in names:
        folder = os.path.join(out, name)
        x, y, dtype = MODELS[name]
        requests.append(
            {
                "do": "describe",
                "output": folder,
                "model": {"kind": "function", "file": os.path.join(HERE, "models.py"), "function": name},
                "inputs": {
                    "x": [{"name": "x", "shape": x, "dtype": "float32"}],
                    "y": [{"name": "y", "shape": y, "dtype": dtype}],
                    "sample_weight": None,
                },
                "batch_size": ROWS,
                "vary": {"learning_rate": [0.001, 0.01]},
            }
        )
        each = [
            {"name": kind, "lanes": lanes, "steps": count, "rows": rows, "form": "vectorized"}
            for kind in ("train", "evaluate", "predict")
            for count, rows in ((steps, ROWS), (1, TAIL))
        ]
        requests.append({"do": "lower", "output": folder, "functions": [{"name": "initialize", "lanes": lanes}, *each]})
    lines = "".join(json.dumps({"id": i, **request}) + "\n" for i, request in enumerate(requests, start=1))
    answers = subprocess.run(
        [sys.executable, "-m", "pronghorn.lowering"],
        input=lines,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.path.dirname(HERE)},
    ).stdout
    sys.stderr.write(answers)
    return 1 if '"failed"' in answers else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
