"""What is trained: compiled models, `.keras` files or a build function, as an experiment file names them."""

from __future__ import annotations

import glob
import hashlib
import inspect
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pronghorn.scripting import code, objects
from pronghorn.scripting.errors import InvalidRequest
from pronghorn.scripting.values import Axes


@dataclass
class Models:
    """What an experiment file says about the models.

    Attributes:
        name: What a run of them is called.
        source: What stands under `model`: `FILE.py:FUNCTION`, a `.keras` file or a list of them.
        number: How many models there are in a list; 0 where there is no list.
        given: The caller's own models, in their order.
        build: The caller's build function.
        custom_objects: Classes and functions that the files name, by the names that they have there.
        input_names: The names of the inputs of functional models.
    """

    name: str
    source: str | list[str]
    number: int = 0
    given: list[Any] = field(default_factory=list)
    build: Callable | None = None
    custom_objects: dict[str, Any] = field(default_factory=dict)
    input_names: list[str] = field(default_factory=list)


def described(models: Any, axes: Axes, custom_objects: dict[str, Any] | None) -> Models:
    """Finds out what was given, and writes what Pronghorn's processes read of it.

    Args:
        models: A compiled model, a list of them, the path of a `.keras` file, a list of paths, or a function that
            returns a compiled model.
    """
    import keras

    if isinstance(models, (str, Path)) or (
        isinstance(models, Sequence) and models and all(isinstance(one, (str, Path)) for one in models)
    ):
        return _files(models, custom_objects or {}, axes)
    if isinstance(models, keras.Model):
        path, found = _saved(models, "0", custom_objects or {})
        _refuse_objects(axes)
        return Models("fit", path, 0, [models], custom_objects=found, input_names=_input_names(models))
    if isinstance(models, Sequence) and models and all(isinstance(one, keras.Model) for one in models):
        _refuse_objects(axes)
        if len({id(one) for one in models}) < len(models):
            raise InvalidRequest("a model stands in the list twice: use keras.models.clone_model, or trials of a seed")
        saved = [_saved(one, str(number), custom_objects or {}) for number, one in enumerate(models)]
        needed: dict[str, Any] = {}
        for _, found in saved:
            objects.join(needed, found)
        paths = [path for path, _ in saved]
        return Models("fit", paths, len(paths), list(models), None, needed, _input_names(models[0]))
    if callable(models) and not isinstance(models, type):
        return _function(models, axes)
    kind = type(models).__name__
    raise InvalidRequest(
        f"the models are {kind}: give a compiled Keras model, a list of them, "
        "a function that returns one, or .keras files"
    )


def _refuse_objects(axes: Axes) -> None:
    if axes.objects:
        raise InvalidRequest(
            f"trials[{next(iter(axes.objects))!r}] holds objects, which only a build function takes as arguments"
        )


# Build functions.


def _function(build: Callable, axes: Axes) -> Models:
    name = getattr(build, "__name__", "") or type(build).__name__
    try:
        inspect.signature(build)
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"{name} has no signature by which to pass it arguments: {error}") from error
    path = code.function_file("model", code.BUILD, (build, axes.objects), f"the build function {name}")
    return Models("fit" if name.startswith("<") else name, f"{path}:build", build=build)


# Compiled models.


