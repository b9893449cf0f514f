"""Finds the user's model and has it built, compiled and ready to train."""

from __future__ import annotations

import inspect
import io
import os
import re
import zipfile
from collections.abc import Callable, Iterable

import numpy as np

from pronghorn.lowering import adaptation, archives, importing, sources
from pronghorn.lowering.failures import LoweringFailure, describe_error, failure_from, needed_backend
from pronghorn.lowering.settings import Settings
from pronghorn.lowering.tensors import Inputs

_untouched: Settings | None = None


class Builder:
    """Builds a request's model, as often as is asked; what it imports, it imports once."""

    def __init__(self, request: dict, inputs: Inputs, batch_size: int, varied: Iterable[str] = (), adapt=None):
        self.kind = request.get("kind")
        # The layers that are to be adapted to each trial's rows: true, or their names.
        self.adapt = adapt
        self.request = request
        self.inputs = inputs
        self.batch_size = batch_size
        self.arguments = dict(request.get("arguments") or {})
        self._named = {**self.arguments, **{name: None for name in varied if name not in ("seed", "learning_rate")}}
        self.name = "model"
        makers = {
            "function": self._import,
            "keras": self._loader,
            "layers": self._layers,
            "config": self._configured,
        }
        if self.kind not in makers:
            raise LoweringFailure("bad_request", f"a model of kind {self.kind!r}: known are {', '.join(makers)}")
        global _untouched
        if _untouched is None:
            _untouched = Settings.now()
        _untouched.restore()
        self._make: Callable = makers[self.kind]()
        # A file may set a policy as it is imported; what `build` itself sets must not reach the next build.
        self._settings = Settings.now()

    def takes(self, argument: str) -> bool:
        """Whether the build function has an argument of this name."""
        if self.kind != "function":
            return False
        return _takes(self._make, argument)

    def build(self, **varied):
        """One model that can be lowered, with every variable and slot in place."""
        model = self.make(**varied)
        if model.run_eagerly:
            raise LoweringFailure(
                "not_lowerable",
                "the model is compiled with run_eagerly=True, so each step runs in Python",
                file=self._file(),
            )
        if self.adapt:
            adaptation.refuse_configured(adaptation.chosen(model, self.adapt))
        self._complete(model)
        return model

    def make(self, **varied):
        """One compiled model, named as if it were the process's first."""
        import keras
        from keras.src.backend.common import global_state

        # Automatic names would otherwise count on from one build to the next.
        global_state.set_global_attribute("object_name_uids", None)
        self._settings.restore()
        try:
            model = self._make(**{**self.arguments, **varied})
        except Exception as error:
            raise failure_from(error, "build_raised", sources.belongs_to_user) from error
        if not isinstance(model, keras.Model):
            raise LoweringFailure(
                "not_a_model", f"{self._what()} returned {type(model).__name__}, not a keras.Model", file=self._file()
            )
        if not model.compiled or model.optimizer is None:
            if self.kind == "config":
                message = "the configuration has no optimizer: give `compile`, or write it of a compiled model"
                raise LoweringFailure("not_compiled", message, file=self._file())
            raise LoweringFailure(
                "not_compiled",
                f"{self._what()} returned a model without an optimizer: call `model.compile(...)` before returning it",
                file=self._file(),
            )
        return model

    def configured(self):
        """The model of a `.keras` file as its configuration alone makes it, before its weights are loaded."""
        from keras.src.backend.common import global_state
        from keras.src.saving import saving_lib

        path = self._existing_file()
        data = archives.open_model(path)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            text = archive.read(archives.CONFIG).decode()
        global_state.set_global_attribute("object_name_uids", None)
        self._settings.restore()
        model = saving_lib._model_from_config(text, None, True, True)
        self._complete(model)
        return model

    def _complete(self, model) -> None:
        """Makes what `fit` makes on its first batch: deferred layers, metrics, optimizer slots."""
        data = self.inputs.pack(self.inputs.shapes(self.batch_size))
        self._check_input_shapes(model)
        try:
            model._symbolic_build(data_batch=data)
            if not model.optimizer.built:
                model.optimizer.build(model.trainable_variables)
        except LoweringFailure:
            raise
        except Exception as error:
            raise disagreement(model, self.inputs, self.batch_size, error) from error

    def _check_input_shapes(self, model) -> None:
        expected = getattr(model, "inputs", None) if model.built else None
        if not expected or len(expected) != len(self.inputs.x):
            return
        by_name = {tensor.name: tensor for tensor in expected}
        named = len(expected) > 1 or self.inputs.x[0].name != "x"
        for position, given in enumerate(self.inputs.x):
            tensor = by_name.get(given.name) if named else expected[position]
            if tensor is None:
                raise LoweringFailure(
                    "shapes_disagree",
                    f"the model has no input named {given.name!r}; its inputs are {', '.join(by_name)}",
                    file=self._file(),
                )
            wanted = tuple(tensor.shape[1:])
            # Keras adds or takes away a last axis of length one by itself.
            rank_differs_by_one = abs(len(wanted) - len(given.shape)) == 1
            if rank_differs_by_one and np.prod([n or 1 for n in wanted]) == np.prod(given.shape):
                continue
            agrees = len(wanted) == len(given.shape) and all(
                a is None or a == b for a, b in zip(wanted, given.shape, strict=True)
            )
            if not agrees:
                raise LoweringFailure(
                    "shapes_disagree",
                    f"the model's input {tensor.name!r} takes rows of shape {_shape(wanted)}, "
                    f"but rows of {given.name} have shape {_shape(given.shape)}",
                    file=self._file(),
                )

    # The four kinds.

    def _import(self) -> Callable:
        path, name = self._existing_file(), self.request.get("function") or "build"
        self.name = name
        sources.forget_user_modules()
        function = importing.function(path, name, "build_raised")
        try:
            inspect.signature(function).bind(**self._named)
        except TypeError as error:
            missing_is_varied = set(self._named) <= set(inspect.signature(function).parameters)
            if not missing_is_varied:
                code = inspect.unwrap(function).__code__ if inspect.isfunction(inspect.unwrap(function)) else None
                line = code.co_firstlineno if code else None
                unknown = next((argument for argument in self._named if not _takes(function, argument)), None)
                if unknown is not None:
                    raise LoweringFailure(
                        "build_raised",
                        f"{name}() takes no argument {unknown!r}",
                        file=path,
                        line=line,
                        key=f"arguments.{unknown}",
                        accepted=_arguments(function),
                    ) from error
                raise LoweringFailure("build_raised", f"{name}(): {error}", file=path, line=line) from error
        return function

    def _loader(self) -> Callable:
        path = self._existing_file()
        self.name = os.path.splitext(os.path.basename(path))[0]
        self._import_objects()

        def load():
            import keras

            archives.open_model(path)
            try:
                return keras.models.load_model(path, safe_mode=True)
            except Exception as error:
                text = str(error)
                unsafe = "safe_mode" in text or "unsafe" in text.lower()
                raise LoweringFailure(
                    "unsafe_model" if unsafe else "build_raised",
                    f"{path} holds Python code (a Lambda layer), which is not run from a file: make the model with a "
                    "build function instead"
                    if unsafe
                    else _unloadable(path, error),
                    file=path,
                    detail=failure_from(error, "build_raised", sources.belongs_to_user).detail,
                    needs=needed_backend(error),
                ) from error

        return load

    def _layers(self) -> Callable:
        from pronghorn.lowering.inline import sequential

        self.name = "sequential"
        sources.forget_user_modules()
        return lambda: sequential(self.request, self.inputs)

    def _configured(self) -> Callable:
        from pronghorn.lowering import configured

        path = self._existing_file() if self.request.get("file") else None
        self.name = "model" if path is None else os.path.splitext(os.path.basename(path))[0]
        self._import_objects()
        return configured.maker(self.request, path)

    def _import_objects(self) -> None:
        """Imports the file of `custom_objects`, whose classes Keras's own registry knows from then on."""
        sources.forget_user_modules()
        objects = self.request.get("custom_objects")
        if objects:
            if not os.path.isfile(objects):
                raise LoweringFailure("no_such_file", f"there is no file {objects}", file=objects)
            importing.module(os.path.realpath(objects), "build_raised")

    def _existing_file(self) -> str:
        path = self.request.get("file") or ""
        if not os.path.isfile(path):
            raise LoweringFailure("no_such_file", f"there is no file {path}", file=path)
        return os.path.realpath(path)

    def _file(self) -> str | None:
        return os.path.realpath(self.request["file"]) if "file" in self.request else None

    def _what(self) -> str:
        known = {"function": f"{self.name}()", "keras": f"the file {self.name}.keras", "config": "the configuration"}
        return known.get(self.kind, "`layers`")


