"""`template.keras`: the model as Keras saves it, and where in that file each leaf's bytes stand."""

from __future__ import annotations

import io
import os
import struct
import tempfile
import zipfile

import h5py
import numpy as np

from pronghorn.lowering import layouts
from pronghorn.lowering.archives import CONFIG, WEIGHTS
from pronghorn.lowering.failures import LoweringFailure, describe_error
from pronghorn.lowering.state import Leaf, State


def write(model, state: State, path: str) -> list[int | None]:
    """Saves `model` to `path`, and returns the offset of every leaf in it (none: the file does not hold the leaf)."""
    names = datasets(model, state)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        saved = os.path.join(folder, "saved.keras")
        try:
            model.save(saved)
        except Exception as error:
            raise LoweringFailure("not_lowerable", f"Keras cannot save the model: {describe_error(error)}") from error
        with zipfile.ZipFile(saved) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
    weights, places = _flat_weights(members[WEIGHTS], names)
    members[WEIGHTS] = weights
    start = _write_stored(members, path)
    offsets = [None if place is None else start + place for place in places]
    _verify(path, state, offsets)
    return offsets


def config(path: str) -> str:
    """The text of a template's `config.json`."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(CONFIG).decode()


def datasets(model, state: State) -> list[list[str]]:
    """The datasets that hold each leaf, found by saving the model with leaves of recognisable values.

    Any layer may save its variables in its own way and order, so the file is asked, not Keras. Each leaf is filled
    with its number, in as many rounds as its dtype needs digits, and in a last one with another first digit: what is
    saved and never changes is no leaf.
    """
    kept = [leaf for leaf in state.leaves if leaf.role not in ("metric", "parameter") and np.prod(leaf.shape) > 0]
    bases = [_base(leaf) for leaf in kept]
    rounds = max((_digits(len(kept), base) for base in bases), default=0)
    seen: dict[str, list[tuple]] = {}
    values = [leaf.variable._value for leaf in kept]
    numbered = list(enumerate(zip(kept, bases, strict=True), start=1))
    try:
        for turn in range(rounds + 1):
            for number, (leaf, base) in numbered:
                leaf.variable._value = _filled(leaf, _digit(number, base, turn, rounds))
            for name, digit in _saved_digits(model, kept).items():
                seen.setdefault(name, []).append(digit)
    finally:
        for leaf, value in zip(kept, values, strict=True):
            leaf.variable._value = value
    expected = {}
    for number, (leaf, base) in numbered:
        digits = tuple(float(_digit(number, base, turn, rounds)) for turn in range(rounds + 1))
        expected.setdefault((leaf.shape, leaf.dtype, digits), leaf)
    names: dict[int, list[str]] = {}
    for name, rows in seen.items():
        for leaf in kept:
            key = (leaf.shape, leaf.dtype)
            if all(row is not None and key in row for row in rows):
                found = expected.get((*key, tuple(row[key] for row in rows)))
                if found is leaf:
                    names.setdefault(id(leaf.variable), []).append(name)
    return [names.get(id(leaf.variable), []) for leaf in state.leaves]


def _saved_digits(model, kept: list[Leaf]) -> dict[str, dict | None]:
    """For every dataset of a saved model: the one number it is filled with, read as each dtype it could be of."""
    from keras.src.saving import saving_lib

    forms: dict[tuple, set[str]] = {}
    for leaf in kept:
        forms.setdefault((leaf.shape, np.dtype(leaf.dtype).itemsize), set()).add(leaf.dtype)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "marked.weights.h5")
        try:
            saving_lib.save_weights_only(model, path)
        except Exception as error:
            raise LoweringFailure("not_lowerable", f"Keras cannot save the model: {describe_error(error)}") from error
        digits: dict[str, dict | None] = {}
        with h5py.File(path, "r") as file:
            for name, dataset in layouts.walk(file):
                digits[name] = {}
                raw = np.asarray(dataset[()])
                for dtype in forms.get((tuple(dataset.shape), dataset.dtype.itemsize), ()):
                    if not _stores(dataset.dtype, dtype):
                        continue
                    value = np.ascontiguousarray(raw).view(dtype).reshape(dataset.shape)
                    first = value.flat[0]
                    if (value == first).all():
                        digits[name][(tuple(dataset.shape), dtype)] = float(first)
    return digits


def _stores(stored: np.dtype, dtype: str) -> bool:
    dtype = np.dtype(dtype)
    return stored == dtype or stored.kind == "V" or dtype.kind == "V" or dtype.kind == "b"


def _base(leaf: Leaf) -> int:
    dtype = np.dtype(leaf.dtype)
    if dtype.kind == "b":
        return 2
    # Whole numbers that a one-byte float still tells apart; every wider type tells 100 apart.
    return 8 if dtype.itemsize == 1 else 100


def _digit(number: int, base: int, turn: int, rounds: int) -> int:
    """The digit of a leaf's number in a round."""
    return (number + 1) % base if turn == rounds else number // base**turn % base


def _digits(count: int, base: int) -> int:
    digits = 1
    while base**digits <= count:
        digits += 1
    return digits


def _filled(leaf: Leaf, digit: int):
    import jax.numpy as jnp

    return jnp.full(leaf.shape, digit, leaf.variable._value.dtype)


def _flat_weights(data: bytes, names: list[list[str]]) -> tuple[bytes, list[int | None]]:
    """The weights with every leaf's bytes in one piece, and where they stand in it."""
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        for leaf_names in names:
            for name in leaf_names[:1]:
                dataset = file[name]
                if dataset.id.get_offset() is None:
                    _make_contiguous(file, name)
            for name in leaf_names[1:]:
                # Saved twice: both names shall stand for the same bytes, as both stand for the same variable.
                del file[name]
                file[name] = file[leaf_names[0]]
    places: list[int | None] = []
    with h5py.File(buffer, "r") as file:
        for leaf_names in names:
            places.append(file[leaf_names[0]].id.get_offset() if leaf_names else None)
            if leaf_names and places[-1] is None:
                raise LoweringFailure("internal", f"{leaf_names[0]} has no place of its own in the template")
    return buffer.getvalue(), places


def _make_contiguous(file, name: str) -> None:
    old = file[name]
    value, attributes = old[()], dict(old.attrs)
    space = h5py.h5s.create_simple(old.shape) if old.shape else h5py.h5s.create(h5py.h5s.SCALAR)
    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_layout(h5py.h5d.CONTIGUOUS)
    layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    kind = old.id.get_type()
    parent, _, key = name.rpartition("/")
    del file[name]
    group = file[parent] if parent else file
    new = h5py.Dataset(h5py.h5d.create(group.id, key.encode(), kind, space, layout))
    new[()] = value
    for attribute, content in attributes.items():
        new.attrs[attribute] = content


def _write_stored(members: dict[str, bytes], path: str) -> int:
    """Writes an archive of stored members, and returns where the weights begin in it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            # A fixed date: equal models shall be equal files.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
        header = archive.getinfo(WEIGHTS).header_offset
    with open(path, "rb") as file:
        file.seek(header)
        fixed = file.read(30)
    name_length, extra_length = struct.unpack("<HH", fixed[26:30])
    return header + 30 + name_length + extra_length


def _verify(path: str, state: State, offsets: list[int | None]) -> None:
    with open(path, "rb") as file:
        for leaf, offset in zip(state.leaves, offsets, strict=True):
            if offset is None:
                continue
            value = np.asarray(leaf.variable._value)
            file.seek(offset)
            if file.read(value.nbytes) != np.ascontiguousarray(value).tobytes():
                raise LoweringFailure("internal", f"the template does not hold {leaf.path} where it was found")
