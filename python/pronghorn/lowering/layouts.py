"""How the arrays of a saved model are laid out, and what is noted of them for readers without Keras.

Files of one layout were written by one architecture: once it is known which array becomes which leaf (`starts.py`),
other files of the layout need neither Keras nor HDF5, if their arrays stand beside them in a safetensors file
(docs/Contracts.md, section 1). Nothing here imports Keras or JAX.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from pronghorn.lowering import safetensors, spans
from pronghorn.lowering.archives import CONFIG, WEIGHTS


def walk(group, prefix: str = "") -> Iterator[tuple[str, h5py.Dataset]]:
    """Every dataset of an HDF5 group with its name."""
    for key in group:
        name = f"{prefix}/{key}" if prefix else key
        item = group[key]
        if isinstance(item, h5py.Dataset):
            yield name, item
        else:
            yield from walk(item, name)


def digest(opened: h5py.File) -> str:
    """Names a file's layout: every dataset with its shape and type."""
    entries = [[name, list(dataset.shape), dataset.dtype.str] for name, dataset in walk(opened)]
    return hashlib.sha256(json.dumps(sorted(entries)).encode()).hexdigest()


def opened_weights(path: str, data: bytes) -> h5py.File:
    """The weights in the bytes of a `.keras` file, or of a file that is weights alone."""
    if path.endswith(".keras"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = archive.read(WEIGHTS)
    return h5py.File(io.BytesIO(data), "r")


def write_arrays(model: str, path: str) -> None:
    """Writes the arrays of a `.keras` file beside it.

    Each is a row of bytes by its dataset's name. The notes: `file`, the model's SHA-256 digest; `layout`; `config`, the
    configuration; and `numbers`, where in it every number that `compile` was given stands, [offset, length] in bytes.
    """
    with open(model, "rb") as file:
        data = file.read()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        config = json.loads(archive.read(CONFIG))
    with opened_weights(model, data) as opened:
        arrays = {name: np.frombuffer(dataset[()].tobytes(), "uint8") for name, dataset in walk(opened)}
        layout = digest(opened)
    text = json.dumps(config)
    numbers = {
        spans.word(path): spans.of(text, path)
        for path, value in spans.leaves(config)
        if _is_compiled_number(path, value)
    }
    notes = {
        "file": hashlib.sha256(data).hexdigest(), "layout": layout, "config": text, "numbers": json.dumps(numbers),
    }  # fmt: skip
    safetensors.write(path, arrays, notes)


def _is_compiled_number(path: tuple, value: Any) -> bool:
    return path[:1] == ("compile_config",) and isinstance(value, (int, float)) and not isinstance(value, bool)
