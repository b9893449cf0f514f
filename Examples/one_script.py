"""Three Keras models of scikit-learn's diabetes data, trained in parallel within one script."""

import keras
import pronghorn
from sklearn.datasets import load_diabetes

x, y = load_diabetes(return_X_y=True)


def model(units):
    model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(units, activation="relu"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), loss="mse", metrics=["mae"])
    return model


run = pronghorn.fit([model(8), model(32), model(128)], x, y / 100, epochs=30, validation_split=0.2)
print(run.results[["trial", "epochs", "loss", "val_loss"]])
print(run.best("val_loss").model.predict(x[:3], verbose=0))
