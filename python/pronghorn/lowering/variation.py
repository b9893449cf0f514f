"""What differs between the trials of a program, and the proof that nothing else does.

Two builds are compared, with two values of everything that varies. Whatever differs between them must come from the
numbers and the seed in a way that was followed: the starts, the configurations, and what a step computes once the
numbers are inputs. Then the program with the inputs must compute what either build computes by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pronghorn.lowering import agreement, expressions, following, jaxprs, lifting, parameters, recording, slots
from pronghorn.lowering.failures import LoweringFailure, describe_error
from pronghorn.lowering.functions import Functions
from pronghorn.lowering.initialization import Initialization, classify
from pronghorn.lowering.lifting import Lifting
from pronghorn.lowering.state import State

FIRST_SEED, SECOND_SEED = 1_618_033, 2_718_281
STEP = 1e-7
"""How far inside their ends the values of the builds lie, in parts of the range: no two numbers shall be the same."""


@dataclass
class Build:
    """One build of the model: its state, what was watched, and the values it was made with."""

    model: object
    state: State
    watch: following.Watch
    recording: recording.Recording
    seed: int
    values: list[np.ndarray] = field(default_factory=list)


@dataclass
class Problem(Exception):
    """Why trials that differ in an argument cannot share a program."""

    reason: str
    name: str | None = None


@dataclass
class Proof:
    """What two builds have shown."""

    initialization: Initialization
    lifting: Lifting
    explained: dict[int, object]
    """The leaves of the state whose start is an expression of the arguments."""
    places: list[tuple] = field(default_factory=list)
    """The places of the configuration that hold one."""


class Variation:
    """What a request says to vary, and the builds that it takes to show what follows from it."""

    def __init__(self, vary: dict, builder, inputs, batch_size: int):
        self.builder, self.inputs, self.batch_size = builder, inputs, batch_size
        vary = {name: list(values) for name, values in vary.items()}
        seeds = vary.pop("seed", [])
        self.seed_taken = bool(seeds) and builder.takes("seed")
        self.seeds = _two_seeds(seeds) if self.seed_taken else (FIRST_SEED, SECOND_SEED)
        self.rates = vary.get("learning_rate") or []
        taken = {name: values for name, values in vary.items() if values and builder.takes(name)}
        self.rate_is_leaf = bool(self.rates) and "learning_rate" not in taken
        self.fixed = {name: values[0] for name, values in taken.items() if len(set(values)) == 1}
        self.ends = {n: (min(values), max(values)) for n, values in sorted(taken.items()) if n not in self.fixed}

    @property
    def names(self) -> list[str]:
        """The arguments that differ between the builds."""
        return [*self.ends, *(["seed"] if self.seed_taken else [])]

    def build(self, changed: set[str] | None = None) -> Build:
        """A build with the first value of everything, but the second of what is `changed`."""
        changed = changed or set()
        values = {}
        for number, (name, (low, high)) in enumerate(self.ends.items(), start=1):
            step = (high - low) * STEP * number
            values[name] = high - step if name in changed else low + step
        watch = following.Watch(values)
        seed = self.seeds["seed" in changed]
        with recording.recorded(seed) as watched, following.mathematics():
            arguments = {**self.fixed, **{name: watch.argument(name) for name in values}}
            if self.seed_taken:
                arguments["seed"] = recording.Seed.at(seed, recording.Seed.ARGUMENT)
            model = self.builder.build(**arguments)
        state = State(model)
        return Build(model, state, watch, watched, seed, state.values())

    def prove(self, first: Build, baked: Functions, *, twice: bool, loaded: bool) -> Proof:
        """Shows what two builds have in common, or fails with the argument that splits the program.

        Args:
            first: the build that the program is made of.
            baked: its functions as traced before there was another build.
            twice: whether to build again although nothing varies, to check the start.
            loaded: whether the model comes from a file.
        """
        changed = {*self.names, "seed"}
        try:
            if not (self.names or twice):
                return self._proof(first, None, baked, loaded)
            return self._proof(first, self.build(changed), baked, loaded)
        except Problem as problem:
            if not self.names:
                raise LoweringFailure("not_lowerable", problem.reason) from problem
            name, reason = self._culprit(first, baked, problem, loaded)
            raise LoweringFailure("not_lowerable", reason, splits=name) from problem

    def _culprit(self, first: Build, baked: Functions, problem: Problem, loaded: bool) -> tuple[str | None, str]:
        """Which argument does more than it may, found by varying each alone."""
        if problem.name is not None:
            return problem.name, problem.reason
        for name in [*self.ends, "seed"]:
            try:
                self._proof(first, self.build({name}), baked, loaded)
            except Problem as alone:
                if alone.name is not None:
                    # What Python asks of another argument is noticed whatever is varied.
                    return alone.name, alone.reason
                # Where the seed alone does it, and is no argument, a program a value would do no better.
                return name if name in self.names else None, alone.reason
        return self.names[0], problem.reason

    def _proof(self, first: Build, second: Build | None, baked: Functions, loaded: bool) -> Proof:
        explained: dict[int, object] = {}
        places: list[tuple] = []
        again = None
        if second is not None:
            if not parameters.same(first.values, second.values) or first.recording.draws != second.recording.draws:
                raise Problem(
                    "two builds gave two models: the build function's layers depend on chance, or on what varies"
                )
            found = lifting.matches(first.watch, second.watch)
            single = lifting.as_single(found)
            explained = _explained_leaves(first, second, single)
            # Keras writes the learning rate of 32 bits.
            places = _compare_configurations(first, second, {**single, **found}, self.seed_taken)
            values = list(second.values)
            for index in explained:
                values[index] = first.values[index]
            again = (second.seed, values)
            if first.seed == second.seed:
                _compare_starts(first, values)
        try:
            initialization = classify(first.recording, first.state.leaves, again, only_generators=loaded)
        except LoweringFailure as failure:
            raise Problem(failure.message) from failure
        if second is None or not self.names:
            return Proof(initialization, lifting.NOTHING, explained, places)
        return Proof(initialization, self._lifted(first, second, found, explained, baked), explained, places)

    def _lifted(self, first: Build, second: Build, found: dict, explained: dict, baked: Functions) -> Lifting:
        """The numbers as inputs, once both builds compute the same with them."""
        mine, unexplained = self._places(first, second, found)
        theirs, _ = self._places(second, first, {(b, a): e for (a, b), e in found.items()})
        try:
            with mine.discovering():
                self._trace(Functions(first.model, first.state, self.inputs, mine))
            theirs.expressions = mine.expressions
            traced = [self._traced(first, mine), self._traced(second, theirs)]
        except LoweringFailure as failure:
            raise Problem(failure.message) from failure
        except Exception as error:
            refused = first.watch.refused or second.watch.refused
            raise Problem(refused or f"a step cannot be traced with it as an input: {describe_error(error)}") from error
        for watch in (first.watch, second.watch):
            answer = watch.dependent(self.ends)
            if answer is not None:
                raise Problem(f"Python asks {answer[1]}, and the trials' values do not all answer alike", answer[0])
        for expression in (*mine.expressions, *explained.values()):
            if not expressions.defined(expression, self.ends):
                shown = expressions.written(expression)
                raise Problem(f"{shown} is no finite number for every trial", expressions.arguments(expression)[0])
        for key, jaxpr in traced[0].jaxprs.items():
            parting = jaxprs.parting(jaxpr, traced[1].jaxprs[key])
            if parting is not None:
                raise Problem(_parted(parting, unexplained))
        for build, functions in ((first, baked), (second, Functions(second.model, second.state, self.inputs))):
            values = {index: expressions.evaluate(e, build.watch.values) for index, e in explained.items()}
            inputs = [expressions.evaluate(e, build.watch.values) for e in mine.expressions]
            difference = agreement.difference(traced[0], functions, self.batch_size, inputs, values)
            if difference > agreement.TOLERANCE:
                raise Problem(f"with it as an input a step computes something else, by {difference:.1g}")
        return mine

    def _places(self, build: Build, other: Build, found: dict) -> tuple[Lifting, list[slots.Slot]]:
        places, unexplained, singles = [], [], lifting.as_single(found)
        for slot in slots.differing(build.model, other.model):
            pair = slot.first, slot.second
            expression = found.get(pair)
            if expression is None and pair == lifting.single(pair):
                expression = singles.get(pair)
            if expression is None:
                unexplained.append(slot)
            else:
                places.append((slot, expression))
        return Lifting(build.watch, places), unexplained

    def _traced(self, build: Build, lifted: Lifting) -> Functions:
        functions = Functions(build.model, State(build.model, lifted.numbers), self.inputs, lifted)
        self._trace(functions)
        return functions

    def _trace(self, functions: Functions) -> None:
        functions.step("train", self.batch_size)
        functions.step("evaluate", self.batch_size)
        functions.prediction(self.batch_size)
        # Whether the model has a `finalize` is asked by tracing it.
        functions.finalizes  # noqa: B018


def _explained_leaves(first: Build, second: Build, found: dict) -> dict[int, object]:
    """Optimizer's numbers (a learning rate, say) whose starts are expressions of the arguments."""
    explained = {}
    for index, leaf in enumerate(first.state.leaves):
        a, b = first.values[index], second.values[index]
        if leaf.role == "optimizer" and a.shape == () and a.dtype == np.float32 and a != b:
            expression = found.get((float(a), float(b)))
            if expression is None:
                raise Problem(f"{leaf.path} starts at {a} and {b} in two builds, which could not be followed")
            explained[index] = expression
    return explained


