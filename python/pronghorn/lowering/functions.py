"""The functions of a program, as JAX functions of flat arguments with a leading axis of lanes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import jaxpr_as_fun, jaxprs_in_params

from pronghorn.lowering import masking
from pronghorn.lowering.failures import LoweringFailure
from pronghorn.lowering.lifting import NOTHING, Lifting
from pronghorn.lowering.rows import questioned, symbolic_rows
from pronghorn.lowering.state import State
from pronghorn.lowering.tensors import Inputs


@dataclass(frozen=True)
class Step:
    """One step of one lane, traced once and used for every number of lanes and steps.

    `run` takes the state and one batch, flat, and returns the new state, the step's logs, flat, and the loss that Keras
    shows its callbacks. `changes` are the leaves that a step may change: evaluating changes metrics alone, and loops
    carry nothing else. `carries` says whether an epoch's logs are those of its last step; if not, they are the metrics'
    results at its end. `watches_loss` says whether there is such a loss.
    """

    run: Callable
    jaxpr: object
    logs: list[str]
    carries: bool
    changes: list[int]
    watches_loss: bool


class Functions:
    """Builds the functions of one model, with the numbers of a lifting as inputs."""

    def __init__(self, model, state: State, inputs: Inputs, lifting: Lifting = NOTHING):
        self.model = model
        self.state = state
        self.inputs = inputs
        self.lifting = lifting
        self.jaxprs: dict[tuple[str, int], object] = {}
        """What was traced of one lane, by the function's name and its rows."""
        self._traced: dict[tuple[str, int], object] = {}

    # Steps of one lane.

    def step(self, name: str, rows: int) -> Step:
        """Keras's own `train_step` or `test_step` on a batch of so many rows."""
        key = (name, rows)
        if key not in self._traced:
            self._traced[key] = self._trace_step(name, rows)
        return self._traced[key]

    def masked_step(self, name: str, places: int) -> Step:
        """The same on a batch of so many places, of which the first ones hold rows: how many says an input that follows
        those of the batch.

        Raises what says why this cannot be done (`masking`), whatever that is: Keras's and the user's code are traced
        with a number of rows that is not known.
        """
        key = (f"masked {name}", places)
        if key not in self._traced:
            with questioned():
                step = self._trace_step(name, symbolic_rows())
            state, batch = [leaf.aval() for leaf in self.state.leaves], self.inputs.shapes(places)
            count = jax.ShapeDtypeStruct((), "int32")
            jaxpr = jax.make_jaxpr(masking.masked(step.jaxpr, places))(*state, *batch, count)
            self._traced[key] = replace(step, run=_callable(jaxpr, len(state)), jaxpr=jaxpr)
        return self._traced[key]

    def prediction(self, rows: int) -> tuple[Callable, list[str], list[jax.ShapeDtypeStruct]]:
        """Keras's own `predict_step`: a function of state and x, the outputs' names and their shapes."""
        key = ("predict", rows)
        if key not in self._traced:
            self._traced[key] = self._trace_prediction(rows)
        return self._traced[key]

    def has_convolution(self, rows: int) -> bool:
        return _mentions(self.step("train", rows).jaxpr.jaxpr, "conv_general_dilated")

    def results(self, flat: list) -> dict[str, jax.Array]:
        """What the metrics of a lane say, in the order and under the names that Keras logs."""
        with self._scope(flat):
            return _flat_logs(self.model.get_metrics_result())

    @contextlib.contextmanager
    def _scope(self, flat: list) -> Iterator:
        """Inside the block, a `keras.StatelessScope`, the variables and the lifted numbers have a state's values."""
        import keras

        with self.lifting.bound(self.state.numbers(flat)), keras.StatelessScope(self.state.mapping(flat)) as scope:
            yield scope

    def reset(self, flat: list) -> list:
        """The state after `Model.reset_metrics()`."""
        with self._scope(flat) as scope:
            self.model.reset_metrics()
        return [
            scope.get_current_value(leaf.variable) if leaf.role == "metric" else value
            for leaf, value in zip(self.state.leaves, flat, strict=True)
        ]

    def finalized(self, flat: list) -> list:
        """The state after what `Model.fit` does to the weights at its end."""
        trainable = self.model.trainable_variables
        with self._scope(flat) as scope:
            self.model.optimizer.finalize_variable_values(trainable)
        variables = [leaf.variable for leaf in self.state.leaves[: self.state.variables]]
        return [*map(scope.get_current_value, variables), *self.state.numbers(flat)]

    @property
    def finalizes(self) -> bool:
        """Whether `fit` changes any leaf at its end."""
        jaxpr = jax.make_jaxpr(self.finalized)([leaf.aval() for leaf in self.state.leaves]).jaxpr
        return any(out is not given for out, given in zip(jaxpr.outvars, jaxpr.invars, strict=True))

    def _trace_step(self, name: str, rows: int) -> Step:
        found: dict[str, object] = {}
        own_step = self.model.train_step if name == "train" else self.model.test_step

        def run(flat, batch):
            trainable, non_trainable, optimizer, metrics = self.state.groups(flat)
            numbers = self.state.numbers(flat)
            data = self.inputs.pack(batch)
            with self.lifting.bound(numbers):
                if name == "train":
                    logs, new = own_step((trainable, non_trainable, optimizer, metrics), data)
                    trainable, non_trainable, optimizer, metrics = new
                else:
                    logs, (trainable, non_trainable, metrics) = own_step((trainable, non_trainable, metrics), data)
            flat = self._settled([*trainable, *non_trainable, *optimizer, *metrics, *numbers])
            if not isinstance(logs, dict):
                raise LoweringFailure(
                    "not_lowerable", f"the model's {name}_step returns {type(logs).__name__}, not logs"
                )
            # What `TerminateOnNaN.on_batch_end` looks at, before it is taken apart.
            loss = logs.get("loss")
            found["watches_loss"] = loss is not None and jnp.size(loss) == 1
            results = self.model_results(flat)
            # `Trainer._get_metrics_result_or_logs`: an epoch's logs are the metrics' results where the names agree.
            found["carries"] = set(logs) != set(results)
            logs = _flat_logs(logs if found["carries"] else results)
            found["logs"] = list(logs)
            watched = [loss, results.get("loss", 0.0)] if found["watches_loss"] else [0.0, 0.0]
            return flat, _numbers(logs), *[_number(value) for value in watched]

        avals = [leaf.aval() for leaf in self.state.leaves]
        jaxpr = jax.make_jaxpr(run)(avals, self.inputs.shapes(rows))
        self.jaxprs[name, rows] = jaxpr
        given, returned = jaxpr.jaxpr.invars[: len(avals)], jaxpr.jaxpr.outvars[: len(avals)]
        changes = [i for i, (a, b) in enumerate(zip(given, returned, strict=True)) if a is not b]
        run = _callable(jaxpr, len(avals))
        return Step(run, jaxpr, found["logs"], found["carries"], changes, found["watches_loss"])

    def model_results(self, flat: list) -> dict:
        """The metrics' results before they are flattened into logs."""
        with self._scope(flat):
            return self.model.get_metrics_result()

    def _trace_prediction(self, rows: int):
        names: list[str] = []

        def run(flat, batch):
            trainable, non_trainable, _, _ = self.state.groups(flat)
            data = self.inputs.pack([*batch, *([None] * (len(self.inputs.all) - len(batch)))])
            with self.lifting.bound(self.state.numbers(flat)):
                outputs, _ = self.model.predict_step((trainable, non_trainable), (data[0],))
            leaves = jax.tree.leaves(outputs)
            names[:] = _output_names(self.model, outputs, len(leaves))
            return leaves

        avals = [leaf.aval() for leaf in self.state.leaves]
        batch = self.inputs.shapes(rows)[: len(self.inputs.x)]
        jaxpr = jax.make_jaxpr(run)(avals, batch)
        self.jaxprs["predict", rows] = jaxpr
        call = jaxpr_as_fun(jaxpr)
        return (lambda flat, batch: call(*flat, *batch)), names, list(jaxpr.out_avals)

    def _settled(self, flat: list) -> list:
        return [
            lax.convert_element_type(value, leaf.aval().dtype)
            for leaf, value in zip(self.state.leaves, flat, strict=True)
        ]

    # Functions of all lanes.

    def steps(
        self, name: str, rows: int, lanes: int, looped: bool, halt: bool = False, masked: bool = False
    ) -> Callable:
        """`train` or `evaluate`: state, inputs, steps, reset -> state, logs.

        With `halt` a lane takes no step after one whose loss is NaN or infinite, until its metrics begin anew
        (`keras.callbacks.TerminateOnNaN`). With `masked` an input follows those of the batches: how many of a
        batch's places hold rows.
        """
        step = self.masked_step(name, rows) if masked else self.step(name, rows)
        count, inputs = len(self.state.leaves), len(self.inputs.all) + masked
        over = self._looped if looped else self._vectorized
        halt = halt and step.watches_loss

        def function(*arguments):
            flat, batches = list(arguments[:count]), list(arguments[count : count + inputs])
            steps, reset = arguments[count + inputs :]
            started = jax.vmap(self.reset)(flat)
            flat = [
                jnp.where(reset != 0, new, old) if leaf.role == "metric" else old
                for leaf, new, old in zip(self.state.leaves, started, flat, strict=True)
            ]
            if halt:
                # An earlier call of the epoch may have ended so: the metrics still hold the loss that it logged.
                steps = jnp.where(jax.vmap(self._is_over)(flat), 0, steps)
            flat, logs = over(step, flat, batches, steps, lanes, halt)
            return (*flat, logs)

        return function

    def _is_over(self, flat: list) -> jax.Array:
        return ~jnp.isfinite(jnp.asarray(self.results(flat)["loss"]).reshape(()))

    def _vectorized(self, step: Step, flat, batches, steps, lanes, halt):
        run = jax.vmap(step.run)

        def body(carry):
            index, steps, changing, logs = carry
            batch = [lax.dynamic_index_in_dim(b, index, axis=1, keepdims=False) for b in batches]
            new_flat, new_logs, loss = run(_with(flat, step.changes, changing), batch)
            new = [new_flat[i] for i in step.changes]
            if lanes > 1:
                # A single lane stops with the loop; of several, those with no steps left keep what they have.
                new = [_select(index < steps, after, before) for after, before in zip(new, changing, strict=True)]
                new_logs = _select(index < steps, new_logs, logs)
            if halt:
                # A lane without steps computes too: its loss says nothing.
                steps = jnp.where((index < steps) & ~jnp.isfinite(loss), index + 1, steps)
            return index + 1, steps, new, new_logs if step.carries else logs

        logs = jnp.zeros((lanes, len(step.logs)), jnp.float32)
        start = (jnp.int32(0), steps, [flat[i] for i in step.changes], logs)
        _, _, changing, logs = lax.while_loop(lambda carry: carry[0] < jnp.max(carry[1]), body, start)
        flat = _with(flat, step.changes, changing)
        return flat, logs if step.carries else jax.vmap(self._result_numbers)(flat)

    def _looped(self, step: Step, flat, batches, steps, lanes, halt):
        # Lanes that take steps come first, and the loop ends with them: the others are not even read.
        order = jnp.argsort(steps <= 0, stable=True)

        def one_lane(place, carry):
            changing, logs = carry
            lane = order[place]
            own = _with(flat, step.changes, changing)
            own = [lax.dynamic_index_in_dim(leaf, lane, keepdims=False) for leaf in own]
            rows = [lax.dynamic_index_in_dim(b, lane, keepdims=False) for b in batches]

            def body(carry):
                index, count, mine, logs = carry
                batch = [lax.dynamic_index_in_dim(b, index, keepdims=False) for b in rows]
                new_flat, new_logs, loss = step.run(_with(own, step.changes, mine), batch)
                if halt:
                    count = jnp.where(jnp.isfinite(loss), count, index + 1)
                return index + 1, count, [new_flat[i] for i in step.changes], new_logs if step.carries else logs

            start = (jnp.int32(0), steps[lane], [own[i] for i in step.changes], jnp.zeros((len(step.logs),), "float32"))
            _, _, mine, own_logs = lax.while_loop(lambda carry: carry[0] < carry[1], body, start)
            changing = [lax.dynamic_update_index_in_dim(a, m, lane, 0) for a, m in zip(changing, mine, strict=True)]
            if step.carries:
                logs = lax.dynamic_update_index_in_dim(logs, own_logs, lane, 0)
            return changing, logs

        start = ([flat[i] for i in step.changes], jnp.zeros((lanes, len(step.logs)), jnp.float32))
        changing, logs = lax.fori_loop(0, jnp.sum(steps > 0), one_lane, start)
        flat = _with(flat, step.changes, changing)
        return flat, logs if step.carries else jax.vmap(self._result_numbers)(flat)

    def _result_numbers(self, flat):
        return _numbers(self.results(flat))

    def predict(self, rows: int, looped: bool) -> Callable:
        """`predict`: state, inputs of role x -> outputs."""
        run = self.prediction(rows)[0]
        count = len(self.state.leaves)

        def one_lane(flat, batches):
            return lax.map(lambda batch: run(flat, batch), batches)

        def function(*arguments):
            flat, batches = list(arguments[:count]), list(arguments[count:])
            if looped:
                return tuple(lax.map(lambda lane: one_lane(*lane), (flat, batches)))
            return tuple(jax.vmap(one_lane)(flat, batches))

        return function


