"""Which files a model comes from: what was imported and what was opened while it was built.

A program is cached under the digests of these files, so that an edited helper module or a changed vocabulary is
never served from the cache.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import site
import sys
import sysconfig
from collections.abc import Iterator

_recording: set[str] | None = None
_hooked = False


def belongs_to_user(path: str) -> bool:
    """Whether a file is the user's: not Python's own, not an installed package's, not Pronghorn's, not a device's."""
    path = os.path.realpath(path)
    return not path.startswith(_foreign_folders()) and "/__pycache__/" not in path and os.path.isabs(path)


def user_modules() -> dict[str, str]:
    """The imported modules that are the user's, by name, with their files."""
    files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    return {name: file for name, file in files.items() if file and name != "__main__" and belongs_to_user(file)}


def forget_user_modules() -> None:
    """Makes the next import of the user's modules a real one: the file may have changed since the last request."""
    for name in user_modules():
        del sys.modules[name]


@contextlib.contextmanager
def recorded() -> Iterator[set[str]]:
    """Collects the files that are opened for reading inside the block."""
    global _recording, _hooked
    if not _hooked:
        # An audit hook cannot be taken away again; it costs nothing while nothing is recorded.
        sys.addaudithook(_audit)
        _hooked = True
    before, _recording = _recording, set()
    try:
        with _hdf5_recorded():
            yield _recording
    finally:
        _recording = before


def digests(opened: set[str]) -> list[dict]:
    """The `sources` of `program.json`: every user file that was opened or is imported, with its digest."""
    paths = {os.path.realpath(path) for path in [*opened, *user_modules().values()]}
    return [
        {"path": path, "sha256": _sha256(path)}
        for path in sorted(paths)
        if belongs_to_user(path) and os.path.isfile(path)
    ]


def _audit(event: str, arguments: tuple) -> None:
    if _recording is None or event != "open":
        return
    path, mode, flags = arguments
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    writes = any(letter in mode for letter in "wax+") if isinstance(mode, str) else flags & (os.O_WRONLY | os.O_RDWR)
    if isinstance(path, str) and not writes:
        _recording.add(os.path.abspath(path))


@contextlib.contextmanager
def _hdf5_recorded() -> Iterator[None]:
    # HDF5 opens its files in C, where no audit event is raised.
    import h5py

    original = h5py.File.__init__

    def init(self, name, mode="r", *arguments, **options):
        if _recording is not None and mode == "r" and isinstance(name, (str, bytes, os.PathLike)):
            _recording.add(os.path.abspath(os.fsdecode(name)))
        original(self, name, mode, *arguments, **options)

    h5py.File.__init__ = init
    try:
        yield
    finally:
        h5py.File.__init__ = original


@functools.cache
def _foreign_folders() -> tuple[str, ...]:
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    paths = {ours, "/proc", "/sys", "/dev", *sysconfig.get_paths().values(), *site.getsitepackages()}
    paths.add(site.getusersitepackages())
    paths |= {os.path.join(prefix, "lib") for prefix in (sys.prefix, sys.base_prefix)}
    # The `data` path of an installation is its prefix, which can be /usr/local or a folder of the user's.
    paths -= {sys.prefix, sys.base_prefix, sysconfig.get_path("data")}
    return tuple(os.path.realpath(path).rstrip("/") + "/" for path in paths)


def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
