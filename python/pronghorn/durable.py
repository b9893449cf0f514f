"""Brings what was written to the disk, so that a loss of power takes it no more."""

from __future__ import annotations

import os


def synchronize(path: str | os.PathLike) -> None:
    """Brings a file's contents, also those written through a memory map, or a folder's names to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
