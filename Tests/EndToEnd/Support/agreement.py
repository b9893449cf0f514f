"""Compares a run with real Keras, and prints what was found as one JSON object.

Usage: agreement.py RUN RESULTS.json SETTINGS.json

Each trial is repeated by `Model.fit` from the first weights that the run kept, unshuffled, with the arguments of the
settings or the trial's own. A difference is relative to the greater of two figures, or to the largest weight of a
layer.
"""

import importlib.util
import inspect
import json
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np


def relative(ours, theirs):
    ours, theirs = float(ours), float(theirs)
    return 0.0 if ours == theirs else abs(ours - theirs) / max(abs(ours), abs(theirs))


def build_function(settings):
    spec = importlib.util.spec_from_file_location("models", settings["file"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, settings["function"])


FIT_ARGUMENTS = set(inspect.signature(keras.Model.fit).parameters)


def built_from_seed(build, trial):
    keras.utils.set_random_seed(trial["seed"])
    others = {"seed", "learning_rate"} | FIT_ARGUMENTS
    return build(**{k: v for k, v in trial["parameters"].items() if k not in others})


def fit_arguments(settings, trial):
    """The arguments of a trial's `Model.fit` but for its data."""
    arguments = {"epochs": settings["epochs"], "batch_size": settings["batch_size"], "shuffle": False}
    arguments |= json.loads(settings["fit"])
    arguments |= {k: v for k, v in trial["parameters"].items() if k in FIT_ARGUMENTS}
    weights = arguments.get("class_weight")
    if weights is not None:
        weights = json.loads(weights) if isinstance(weights, str) else weights
        arguments["class_weight"] = {int(number): weight for number, weight in weights.items()}
    if arguments.get("sample_weight"):
        # A column's name is that of its file.
        arguments["sample_weight"] = np.load(arguments["sample_weight"] + ".npy")
    return arguments


def validation_of(settings, arguments, x, y):
    """What a fit validates on, as the argument that says so and as the arrays."""
    if "x_validation" in settings:
        names = [name for name in ("x_validation", "y_validation", "weight_validation") if name in settings]
        arrays = tuple(np.load(settings[name]) for name in names)
        return {"validation_data": arrays}, arrays
    share = arguments.get("validation_split", settings["validation"])
    split = int(len(x) * (1 - share))
    arrays = [x, y] if arguments.get("sample_weight") is None else [x, y, arguments["sample_weight"]]
    return {"validation_split": share}, tuple(array[split:] for array in arrays) if share else None


def evaluated(model, arrays, arguments):
    """What a model's validation gives after a fit with these arguments."""
    return model.evaluate(
        *arrays[:2],
        sample_weight=arrays[2] if len(arrays) == 3 else None,
        batch_size=arguments.get("validation_batch_size") or arguments["batch_size"],
        steps=arguments.get("validation_steps"),
        verbose=0,
        return_dict=True,
    )


def validates_last(arguments):
    """Whether the last epoch of a fit is one that validation follows."""
    frequency, last = arguments.get("validation_freq", 1), arguments["epochs"]
    return last % frequency == 0 if isinstance(frequency, int) else last in frequency


def given(compiled, model):
    """The compiled model with the state of another of its kind; that other if there is none."""
    if compiled is None:
        return model
    for one, two in zip(compiled.variables, model.variables, strict=True):
        one.assign(two)
    for one, two in zip(compiled.optimizer.variables, model.optimizer.variables, strict=True):
        one.assign(two)
    return compiled


def main(run, results, settings):
    with open(results) as file:
        trials = json.load(file)
    with open(settings) as file:
        settings = json.load(file)
    build = build_function(settings)
    x, y = np.load(settings["x"]), np.load(settings["y"])
    worst = {"history": 0.0, "evaluate": 0.0, "initial": 0.0}
    worst_at = {}
    problems = []
    # Compiled once: the trials' own models give them their state.
    fitter = evaluator = None

    def note(kind, difference, where):
        if not difference <= worst[kind]:
            worst[kind], worst_at[kind] = difference, where

    for number, trial in enumerate(trials):
        name = trial["name"]
        model = keras.models.load_model(f"{run}/models/{name}.initial.keras")
        rate = trial["parameters"].get("learning_rate")
        if rate is not None and relative(model.optimizer.learning_rate, np.float32(rate)) != 0:
            problems.append(f"{name}: the optimizer's learning rate is {float(model.optimizer.learning_rate)}")
        ours, theirs = model.get_weights(), built_from_seed(build, trial).get_weights()
        for index, (one, two) in enumerate(zip(ours, theirs, strict=True)):
            difference = float(np.max(np.abs(one - two)))
            note("initial", difference / max(float(np.max(np.abs(two))), 1e-30), f"{name} weight {index}")
        fitter = given(fitter, model)
        arguments = fit_arguments(settings, trial)
        option, validation = validation_of(settings, arguments, x, y)
        history = fitter.fit(x, y, verbose=0, **(arguments | option)).history
        if sorted(history) != sorted(trial["history"]):
            problems.append(f"{name}: history has {sorted(trial['history'])}, Keras has {sorted(history)}")
        for metric, values in history.items():
            reported = trial["history"].get(metric, [])
            if len(values) != len(reported):
                problems.append(f"{name}: {len(reported)} values of {metric}, Keras has {len(values)}")
            for epoch, (one, two) in enumerate(zip(reported, values, strict=False)):
                note("history", relative(one, two), f"{name} {metric} epoch {epoch}: {one} and {two}")
        final = keras.models.load_model(f"{run}/{trial['model']}")
        # The last model is evaluated as it was loaded, with the metrics that are saved in it.
        evaluator = final if number == len(trials) - 1 else given(evaluator, final)
        if validation and validates_last(arguments):
            for metric, value in evaluated(evaluator, validation, arguments).items():
                note("evaluate", relative(value, trial["metrics"][f"val_{metric}"]), f"{name} {metric}")
        if int(final.optimizer.iterations) != int(fitter.optimizer.iterations):
            problems.append(f"{name}: the saved optimizer has taken {int(final.optimizer.iterations)} steps")
    print(json.dumps({"trials": len(trials), "worst": worst, "at": worst_at, "problems": problems}))


main(*sys.argv[1:])
