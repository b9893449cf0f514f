"""Repeats the trials of a run in real Keras, and says how far apart the two are.

Usage: python -m conformance.compare RUN RESULTS.json SIGNATURE

Each trial is trained by `Model.fit` from the first weights that the run kept, in the same order of rows. A line of JSON
a case is printed: the largest differences of its trials by kind, and what is wrong with it.

A difference of logs is relative to the greater of the two figures. A difference of a leaf (a weight, a slot of the
optimizer, a state) is relative to the largest number of the leaf. What differs by more than the tolerance is trained
again by Keras alone, from first weights changed by one last bit of the type that the model computes in: when that moves
it as far, the difference is the model's own amplification of rounding, which is listed and not counted against us.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import warnings

import keras
import numpy as np
from keras.src.backend.common import global_state

from conformance import signatures
from conformance.cases import all_cases

warnings.filterwarnings("ignore")

TOLERANCE = 1e-5
DIVERGED = 1e6
"""No figure of a case that trains is as large."""
SEEDS = "seed_generator_state"
NUDGES, AMPLIFIED = 4, 4
"""Up to so many times the most that so many changes by one last bit make is rounding that the model amplifies."""


def main(run: str, results: str, signature: str) -> None:
    # Keras's own and our prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    with open(results) as file:
        trials = json.load(file)
    by_case: dict[str, list[dict]] = {}
    for trial in trials:
        by_case.setdefault(trial["parameters"]["case"], []).append(trial)
    cases = {case.name: case for case in all_cases()}
    data = signatures.signature(signature)
    for name, group in by_case.items():
        answers.write(json.dumps({"case": name, **_found(run, cases[name], group, data)}) + "\n")


def _found(run: str, case, trials: list[dict], data) -> dict:
    try:
        return Comparison(run, case, data).of(trials)
    except Exception as error:
        return {"problems": [" ".join(f"{type(error).__name__}: {error}".split())[:300]]}


class Comparison:
    """One case: a compiled model that is given the weights of every trial in turn."""

    def __init__(self, run: str, case, data):
        self.run = run
        self.case = case
        self.training, self.validation = data.part(False), data.part(True)
        # What one case sets must not reach the next.
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
        keras.config.set_image_data_format("channels_last")
        keras.utils.set_random_seed(0)
        self.worst: dict[str, float] = {}
        self.at: dict[str, str] = {}
        self.problems: list[str] = []
        self.amplified: dict[str, list[float]] = {}

    def of(self, trials: list[dict]) -> dict:
        self.fitter = None
        moved = np.zeros(0, bool)
        for number, trial in enumerate(trials):
            if trial["status"] != "finished":
                self.problems.append(f"{trial['name']}: {trial['status']}: {trial['message']}")
                continue
            # What the build sets for all of Keras (a policy) must stand when a file is loaded.
            built = self._built(trial)
            initial = self._loaded(trial["name"] + ".initial.keras", built)
            if self.fitter is None:
                alike = [v.shape for v in _variables(built)] == [v.shape for v in _variables(initial)]
                self.fitter = built if alike else initial
                self.paths = [variable.path for variable in _variables(self.fitter)]
            start = self._start(number, trial, _state(initial))
            expected = self._fit(start)
            if not np.all(np.abs([value for values in expected["logs"].values() for value in values]) < DIVERGED):
                self.problems.append(f"{trial['name']}: diverges in Keras too, which shows nothing")
            self._compare(number, trial, start, expected)
            change = np.asarray([np.any(now != was) for now, was in zip(expected["trained"], start, strict=False)])
            moved = change if not moved.size else moved | change
        pairs = zip(self.fitter.trainable_variables, moved, strict=False) if moved.size else ()
        still = [v.path for v, has in pairs if not has and not any(part in v.path for part in self.case.still)]
        if still:
            self.problems.append(f"training did not move {', '.join(still)}")
        return {
            "worst": self.worst,
            "at": self.at,
            "amplified": self.amplified,
            "problems": self.problems,
            "tolerance": TOLERANCE,
        }

    def _built(self, trial: dict) -> keras.Model:
        """The model as the user's function builds it, with all its settings: files lack some (Huber's `delta`)."""
        # Automatic names, by which metrics log, would count on from one build to the next.
        global_state.set_global_attribute("object_name_uids", None)
        keras.utils.set_random_seed(trial["seed"])
        built = self.case.build()
        if built.built:
            built.optimizer.build(built.trainable_variables)
        return built

    def _start(self, number: int, trial: dict, kept: list[np.ndarray]) -> list[np.ndarray]:
        """The first state as the run kept it, with the seeds that no model file holds; Keras draws both alike."""
        built = self._built(trial)
        if self.case.merges:
            return _state(built)
        drawn = [v for v in built.variables if SEEDS in v.path]
        if built.built:
            weights = [v for v in [*built.trainable_variables, *built.non_trainable_variables] if SEEDS not in v.path]
            ours = [(path, value) for path, value in zip(self.paths, kept, strict=True) if SEEDS not in path]
            for (path, value), variable in zip(ours, weights, strict=False):
                self._note("first weights", _apart(value, variable.value), f"{path} of trial {number}")
        places = [place for place, path in enumerate(self.paths) if SEEDS in path]
        start = list(kept)
        for place, variable in zip(places, drawn, strict=True):
            start[place] = np.array(variable.value)
        return start

    def _note(self, kind: str, difference: float, where: str) -> None:
        if not difference <= self.worst.get(kind, -1.0):
            self.worst[kind], self.at[kind] = difference, where

    def _loaded(self, name: str, built: keras.Model) -> keras.Model:
        """The model of a file; where Keras loads no file of this model, its own included, its weights in `built`."""
        path = os.path.join(self.run, "models", name)
        try:
            # Only a model of this very sweep is loaded: its Lambda layers are ours.
            return keras.models.load_model(path, safe_mode=False)
        except (TypeError, ValueError):
            if self._loads_its_own(built):
                raise
            built.load_weights(path)
            return built

    @staticmethod
    def _loads_its_own(model: keras.Model) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "own.keras")
            model.save(path)
            try:
                keras.models.load_model(path, safe_mode=False)
            except (TypeError, ValueError):
                return False
            return True

    def _fit(self, start: list[np.ndarray]) -> dict:
        _assign(self.fitter, start)
        validation = (self.validation.x, self.validation.y)
        if self.validation.weight is not None:
            validation = (*validation, self.validation.weight)
        history = self.fitter.fit(
            self.training.x,
            self.training.y,
            sample_weight=self.training.weight,
            batch_size=signatures.BATCH,
            epochs=signatures.EPOCHS,
            validation_data=validation,
            shuffle=False,
            verbose=0,
        ).history
        # Before `predict`, which gives away what an optimizer's averages and the weights share.
        leaves = trained = _state(self.fitter)
        if self.case.merges:
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "trained.keras")
                self.fitter.save(path)
                leaves = _state(keras.models.load_model(path))
        _assign(self.fitter, trained)
        return {"logs": history, "trained": trained, "leaves": leaves, "outputs": self._outputs()}

    def _outputs(self) -> list[np.ndarray]:
        import jax

        outputs = self.fitter.predict(self.validation.x, batch_size=signatures.VALIDATION, verbose=0)
        return [np.asarray(leaf) for leaf in jax.tree.leaves(outputs)]

    def _compare(self, number: int, trial: dict, start: list, expected: dict) -> None:
        name = trial["name"]
        last = _state(self._loaded(os.path.basename(trial["model"]), self._built(trial)))
        if [leaf.shape for leaf in last] != [leaf.shape for leaf in start]:
            self.problems.append(f"{name}: the model holds other variables than Keras's")
            return
        _assign(self.fitter, last)
        ours = {"logs": trial["history"], "leaves": last, "outputs": self._outputs()}
        if sorted(ours["logs"]) != sorted(expected["logs"]):
            self.problems.append(f"{name}: logs {sorted(ours['logs'])}, Keras has {sorted(expected['logs'])}")
            return
        differences = list(self._differences(ours, expected))
        nudged: dict[str, float] = {}
        if any(not difference <= TOLERANCE for *_, difference in differences):
            for draw in range(NUDGES):
                again = self._fit(self._nudged(start, draw))
                for kind, where, apart in self._differences(again, expected):
                    nudged[kind + where] = max(apart, nudged.get(kind + where, 0.0))
        for kind, where, difference in differences:
            if not difference <= TOLERANCE:
                own = nudged.get(kind + where, 0.0)
                if difference <= AMPLIFIED * own:
                    known = self.amplified.get(where, [0.0, 0.0])
                    self.amplified[where] = [max(known[0], difference), max(known[1], own)]
                    continue
            self._note(kind, difference, f"{where} of trial {number}")

    def _differences(self, ours: dict, theirs: dict):
        for metric, values in theirs["logs"].items():
            if len(values) != len(ours["logs"][metric]):
                yield "logs", metric, float("inf")
            for epoch, (one, two) in enumerate(zip(ours["logs"][metric], values, strict=False)):
                yield "logs", f"{metric} {epoch}", _apart(one, two)
        for path, one, two in zip(self.paths, ours["leaves"], theirs["leaves"], strict=True):
            # The seeds of dropout and the like are in no model file.
            if SEEDS not in path:
                yield "leaves", path, _apart(one, two)
        for index, (one, two) in enumerate(zip(ours["outputs"], theirs["outputs"], strict=True)):
            yield "outputs", f"output {index}", _apart(one, two)

    def _nudged(self, state: list[np.ndarray], number: int) -> list[np.ndarray]:
        """The state with every float of it moved by a last bit of what the model computes in, up or down by chance."""
        draw = np.random.default_rng(number)
        types = {layer.compute_dtype for layer in self.fitter._flatten_layers()}
        bits = next((2.0**-bits for name, bits in (("bfloat16", 8), ("float16", 11)) if name in types), 2.0**-23)
        nudged = []
        for path, value in zip(self.paths, state, strict=True):
            if value.dtype == np.float32 and "learning_rate" not in path:
                # A weight that is zero stays so: it has no neighbour worth the name.
                value = (value * (1 + bits * draw.choice([-1.0, 1.0], value.shape))).astype("float32")
            nudged.append(value)
        return nudged


def _variables(model) -> list:
    """Everything that training changes and a model file keeps."""
    return [*model.trainable_variables, *model.non_trainable_variables, *model.optimizer.variables]


def _state(model) -> list[np.ndarray]:
    return [np.array(variable.value) for variable in _variables(model)]


def _assign(model, state: list[np.ndarray]) -> None:
    for variable, value in zip(_variables(model), state, strict=True):
        variable.assign(value)


def _apart(ours, theirs) -> float:
    """The largest difference, relative to the largest number."""
    ours, theirs = (np.asarray(np.nan if v is None else v).astype("float64") for v in (ours, theirs))
    if ours.shape != theirs.shape or np.any(np.isfinite(ours) != np.isfinite(theirs)):
        return float("inf")
    ours, theirs = np.nan_to_num(ours), np.nan_to_num(theirs)
    apart = np.max(np.abs(ours - theirs), initial=0)
    return 0.0 if apart == 0 else float(apart / max(np.max(np.abs(ours)), np.max(np.abs(theirs))))


if __name__ == "__main__":
    main(*sys.argv[1:])
