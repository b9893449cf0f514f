"""The program bundle: a folder with `program.json`, the template and one file a function."""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
from collections.abc import Callable

import jax
import numpy as np

from pronghorn import durable
from pronghorn.lowering import (
    adaptation,
    averages,
    halting,
    jaxprs,
    monitoring,
    parameters,
    schedule,
    sources,
    template,
)
from pronghorn.lowering.artifacts import serialize
from pronghorn.lowering.failures import LoweringFailure, describe_error, failure_from
from pronghorn.lowering.functions import Functions
from pronghorn.lowering.initialization import Initialization
from pronghorn.lowering.lifting import Lifting
from pronghorn.lowering.model import Builder, disagreement
from pronghorn.lowering.rows import NotMaskable
from pronghorn.lowering.state import State
from pronghorn.lowering.tensors import Inputs
from pronghorn.lowering.variation import Variation

VERSION = 2
STABLEHLO = "1.13.0"
TOO_LARGE_TO_BUILD_TWICE = 50_000_000
STEPPING = ("train", "evaluate")
NAMES = ("initialize", *STEPPING, "predict", "finalize")
FORMS = {"vectorized": "v", "looped": "l", "masked": "m", "masked_looped": "ml"}
"""How the lanes of a function are computed, and what stands for it in a file's name."""
MASKED, LOOPED = ("masked", "masked_looped"), ("looped", "masked_looped")

Progress = Callable[[str], None]


