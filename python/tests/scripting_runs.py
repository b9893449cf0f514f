"""What tests that train by `pronghorn.fit` share: rows, and `Model.fit` to compare with."""

import numpy as np

ROWS, EPOCHS = 96, 2
GENERATOR = np.random.default_rng(11)
X = GENERATOR.normal(size=(ROWS, 5)).astype("float32")
Y = (X[:, :1] * X[:, 1:2] + X.sum(axis=1, keepdims=True)).astype("float32")
GROUPS = np.arange(ROWS) // (ROWS // 2)


def fitted(model, x=X, y=Y, **arguments):
    """The same model, trained by Keras itself."""
    arguments = {"epochs": EPOCHS, "shuffle": False, "verbose": 0, "batch_size": 32, **arguments}
    history = model.fit(x, y, **arguments)
    return model, history.history


def agrees(trial, reference, x=X):
    """Compares a trial with what `Model.fit` made of the same model."""
    model, history = reference
    assert trial.status == "finished", trial.message
    frame = trial.history
    assert set(frame) == {"epoch", *history}
    for name, values in history.items():
        np.testing.assert_allclose(frame[name].dropna(), values, rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(trial.model.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-4, atol=1e-5)
