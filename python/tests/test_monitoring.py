"""What callbacks ask a model for: directions of metrics, and which leaves are weights."""

import keras
import numpy as np
from keras import layers

from pronghorn.lowering import monitoring
from pronghorn.lowering.state import State


@keras.saving.register_keras_serializable("tests")
class Silent(keras.metrics.Mean):
    """A metric whose class says no direction."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(y_pred)


def trained(metrics):
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(4), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(), "mse", metrics=metrics)
    model.train_on_batch(np.zeros((2, 3), "float32"), np.zeros((2, 1), "float32"))
    return model


def test_directions_are_those_that_keras_finds():
    names = {"mae": "mae", "accuracy": "accuracy", "r2": keras.metrics.R2Score(name="r2"), "own": Silent(name="own")}
    model = trained(list(names.values()))
    found = monitoring.directions(model)
    for name in ["val_mae", "accuracy", "r2", "val_own", "loss"]:
        callback = keras.callbacks.EarlyStopping(name)
        callback.set_model(model)
        bare = name.removeprefix("val_")
        try:
            callback._set_monitor_op()
        except ValueError:
            assert bare not in found
            continue
        less = callback.monitor_op is keras.ops.less
        assert found.get(bare, "down" if bare == "loss" else None) == ("down" if less else "up")
    assert "own" not in found and found["r2"] == "up"


def test_weights_are_those_that_set_weights_sets():
    model = trained(["mae"])
    weights = monitoring.weights(model)
    leaves = [leaf for leaf in State(model).leaves if id(leaf.variable) in weights]
    assert len(leaves) == len(model.get_weights())
    assert {leaf.role for leaf in leaves} == {"trainable", "non_trainable"}
    assert not any(leaf.is_generator for leaf in leaves)
    model.set_weights([np.full_like(w, 7) for w in model.get_weights()])
    assert all(np.all(np.asarray(leaf.variable) == 7) for leaf in leaves)