def _saved(model: Any, name: str, custom_objects: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The `.keras` file of a model in the cache, by what is in it, and the custom objects that it names."""
    if not model.compiled or model.optimizer is None:
        raise InvalidRequest(f"the model {model.name!r} is not compiled: call `compile` before it is trained")
    _check_arguments(model)
    # Keras, which has made the model, brings what this needs.
    from pronghorn.lowering import layouts

    fingerprint, config = _fingerprint(model)
    needed = objects.needed(config, objects.live(model), custom_objects, f"the model {model.name!r}")
    folder = code.cache_folder() / "scripts"
    saves_more = _saves_more(model)
    place = folder / fingerprint / f"{name}.keras"
    if saves_more or not place.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(suffix=".keras", prefix=".", dir=folder)
        os.close(descriptor)
        try:
            model.save(temporary)
            data = _make_timeless(temporary)
            if saves_more:
                place = folder / hashlib.sha256(data).hexdigest()[:24] / f"{name}.keras"
            place.parent.mkdir(exist_ok=True)
            # Before the model is there, so that whoever finds it finds them.
            layouts.write_arrays(temporary, str(place.with_suffix(".safetensors")))
            os.replace(temporary, place)
        except Exception as error:
            raise InvalidRequest(
                f"Keras cannot save the model {model.name!r}: {type(error).__name__}: {error}; "
                "give a function that builds it instead"
            ) from error
        finally:
            Path(temporary).unlink(missing_ok=True)
    return str(place), needed


def _saves_more(model: Any) -> bool:
    """Whether a layer keeps in its file what is neither configuration nor variable, such as a vocabulary."""

    for layer in model._flatten_layers(include_self=True):
        save = getattr(type(layer), "save_own_variables", None)
        is_kerass = getattr(save, "__module__", "").startswith("keras.")
        if not is_kerass or hasattr(layer, "save_assets"):
            return True
    return False


def _check_arguments(model: Any) -> None:
    """Refuses losses and metrics whose arguments Keras does not save, as those of `Huber` in Keras 3.15."""
    import keras

    compile_config = getattr(model, "_compile_config", None)
    for part in keras.tree.flatten(getattr(compile_config, "config", None) or {}):
        arguments = getattr(part, "_fn_kwargs", None)
        if not type(part).__module__.startswith("keras.") or not arguments:
            continue
        saved = getattr(type(part).from_config(part.get_config()), "_fn_kwargs", None)
        if saved != arguments:
            raise InvalidRequest(
                f"Keras {keras.__version__} does not save the arguments of {type(part).__name__} with the model "
                f"{model.name!r}: it would train with {saved} in place of {arguments}; give a function that builds it"
            )


def _fingerprint(model: Any) -> tuple[str, Any]:
    """A digest of a model's configuration and of all of its numbers, and the configuration."""
    import keras
    import numpy as np

    try:
        config = keras.saving.serialize_keras_object(model)
        text = json.dumps(config, sort_keys=True, default=str)
    except Exception as error:
        raise InvalidRequest(
            f"Keras cannot describe the model {model.name!r}: {type(error).__name__}: {error}; "
            "give its classes a get_config, or give a function that builds it instead"
        ) from error
    digest = hashlib.sha256(f"{keras.__version__}\n{text}".encode())
    for variable in [*model.variables, *model.optimizer.variables]:
        array = np.asarray(keras.ops.convert_to_numpy(variable))
        digest.update(f"{array.shape} {array.dtype} ".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:24], config


def _make_timeless(path: str) -> bytes:
    """Takes the time of saving out of an archive: files that hold the same model are the same, byte by byte."""
    with zipfile.ZipFile(path) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members:
            if name == "metadata.json":
                data = json.dumps({**json.loads(data), "date_saved": "1980-01-01@00:00:00"}).encode()
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    Path(path).write_bytes(buffer.getvalue())
    return buffer.getvalue()


def _input_names(model: Any) -> list[str]:
    return [str(tensor.name) for tensor in getattr(model, "inputs", None) or []]


# Files.


def _files(models: Any, custom_objects: dict[str, Any], axes: Axes) -> Models:
    _refuse_objects(axes)
    paths = []
    for path in [models] if isinstance(models, (str, Path)) else models:
        text = os.path.abspath(os.path.expanduser(path))
        paths += sorted(glob.glob(text)) if glob.has_magic(text) and not os.path.exists(text) else [text]
    for path in paths:
        if not path.endswith(".keras"):
            raise InvalidRequest(f"{path} is no .keras file")
        if not os.path.isfile(path):
            raise InvalidRequest(f"there is no file {path}")
    if not paths:
        raise InvalidRequest(f"no file is called {models}")
    needed: dict[str, Any] = {}
    for path in paths:
        try:
            with zipfile.ZipFile(path) as archive:
                config = json.loads(archive.read("config.json"))
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise InvalidRequest(f"{path} is no model that Keras has saved: {error}") from error
        needed |= objects.needed(config, {}, custom_objects, path)
    one = isinstance(models, (str, Path)) and len(paths) == 1
    return Models("fit", paths[0] if one else paths, 0 if one else len(paths), custom_objects=needed)