class Bundle:
    """A described model: what `program.json` says of it, and all that lowering its functions takes."""

    def __init__(self, request: dict, progress: Progress):
        self.request = request
        self.progress = progress
        self.batch_size = int(request.get("batch_size") or 32)
        self.stablehlo = request.get("stablehlo_version") or STABLEHLO
        self.inputs = Inputs(request.get("inputs") or {})
        self.notes: list[str] = []
        with sources.recorded() as opened:
            progress("importing the model's file")
            vary = request.get("vary") or {}
            adapt = request.get("adapt")
            self.builder = Builder(request.get("model") or {}, self.inputs, self.batch_size, vary, adapt)
            self.variation = Variation(vary, self.builder, self.inputs, self.batch_size)
            self._build()
            self._trace()
            self._prove()
            self._ask_callbacks(request.get("callbacks") or {})
            self.masks_rows = bool(request.get("mask_rows")) and self._can_mask()
        self.sources = sources.digests(opened)

    # Describing.

    def _build(self) -> None:
        self.progress("building the model")
        self.first = self.variation.build()
        self.model, self.state = self.first.model, self.first.state
        self.functions = Functions(self.model, self.state, self.inputs)
        layers = adaptation.chosen(self.model, self.builder.adapt) if self.builder.adapt else []
        self.adaptations = adaptation.placed(self.model, self.inputs, layers)
        self.notes += adaptation.notes(self.adaptations, self.inputs)
        rate, why_not = parameters.learning_rate(self.model)
        if self.variation.rate_is_leaf and rate is None:
            raise LoweringFailure("bad_request", f"the trials differ in learning_rate, but {why_not}")

    def _prove(self) -> None:
        small = sum(int(np.prod(leaf.shape)) for leaf in self.state.leaves) <= TOO_LARGE_TO_BUILD_TWICE
        loaded = self.builder.kind == "keras"
        if self.variation.names or (small and not loaded):
            self.progress("building it once more, with another seed")
        elif not loaded:
            self.notes.append("too large to be built twice: that its start repeats Keras's own was not checked")
        self.proof = self.variation.prove(self.first, self.functions, twice=small and not loaded, loaded=loaded)
        self.initialization: Initialization = self.proof.initialization
        if self.proof.lifting.places:
            self._lift(self.proof.lifting)

    def _ask_callbacks(self, asked: dict) -> None:
        """What callbacks need of the model and of the user's functions."""
        if asked.get("terminate_on_nan"):
            reason = halting.why_not(self.model, self.train_step)
            if reason:
                raise LoweringFailure("not_lowerable", reason)
        self.schedules = []
        if asked.get("schedule"):
            self.progress("calling the learning rate's schedule")
            self.schedules = schedule.tables(self.model, asked["schedule"])

    def _can_mask(self) -> bool:
        """Whether one function serves last partial batches of every size."""
        self.progress("tracing a step of any number of rows")
        try:
            for name in STEPPING:
                self.functions.masked_step(name, self.batch_size)
        except Exception as error:
            # Whatever it is: with a number of rows that is known the step was traced before.
            reason = str(error) if isinstance(error, NotMaskable) else describe_error(error).splitlines()[0]
            self.notes.append(f"each size of last partial batch is a function of its own: {reason}")
            return False
        return True

    def _lift(self, lifting: Lifting) -> None:
        """Makes the program anew, with numbers as inputs."""
        self.state = State(self.model, lifting.numbers)
        self.functions = Functions(self.model, self.state, self.inputs, lifting)
        self.initialization = self.initialization.extended(self.state.leaves)
        self.train_step = self.functions.step("train", self.batch_size)
        self.evaluate_step = self.functions.step("evaluate", self.batch_size)

    def _trace(self) -> None:
        self.progress("tracing a step")
        chance = random.getstate(), np.random.get_state()[1].tobytes()
        try:
            self.train_step = self.functions.step("train", self.batch_size)
            self.evaluate_step = self.functions.step("evaluate", self.batch_size)
            _, self.output_names, self.output_avals = self.functions.prediction(self.batch_size)
            self.finalizes = self.functions.finalizes
            self._trace_again()
        except LoweringFailure:
            raise
        except Exception as error:
            raise disagreement(self.model, self.inputs, self.batch_size, error) from error
        if chance != (random.getstate(), np.random.get_state()[1].tobytes()):
            raise LoweringFailure(
                "not_lowerable",
                "a layer draws from Python's or numpy's random numbers while its step is traced, so that every "
                "trace is another program: draw with keras.random and a SeedGenerator",
            )
        self.has_convolution = self.functions.has_convolution(self.batch_size)

    def _trace_again(self) -> None:
        """Refuses a step that is not the same whenever it is traced: a program of it would be one of many."""
        functions = Functions(self.model, self.state, self.inputs)
        for name in STEPPING:
            step = functions.step(name, self.batch_size)
            parting = jaxprs.parting(self.functions.step(name, self.batch_size).jaxpr, step.jaxpr)
            if parting is not None:
                where = f" at {parting.place}" if parting.place else ""
                values = f" ({parting.numbers[0]:.6g}, then {parting.numbers[1]:.6g})" if parting.numbers else ""
                raise LoweringFailure(
                    "not_lowerable",
                    f"a step computes something else every time that it is traced, first{where}{values}: what changes "
                    "from call to call (a counter, the time, Python's random numbers) must be a variable, or drawn "
                    "with keras.random",
                )

    def write(self, folder: str) -> None:
        """Writes the described bundle, with no functions yet."""
        os.makedirs(folder, exist_ok=True)
        self.progress("saving the template")
        temporary = os.path.join(folder, f".template.{os.getpid()}.keras")
        try:
            offsets = template.write(self.model, self.state, temporary)
            text = template.config(temporary)
            saved = _digest(temporary)
            _place(temporary, os.path.join(folder, "template.keras"))
        finally:
            if os.path.exists(temporary):
                os.unlink(temporary)
        entries, notes = parameters.entries(self.model, self.state, text, self.variation, self.proof)
        weights = monitoring.weights(self.model)
        for leaf, offset in zip(self.state.leaves, offsets, strict=True):
            if offset is None and id(leaf.variable) in weights and np.prod(leaf.shape) > 0:
                # LoRA's layers merge their matrices into the kernel: no trained bytes can be put in its place.
                raise LoweringFailure(
                    "not_lowerable", f"Keras saves {leaf.path} otherwise than it is trained, as layers with LoRA do"
                )
        asked = os.path.join(folder, "request.json")
        write_json(asked, self.request)
        program = {
            "version": VERSION,
            "name": self.model.name,
            **self._versions(),
            "batch_size": self.batch_size,
            "steps_per_execution": int(self.model.steps_per_execution),
            "draws": self.initialization.draws,
            "seed_column": self.initialization.takes_seed,
            "inputs": [tensor.entry() for tensor in self.inputs.all],
            "outputs": [
                {"name": name, "shape": list(aval.shape[1:]), "dtype": np.dtype(aval.dtype).name}
                for name, aval in zip(self.output_names, self.output_avals, strict=True)
            ],
            "state": [
                {
                    "path": leaf.path,
                    "role": leaf.role,
                    "shape": list(leaf.shape),
                    "dtype": leaf.dtype,
                    "offset": offset,
                    "weight": id(leaf.variable) in weights,
                }
                for leaf, offset in zip(self.state.leaves, offsets, strict=True)
            ],
            "logs": self.train_step.logs,
            "evaluate_logs": self.evaluate_step.logs,
            "directions": monitoring.directions(self.model),
            "parameters": entries,
            "averages": averages.pairs(self.model, self.state),
            "adapted": adaptation.entries(self.adaptations, self.state),
            "schedules": self.schedules,
            "trainable_parameters": self.state.trainable_parameters,
            "has_convolution": self.has_convolution,
            "finalizes": self.finalizes,
            "masks_rows": self.masks_rows,
            "sources": self.sources,
            "files": {"request.json": _digest(asked), "template.keras": saved},
            "notes": [*self.notes, *notes],
            "functions": [],
        }
        write_json(os.path.join(folder, "program.json"), program)

    def agrees_with(self, program: dict) -> bool:
        """Whether this build, made anew, is the one that a bundle describes."""
        return (
            program["sources"] == self.sources
            and program["draws"] == self.initialization.draws
            and {key: program[key] for key in self._versions()} == self._versions()
            and [(leaf["shape"], leaf["dtype"], leaf["role"]) for leaf in program["state"]]
            == [(list(leaf.shape), leaf.dtype, leaf.role) for leaf in self.state.leaves]
        )

    def _versions(self) -> dict:
        import keras

        return {"keras": keras.__version__, "jax": jax.__version__, "stablehlo": self.stablehlo}

    # Lowering.

    def lower(self, folder: str, function: dict) -> None:
        """Adds one function to the bundle in `folder`, unless it has it."""
        path = os.path.join(folder, "program.json")
        program = read_json(path)
        wanted = self._normalized(function)
        if any({key: entry.get(key) for key in wanted} == wanted for entry in program["functions"]):
            return
        if wanted["name"] == "finalize" and not self.finalizes:
            return
        self.progress(f"lowering {_title(wanted)}")
        start = time.monotonic()
        try:
            data = self._serialized(wanted)
        except LoweringFailure:
            raise
        except Exception as error:
            raise failure_from(error, "not_lowerable", sources.belongs_to_user) from error
        file = _file_name(wanted)
        _replace(os.path.join(folder, file), data)
        entry = {
            **wanted,
            "file": file,
            "sha256": hashlib.sha256(data).hexdigest(),
            "seconds": round(time.monotonic() - start, 3),
        }
        program["functions"].append(entry)
        write_json(path, program)

    def _normalized(self, function: dict) -> dict:
        name, lanes = function.get("name"), int(function.get("lanes") or 0)
        if name not in NAMES or lanes < 1:
            raise LoweringFailure("bad_request", f"not a function that can be lowered: {function!r}")
        if name in ("initialize", "finalize"):
            return {"name": name, "lanes": lanes}
        steps, rows = int(function.get("steps") or 0), int(function.get("rows") or 0)
        form = function.get("form") or "auto"
        if steps < 1 or rows < 1 or form not in ("auto", *FORMS) or (form in MASKED and name not in STEPPING):
            raise LoweringFailure("bad_request", f"not a function that can be lowered: {function!r}")
        if form == "auto":
            form = "looped" if self.has_convolution and lanes > 1 else "vectorized"
        normalized = {"name": name, "lanes": lanes, "steps": steps, "rows": rows, "form": form}
        # Only `train` can end early, and every function says whether it does, so that entries can be compared.
        return {**normalized, "halt": name == "train" and bool(function.get("halt"))}

    def _serialized(self, wanted: dict) -> bytes:
        name, lanes = wanted["name"], wanted["lanes"]
        state = [_laned(leaf.aval(), lanes) for leaf in self.state.leaves]
        if name == "initialize":
            seeds = jax.ShapeDtypeStruct((lanes, max(self.initialization.draws, 1)), "uint32")
            every = jax.vmap(lambda seeds: tuple(self.initialization(seeds)))
            return serialize(every, [seeds], 0, self.stablehlo)
        if name == "finalize":
            function = jax.vmap(lambda *flat: tuple(self.functions.finalized(list(flat))))
            return serialize(function, state, len(state), self.stablehlo)
        looped, masked, rows = wanted["form"] in LOOPED, wanted["form"] in MASKED, wanted["rows"]
        batches = [_laned(aval, lanes, wanted["steps"]) for aval in self.inputs.shapes(rows)]
        if name == "predict":
            function = self.functions.predict(rows, looped)
            return serialize(function, [*state, *batches[: len(self.inputs.x)]], 0, self.stablehlo)
        if wanted["halt"]:
            reason = halting.why_not(self.model, self.functions.step(name, rows))
            if reason:
                raise LoweringFailure("not_lowerable", reason)
        function = self.functions.steps(name, rows, lanes, looped, wanted["halt"], masked)
        if masked:
            batches.append(jax.ShapeDtypeStruct((lanes, wanted["steps"]), "int32"))
        counts = [jax.ShapeDtypeStruct((lanes,), "int32"), jax.ShapeDtypeStruct((), "int32")]
        return serialize(function, [*state, *batches, *counts], len(state), self.stablehlo)