def _compare_starts(first: Build, values: list[np.ndarray]) -> None:
    for leaf, mine, theirs in zip(first.state.leaves, first.values, values, strict=True):
        if not np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f"):
            raise Problem(f"the start value of {leaf.path} depends on it")


def _compare_configurations(first: Build, second: Build, found: dict, seed_varies: bool) -> list[tuple]:
    """The places of the configuration that hold expressions."""
    try:
        texts = parameters.config_text(first.model), parameters.config_text(second.model)
    except Exception:
        # What cannot be serialized is told of when the template is saved.
        return []
    streams = [recording.stream(build.seed, build.recording.draws) for build in (first, second)]
    given = [(first.seed, second.seed)] if seed_varies else []
    places, rest = parameters.explained(*texts, found, {*zip(*streams, strict=True), *given})
    if rest:
        path, a, b = rest[0]
        raise Problem(f"two builds differ in {parameters.written(path)}: {a!r} and {b!r}")
    return places


def _parted(parting: jaxprs.Parting, unexplained: list[slots.Slot]) -> str:
    where = f" ({parting.place})" if parting.place else ""
    if parting.numbers is None:
        return f"two builds differ in what a training step computes{where}"
    a, b = parting.numbers
    slot = {lifting.single((s.first, s.second)): s for s in unexplained}.get(lifting.single((a, b)))
    held = f", held as {slot.path.lstrip('.')}" if slot else ""
    return f"a training step computes with the number {a:.6g} in one build and {b:.6g} in another{where}{held}"


def _two_seeds(seeds: list) -> tuple[int, int]:
    first = int(seeds[0])
    return first, next((int(seed) for seed in seeds if int(seed) != first), first + 1)
