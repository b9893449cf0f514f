"""Arrays on their way to the processes that train: files that are mapped, not copied, wherever that can be."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from pronghorn.scripting.errors import InvalidRequest

# Arrays of a run up to so many bytes together lie in its folder, so that it is whole by itself.
KEPT_BYTES = 64 << 20
SHARED_MEMORY = Path("/dev/shm")

# What Keras on JAX makes of other types.
_CASTS = {"float16": "float32", "float64": "float32", "int64": "int32", "uint64": "uint32", "bfloat16": "float32"}


class ArrayFiles:
    """The NPY files of one run: those that are there already, and what is written for it.

    Large arrays go to shared memory, with a link in the run's folder. `settle` removes them when the run is over, or
    puts copies into the folder where the run could go on.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.written = 0
        self._shared: Path | None = None

    def path(self, array: np.ndarray, name: str) -> str:
        """The file that holds an array: its own where it is mapped from a whole NPY file, else one that is written."""
        mapped = mapped_file(array)
        if mapped is not None:
            return mapped
        array = cast(array)
        place = self.folder / f"{name}.npy"
        place.parent.mkdir(parents=True, exist_ok=True)
        target = place
        self.written += array.nbytes
        if self.written > KEPT_BYTES and (shared := self._shared_folder(array.nbytes)) is not None:
            target = shared / f"{name.replace('/', '-')}.npy"
            place.symlink_to(target)
        with open(target, "wb") as file:
            np.save(file, array, allow_pickle=False)
        return os.path.relpath(place, self.folder)

    def _shared_folder(self, size: int) -> Path | None:
        """A folder in shared memory with room for so many bytes, and as many again."""
        try:
            if shutil.disk_usage(SHARED_MEMORY).free < 2 * size:
                return None
            if self._shared is None:
                self._shared = Path(tempfile.mkdtemp(prefix=f"pronghorn-{os.getuid()}-", dir=SHARED_MEMORY))
        except OSError:
            return None
        return self._shared

    def settle(self, *, keep: bool) -> None:
        """Gives the shared memory back; with `keep`, copies of it lie in the run's folder from then on."""
        if self._shared is None:
            return
        for link in self.folder.rglob("*.npy"):
            if not link.is_symlink() or Path(os.readlink(link)).parent != self._shared:
                continue
            if keep:
                temporary = link.with_name(f".{link.name}.{os.getpid()}")
                # With the times of the original: the run's units know the file by them.
                shutil.copy2(link, temporary)
                os.replace(temporary, link)
            else:
                link.unlink()
        shutil.rmtree(self._shared, ignore_errors=True)
        self._shared = None


def mapped_file(array: np.ndarray) -> str | None:
    """The NPY file that an array is mapped from, if it is all of it and of a type that needs no cast."""
    base: Any = array
    while not isinstance(base, np.memmap) and isinstance(getattr(base, "base", None), np.ndarray):
        base = base.base
    if not isinstance(base, np.memmap) or base.filename is None or array.dtype.name in _CASTS:
        return None
    if not array.flags.c_contiguous or not array.dtype.isnative:
        return None
    path = os.fspath(base.filename)
    with contextlib.suppress(OSError, ValueError), open(path, "rb") as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = read(file)
        start = base.__array_interface__["data"][0] - (base.offset - file.tell())
        whole = (shape, is_fortran, dtype) == (array.shape, False, array.dtype)
        # What was changed in memory and not in the file (mode "c") is only in memory.
        if whole and array.__array_interface__["data"][0] == start and base.mode != "c":
            if base.mode != "r":
                base.flush()
            return os.path.abspath(path)
    return None


def cast(array: np.ndarray) -> np.ndarray:
    """An array in the type that Keras on JAX makes of it, in C order and the machine's order of bytes."""
    name = _CASTS.get(array.dtype.name, array.dtype.newbyteorder("=").name if array.dtype.kind in "iufb" else None)
    if name is None:
        return np.ascontiguousarray(array)
    if array.dtype.name in ("int64", "uint64") and array.size:
        low, high = int(array.min()), int(array.max())
        limits = np.iinfo(name)
        if low < limits.min or high > limits.max:
            raise InvalidRequest(
                f"an array of {array.dtype.name} holds {high if high > limits.max else low}, which {name} cannot, the "
                "type that Keras on JAX makes of it: convert the array"
            )
    return np.ascontiguousarray(array, dtype=name)


def numbers(value: Any, what: str) -> np.ndarray:
    """An array of numbers, rows first.

    Args:
        value: What NumPy makes an array of: an array, a list, a tensor of any backend, a column of a table.
        what: What it is called in errors.
    """
    array = _array(value, what)
    if array.dtype.kind == "O":
        with contextlib.suppress(TypeError, ValueError):
            array = array.astype("float32")
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise InvalidRequest(f"{what} is of type {array.dtype}, and a model takes numbers")
    return _rows(array, what)


def keys(value: Any, what: str) -> np.ndarray:
    """A column to divide rows by: whole numbers or texts, shape (rows,)."""
    array = _array(value, what)
    if array.dtype.kind not in "biufU":
        array = np.array([str(element) for element in array.reshape(-1).tolist()]).reshape(array.shape)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise InvalidRequest(f"{what} has the shape {array.shape}: give one value a row, shape (rows,)")
    return _rows(array, what)


def _array(value: Any, what: str) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    try:
        if hasattr(value, "to_numpy"):
            value = value.to_numpy()
        return np.asarray(value)
    except Exception as error:
        raise InvalidRequest(f"{what}: NumPy makes no array of {type(value).__name__}: {error}") from error


def _rows(array: np.ndarray, what: str) -> np.ndarray:
    if array.ndim == 0:
        raise InvalidRequest(f"{what} is a single number: the first axis of an array is its rows")
    return array