def disagreement(model, inputs: Inputs, rows: int, error: Exception) -> LoweringFailure:
    """Why a model and its data do not fit together, told by what the model gives for such an input."""
    failure = failure_from(error, "not_lowerable", sources.belongs_to_user)
    name = type(error).__name__
    if "Tracer" in name or "Concretization" in name or "unseeded" in failure.message or "JAX RNG" in failure.message:
        failure.message = f"the model cannot be traced by JAX: {failure.message}"
        return failure
    given = ", ".join(f"{t.name} {_shape(t.shape)}" for t in inputs.x)
    expected = ", ".join(f"{t.name} {_shape(t.shape)}" for t in inputs.y)
    import jax

    try:
        batch = inputs.pack(inputs.shapes(rows))
        outputs = jax.tree.leaves(_output_spec(model, batch[0]), is_leaf=lambda leaf: hasattr(leaf, "shape"))
    except Exception as cause:
        if isinstance(cause, (ValueError, TypeError)):
            failure.code = "shapes_disagree"
            failure.message = f"the model does not take rows of x of shape {given}: {describe_error(cause)}"
        return failure
    if isinstance(error, (ValueError, TypeError)):
        shapes = ", ".join(_shape(tuple(output.shape[1:])) for output in outputs)
        failure.code = "shapes_disagree"
        failure.message = (
            f"the model's output has rows of shape {shapes}, which its loss or metrics do not take with rows of "
            f"{expected or 'no y'}: {describe_error(error)}"
        )
    return failure


def _output_spec(model, x):
    import jax
    import keras
    from keras.src import backend

    symbolic = jax.tree.map(lambda a: keras.KerasTensor(a.shape, np.dtype(a.dtype).name), x)
    return backend.compute_output_spec(model, symbolic, training=False)


def _shape(shape: tuple) -> str:
    return "(" + ", ".join("any" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "") + ")"


def _unloadable(path: str, error: Exception) -> str:
    """Why Keras cannot load a file; what it has to know first has a key of the experiment file."""
    unknown = re.match(r"Could not locate (function|class) '([^']+)'", str(error))
    if unknown is None:
        return f"Keras cannot load {path}: {describe_error(error)}"
    return (
        f"{path} needs the {unknown[1]} {unknown[2]!r}, which Keras does not know: name a Python file that registers "
        "it as `custom_objects`"
    )


def _takes(function: Callable, argument: str) -> bool:
    """Whether a function can be given an argument by this name."""
    parameters = inspect.signature(function).parameters
    return argument in _arguments(function) or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _arguments(function: Callable) -> list[str]:
    """The names that a function can be given arguments by."""
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [p.name for p in inspect.signature(function).parameters.values() if p.kind in by_name]
