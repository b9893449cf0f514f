"""Runs the sweep: an experiment a signature through `pronghorn train`, then the same trials in Keras.

Usage: python -m conformance.sweep --binary PRONGHORN --output DIR [--only PATTERN] [--third] [--without-fit]

DIR/findings.json holds what was found, a record a case; `conformance.report` makes a page of it. What neither a lowered
program nor `Model.fit` under JAX trains is tried by `Model.fit` under TensorFlow, unless `--without-fit` leaves out all
that cannot be lowered.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

from conformance import signatures
from conformance.case import Case
from conformance.cases import all_cases
from conformance.exports import missing

SEEDS = 3
HERE = Path(__file__).parent
UNLOWERED = {
    "core/Dense-lora": "merges weights when it is saved",
    "core/Embedding-lora": "merges weights when it is saved",
    "metrics/R2Score-adjusted": "asks in Python how many rows there were, which no compiled step can answer",
    "models/eager": "is compiled with run_eagerly",
    "models/own-layer-unseeded": "draws without a seed, which Keras refuses under JAX",
    "preprocessing/AugMix-deeper": "chooses by Python's `random` while it is traced",
    "preprocessing/AugMix-plain": "chooses by Python's `random` while it is traced",
    "preprocessing/Discretization-adapted": "adapts by TensorFlow",
    "preprocessing/HashedCrossing-int": "hashes by TensorFlow",
    "preprocessing/HashedCrossing-one-hot": "hashes by TensorFlow",
    "preprocessing/Hashing-plain": "hashes by TensorFlow",
    "preprocessing/Hashing-salt-multi-hot": "hashes by TensorFlow",
    "preprocessing/IntegerLookup-multi-hot": "looks up by TensorFlow",
    "preprocessing/IntegerLookup-vocabulary": "looks up by TensorFlow",
    "preprocessing/JaxLayer-stateful": "traces by TensorFlow",
    "preprocessing/MaxNumBoundingBoxes-fewer": "takes no symbolic boxes",
    "preprocessing/MaxNumBoundingBoxes-more": "takes no symbolic boxes",
    "preprocessing/RandomCrop-smaller": "leaves training images as large as they are, under JAX",
    "preprocessing/RandomElasticTransform-nearest": "needs a number while it is traced",
    "preprocessing/RandomElasticTransform-plain": "needs a number while it is traced",
    "preprocessing/StringLookup-no-oov-mask": "takes text",
    "preprocessing/StringLookup-vocabulary": "takes text",
    "preprocessing/TFSMLayer-frozen": "holds a program of TensorFlow's",
    "preprocessing/TFSMLayer-trainable": "holds a program of TensorFlow's",
    "preprocessing/TextVectorization-int": "takes text",
    "preprocessing/TextVectorization-ngrams": "takes text",
}
"""Cases that no program can be lowered for, and why: what is not here must be native."""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--third", action="store_true")
    parser.add_argument("--without-fit", action="store_true")
    options = parser.parse_args()
    cases = all_cases()
    wrong = missing(cases)
    if wrong:
        print(*wrong, sep="\n")
        return 1
    cases = [case for case in cases if re.search(options.only, case.name)]
    if options.third:
        cases = [case for case in cases if in_third(case.name)]
    if options.without_fit:
        cases = [case for case in cases if case.name not in UNLOWERED]
    found = sweep(cases, options.binary, options.output)
    versions = {name: importlib.metadata.version(name) for name in ("keras", "jax")}
    (options.output / "findings.json").write_text(json.dumps({**versions, "cases": found}, indent=1))
    bad = [finding for finding in found if finding["problems"]]
    for finding in bad:
        print(finding["case"], *finding["problems"], sep="\n    ")
    print(f"{len(found)} cases, {len(bad)} with problems")
    return 1 if bad else 0


def in_third(name: str) -> bool:
    """Whether a case is of the fixed third that every test run takes."""
    return zlib.crc32(name.encode()) % 3 == 0


def sweep(cases: list[Case], binary: str, output: Path) -> list[dict]:
    """Trains and compares all cases; a signature is compared while the next one trains."""
    by_signature: dict[str, list[Case]] = {}
    for case in cases:
        by_signature.setdefault(case.signature, []).append(case)
    found: dict[str, dict] = {}
    comparing = []
    for signature, group in by_signature.items():
        folder = output / signature
        folder.mkdir(parents=True, exist_ok=True)
        names = [case.name for case in group]
        trials = train(names, signature, binary, folder, "run")
        untrained = [name for name in names if any(t["status"] != "finished" for t in trials[name])]
        again = train(untrained, signature, binary, folder, "again", engine="fit", backend="tensorflow")
        for name in names:
            found[name] = _engine(name, trials[name], again.get(name))
        if len(untrained) < len(names):
            comparing.append((folder, _comparison(folder, signature)))
        print(f"{signature}: {len(names)} cases trained", file=sys.stderr, flush=True)
    for folder, process in comparing:
        lines = process.communicate()[0].splitlines()
        if process.returncode != 0:
            raise RuntimeError(f"the comparison failed: see {folder / 'compare.log'}")
        for line in lines:
            compared = json.loads(line)
            if found[compared["case"]]["engine"] in ("native", "fit/jax"):
                found[compared["case"]].update({**compared, "problems": _problems(compared, found)})
    return [{**found[case.name], "third": in_third(case.name)} for case in cases]


def train(names: list[str], signature: str, binary: str, folder: Path, run: str, **more) -> dict[str, list[dict]]:
    """Trains the cases of a signature in one run; returns their trials, as `pronghorn results --json` has them."""
    if not names:
        return {}
    described = signatures.write(signature, str(folder))
    fit = {"epochs": signatures.EPOCHS, "batch_size": signatures.BATCH, "shuffle": False, "on_divergence": "continue"}
    experiment = {
        "model": f"{HERE / 'models.py'}:build",
        "data": described["data"],
        "trials": {"case": names, "seed": {"range": SEEDS}},
        "fit": {**fit, "validation": described["validation"]},
        "save": ["initial", "all"],
        **more,
    }
    (folder / f"{run}.yaml").write_text(json.dumps(experiment, indent=1))
    shutil.rmtree(folder / run, ignore_errors=True)
    command = [binary, "train", f"{run}.yaml", "--devices", "cpu:1", "--output", run, "--json"]
    outcome = subprocess.run(command, cwd=folder, text=True, capture_output=True)
    (folder / f"{run}.log").write_text(outcome.stdout + outcome.stderr)
    if outcome.returncode not in (0, 1):
        raise RuntimeError(f"{signature}: {outcome.stderr}")
    command = [binary, "results", run, "--json"]
    results = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=True).stdout
    (folder / f"{run}.json").write_text(results)
    trials: dict[str, list[dict]] = {}
    for trial in json.loads(results):
        trials.setdefault(trial["parameters"]["case"], []).append(trial)
    return trials


def _engine(name: str, trials: list[dict], again: list[dict] | None) -> dict:
    """What trained a case, and why that."""
    found = {"case": name, "problems": [], "reason": trials[0].get("engine_reason") or ""}
    if again is None:
        # `backend: auto` says in its reason that it is TensorFlow that trains.
        fit = "fit/tensorflow" if "needs TensorFlow" in found["reason"] else "fit/jax"
        found["engine"] = "native" if trials[0]["engine"] == "native" else fit
        if found["engine"] != "native" and name not in UNLOWERED:
            found["problems"].append(f"is not native: {found['reason']}")
    elif all(trial["status"] == "finished" for trial in again):
        found["engine"] = "fit/tensorflow"
    else:
        found["engine"] = "impossible"
        found["reason"] = again[0]["message"] or ""
    if found["engine"] != "native":
        found["reason"] = f"it {UNLOWERED[name]}; {found['reason']}" if name in UNLOWERED else found["reason"]
    if found["engine"] in ("fit/tensorflow", "impossible") and name not in UNLOWERED:
        found["problems"].append(f"does not train under JAX: {trials[0]['message']}")
    return found


def _problems(compared: dict, found: dict) -> list[str]:
    """What is wrong with a case, its differences beyond the tolerance among it."""
    problems = [*found[compared["case"]]["problems"], *compared["problems"]]
    if "random" in UNLOWERED.get(compared["case"], ""):
        # Two runs of Keras differ as well.
        return problems
    for kind, difference in compared.get("worst", {}).items():
        if difference > compared["tolerance"]:
            problems.append(f"{kind} differ by {difference:.1e}: {compared['at'][kind]}")
    return problems


def _comparison(folder: Path, signature: str) -> subprocess.Popen:
    errors = (folder / "compare.log").open("w")
    command = [sys.executable, "-m", "conformance.compare", "run", "run.json", signature]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    return subprocess.Popen(command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=errors, env=environment)


if __name__ == "__main__":
    sys.exit(main())
