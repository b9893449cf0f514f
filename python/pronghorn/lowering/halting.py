"""Whether a lane can watch its own loss as `keras.callbacks.TerminateOnNaN` does."""

from __future__ import annotations

from jax.extend.core import Literal

from pronghorn.lowering.functions import Step


def why_not(model, step: Step) -> str | None:
    """Why `TerminateOnNaN` cannot be a part of the `train` that is made of a step; None if it can.

    A call that begins in the middle of an epoch must know from the state alone whether the lane has ended: the loss
    that is logged has to be the one that a metric holds.
    """
    if not step.watches_loss:
        return None
    if model.steps_per_execution != 1:
        return (
            f"the model is compiled with steps_per_execution={model.steps_per_execution}, so that terminate_on_nan "
            "looks at some of the steps only"
        )
    logged, held = _identities(step.jaxpr.jaxpr, step.jaxpr.jaxpr.outvars[-2:])
    if logged != held:
        return "the model's own train_step logs a loss that no metric of the model holds"
    return None


def _identities(jaxpr, wanted: list) -> list:
    """A number for each of some variables; those computed in the same way from the same have the same one."""
    numbers: dict[tuple, int] = {}
    known: dict[object, int] = {}

    def number(*key) -> int:
        return numbers.setdefault(key, len(numbers))

    def of(variable) -> int:
        return number("literal", str(variable)) if isinstance(variable, Literal) else known[variable]

    for place, variable in enumerate([*jaxpr.invars, *jaxpr.constvars]):
        known[variable] = number("given", place)
    for equation in jaxpr.eqns:
        inputs = tuple(of(variable) for variable in equation.invars)
        for place, variable in enumerate(equation.outvars):
            known[variable] = number(equation.primitive.name, str(equation.params), inputs, place)
    return [of(variable) for variable in wanted]
