"""What Keras's callbacks ask a model for: which way its metrics get better, and which variables its weights are."""

from __future__ import annotations


def directions(model) -> dict[str, str]:
    """`up` or `down` for each metric that says so, as `MonitorCallback._set_monitor_op` finds it.

    A metric that is not here (one of the user's own, or one under the name of an output) has no direction for Keras:
    `mode: auto` is an error there.
    """
    from keras.src.trainers.compile_utils import CompileMetrics, MetricsList

    found = {}
    for group in model.metrics:
        if isinstance(group, CompileMetrics | MetricsList):
            for metric in group.metrics:
                if hasattr(metric, "_direction"):
                    found[metric.name] = "up" if metric._direction == "up" else "down"
    return found


def weights(model) -> set[int]:
    """The identities of the variables that `Model.get_weights` gives and `Model.set_weights` sets."""
    return {id(variable) for variable in model.weights}