def _callable(jaxpr, count: int) -> Callable:
    call = jaxpr_as_fun(jaxpr)

    def run(flat, batch):
        outputs = call(*flat, *batch)
        return list(outputs[:count]), outputs[count], outputs[count + 1]

    return run


def _with(flat: list, places: list[int], values: list) -> list:
    flat = list(flat)
    for place, value in zip(places, values, strict=True):
        flat[place] = value
    return flat


def _select(active, new, old):
    return jnp.where(active.reshape(active.shape + (1,) * (new.ndim - 1)), new, old)


def _flat_logs(logs: dict) -> dict:
    """Logs in the order of a Keras history (`keras.src.utils.python_utils.pythonify_logs`)."""
    flat = {}
    for name, value in sorted(logs.items()):
        flat.update(_flat_logs(value) if isinstance(value, dict) else {name: value})
    return flat


def _numbers(logs: dict) -> jax.Array:
    for name, value in logs.items():
        if jnp.size(value) != 1:
            raise LoweringFailure(
                "not_lowerable", f"the metric {name} gives an array of shape {jnp.shape(value)}: a log must be a number"
            )
    numbers = [_number(value) for value in logs.values()]
    return jnp.stack(numbers) if numbers else jnp.zeros((0,), jnp.float32)


def _number(value) -> jax.Array:
    return jnp.asarray(value).astype(jnp.float32).reshape(())


def _output_names(model, outputs, count: int) -> list[str]:
    if isinstance(outputs, dict):
        return [str(key) for key in sorted(outputs)]
    names = list(getattr(model, "output_names", None) or [])
    if count == 1 and not isinstance(outputs, (list, tuple)):
        return ["output"]
    return names if len(names) == count else [f"output_{index}" for index in range(count)]


def _mentions(jaxpr, primitive: str) -> bool:
    for equation in jaxpr.eqns:
        if equation.primitive.name == primitive:
            return True
        if any(_mentions(inner, primitive) for inner in jaxprs_in_params(equation.params)):
            return True
    return False
