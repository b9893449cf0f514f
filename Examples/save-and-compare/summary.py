"""Called once all models are trained: evaluates each, and their mean, on patients that none of them saw."""

import keras
import numpy as np
from diabetes import held_out


def compare(results, run):
    x, y = held_out()
    members, predictions = [], []
    for result in results:
        model = keras.models.load_model(run / result["model"])
        prediction = model.predict(x, verbose=0)
        predictions.append(prediction)
        members.append(
            {
                "trial": result["trial"],
                "val_loss": result["metrics"]["val_loss"],
                "held_out_loss": float(np.mean((prediction - y) ** 2)),
            }
        )
    losses = [member["held_out_loss"] for member in members]
    return {
        "members": members,
        "mean_of_members": float(np.mean(losses)),
        "best_member": min(losses),
        "mean_prediction": float(np.mean((np.mean(predictions, axis=0) - y) ** 2)),
    }
