"""Whether a file from elsewhere may be handed to Keras: its archive, and the HDF5 file in it, are looked through first.

Keras 3.15 has guards of its own (`saving_lib._reject_zip_bomb`, `safe_get_h5_dataset`, `filter_safe_zipinfos`), which
skip or raise somewhere in the middle of loading. Here a file that is not a whole and harmless model is refused before
anything of it is loaded, with its name, what is wrong with it and what to do.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile

import h5py

from pronghorn.lowering.failures import LoweringFailure, describe_error

WEIGHTS = "model.weights.h5"
CONFIG = "config.json"
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
SMALL = 1 << 26
"""Bytes that a member may always inflate to."""
MOST_INFLATED = 200
"""How many times its stored size a larger member may inflate to: Keras itself stores members as they are."""


def open_model(path: str) -> bytes:
    """The bytes of a `.keras` file, once it is known to be one."""
    data = _bytes(path)
    if data.startswith(HDF5_SIGNATURE):
        raise _not_a_model(path, "is a whole-model HDF5 file: load it in Keras and save it as .keras")
    with _archive(path, data) as archive:
        for info in archive.infolist():
            _check_member(path, info)
        names = [info.filename for info in archive.infolist()]
        if len(set(names)) < len(names):
            raise _unsafe(path, "holds two members of one name")
        for name in (CONFIG, WEIGHTS):
            if name not in names:
                raise _not_a_model(path, f"has no {name}: save the model with Keras 3, as .keras")
        try:
            weights = archive.read(WEIGHTS)
            archive.read(CONFIG)
        except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError, zipfile.zlib.error) as error:
            raise _not_a_model(path, f"is damaged ({error}): fetch or save it again") from error
    check_weights(path, io.BytesIO(weights))
    return data


def open_weights(path: str) -> bytes:
    """The bytes of a `.weights.h5` file, once it is known to be one that names nothing outside itself."""
    data = _bytes(path)
    if not data.startswith(HDF5_SIGNATURE):
        raise _not_a_model(path, "is not an HDF5 file: write it with Model.save_weights", "a file of weights")
    check_weights(path, io.BytesIO(data))
    return data


def check_weights(path: str, file) -> None:
    """Refuses an HDF5 file with links, external or virtual datasets: each could stand for another file's bytes."""
    try:
        with h5py.File(file, "r") as opened:
            _check_group(path, opened, set())
    except LoweringFailure:
        raise
    except Exception as error:
        raise _not_a_model(path, f"has damaged weights ({describe_error(error)}): fetch or save it again") from error


def _check_group(path: str, group, seen: set) -> None:
    info = h5py.h5o.get_info(group.id)
    if (info.fileno, info.addr) in seen:
        return
    seen.add((info.fileno, info.addr))
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise _unsafe(path, f"has weights that link to elsewhere ({type(link).__name__} {name!r})")
        item = group[name]
        if isinstance(item, h5py.Group):
            _check_group(path, item, seen)
        elif isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
            raise _unsafe(path, f"has weights that stand in another file ({name!r})")


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise LoweringFailure("no_such_file", f"{path} cannot be read: {error.strerror}") from error
    if not data:
        raise _not_a_model(path, "is empty: fetch or save it again")
    return data


def _archive(path: str, data: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
        raise _not_a_model(path, "is not a whole zip archive: fetch it again, or save the model as .keras") from error


def _check_member(path: str, info: zipfile.ZipInfo) -> None:
    name = info.orig_filename
    unsafe = (
        not name
        or name.startswith("/")
        or "\\" in name
        or ".." in name.split("/")
        or re.match(r"[A-Za-z]:", name)
        or any(ord(character) < 32 for character in name)
    )
    if unsafe:
        raise _unsafe(path, f"holds a member that would lead out of its folder ({name[:80]!r})")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise _unsafe(path, f"holds a link ({name[:80]!r})")
    if info.file_size > max(SMALL, MOST_INFLATED * info.compress_size):
        raise _unsafe(
            path, f"holds {info.compress_size} bytes that claim to inflate to {info.file_size} ({name[:80]!r})"
        )
    if info.flag_bits & 1:
        raise _unsafe(path, f"holds an encrypted member ({name[:80]!r})")


def _not_a_model(path: str, what: str, kind: str = "a Keras model") -> LoweringFailure:
    return LoweringFailure("not_a_model", f"{os.path.basename(path)} is not {kind}: it {what}", file=path)


def _unsafe(path: str, what: str) -> LoweringFailure:
    advice = "Keras writes no such file: do not use it, or save the model again where you trust it"
    return LoweringFailure("unsafe_model", f"{os.path.basename(path)} is refused: it {what}; {advice}", file=path)