def read_json(path: str) -> dict:
    with open(path) as file:
        return json.load(file)


def write_json(path: str, value: dict) -> None:
    _replace(path, json.dumps(value, indent=1).encode())


def _replace(path: str, data: bytes) -> None:
    temporary = f"{path}.{os.getpid()}.temporary"
    with open(temporary, "wb") as file:
        file.write(data)
    _place(temporary, path)


def _place(temporary: str, path: str) -> None:
    """Gives a finished file its name, both on the disk: what names the file is written afterwards."""
    durable.synchronize(temporary)
    os.replace(temporary, path)
    durable.synchronize(os.path.dirname(path))


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _laned(aval: jax.ShapeDtypeStruct, *axes: int) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((*axes, *aval.shape), aval.dtype)


def _title(wanted: dict) -> str:
    if "steps" not in wanted:
        return f"{wanted['name']} for {wanted['lanes']} lanes"
    return f"{wanted['name']} for {wanted['lanes']} lanes, {wanted['steps']} steps of {wanted['rows']} rows"


def _file_name(wanted: dict) -> str:
    if "steps" not in wanted:
        return f"{wanted['name']}-{wanted['lanes']}.mlirbc"
    halt = "-halt" if wanted["halt"] else ""
    return f"{wanted['name']}-{FORMS[wanted['form']]}{wanted['lanes']}x{wanted['steps']}x{wanted['rows']}{halt}.mlirbc"
