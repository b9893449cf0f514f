"""Calls the user's ``summarize`` function on the results of a run: ``python -m pronghorn.summarize FILE FUNCTION RUN``.

The results, a list of dictionaries as ``pronghorn results --json`` prints them, come on standard input; what the
function returns goes to standard output as JSON. The function is called with the results and the run's folder, a
``pathlib.Path``; ``model`` in a result is relative to that folder.
"""

import contextlib
import importlib.util
import json
import pathlib
import sys

from pronghorn import lifeline


def main() -> None:
    lifeline.watch()
    path, name, run = sys.argv[1:4]
    results = json.load(sys.stdin)
    sys.path.insert(0, str(pathlib.Path(path).resolve().parent))
    spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    # What the function prints is for people, and must not get between the lines of its answer.
    with contextlib.redirect_stdout(sys.stderr):
        spec.loader.exec_module(module)
        summary = getattr(module, name)(results, pathlib.Path(run))
    json.dump(summary, sys.stdout, indent=1, default=_plain)


def _plain(value):
    """NumPy's numbers and arrays as Python's own."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON: return numbers, texts, lists and dictionaries")


if __name__ == "__main__":
    main()
