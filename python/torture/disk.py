"""What a file system may hold after a loss of power, from a record of what was done to it.

Content that was written and not synced may be there, in part, or not at all, block by block; names that were made,
moved or removed and whose folder was not synced may be as they were. `fsync` of a file makes its content durable,
`fsync` of a folder its entries, `syncfs` everything. A rename is one step, durable with the folder that it leads to.
"""

from __future__ import annotations

import os
import random
import struct
from dataclasses import dataclass, field
from pathlib import Path

HEADER = struct.Struct("@IIQQQII")
CREATE, WRITE, TRUNCATE, RENAME, UNLINK, MKDIR, SYNC_FILE, SYNC_FOLDER, SYNC_ALL, SAY, CONTENTS, RMDIR = range(1, 13)
WITH_DATA = (WRITE, SAY, CONTENTS)


@dataclass(frozen=True)
class Record:
    """Something that a process did."""

    operation: int
    process: int
    file: int
    offset: int
    length: int
    path: str
    target: str
    data: bytes


def read_records(path: Path) -> list[Record]:
    """All that the preloaded library has written down."""
    data, position, records = path.read_bytes(), 0, []
    while position + HEADER.size <= len(data):
        operation, process, file, offset, length, first, second = HEADER.unpack_from(data, position)
        position += HEADER.size
        paths = data[position : position + first].decode(), data[position + first : position + first + second].decode()
        position += first + second
        held = length if operation in WITH_DATA else 0
        records.append(Record(operation, process, file, offset, length, *paths, data[position : position + held]))
        position += held
    return records


@dataclass
class _File:
    durable: bytes = b""
    """Writes (offset and data) and lengths that nothing has made durable, in their order."""
    pending: list[tuple[int, bytes] | int] = field(default_factory=list)

    def content(self) -> bytes:
        return _applied(self.durable, self.pending)


def _applied(content: bytes, changes: list[tuple[int, bytes] | int]) -> bytes:
    held = bytearray(content)
    for change in changes:
        if isinstance(change, int):
            del held[change:]
            held.extend(bytes(max(0, change - len(held))))
        else:
            offset, data = change
            held.extend(bytes(max(0, offset - len(held))))
            held[offset : offset + len(data)] = data
    return bytes(held)


@dataclass
class _Change:
    """A change of the names: what was done to which, and whether it is durable."""

    operation: int
    path: str
    target: str
    file: int
    durable: bool = False


class Disk:
    """A file system that takes records in, and says what may be left of it at any moment."""

    def __init__(self) -> None:
        self.files: list[_File] = []
        self._numbers: dict[int, int] = {}
        self._changes: list[_Change] = []

    def take(self, record: Record) -> None:
        """Does what a record says."""
        operation = record.operation
        if operation == CREATE:
            self.files.append(_File())
            self._numbers[record.file] = len(self.files) - 1
            self._changes.append(_Change(CREATE, record.path, "", len(self.files) - 1))
        elif operation in (RENAME, UNLINK, MKDIR, RMDIR):
            self._changes.append(_Change(operation, record.path, record.target, -1))
        elif operation == SYNC_FOLDER:
            for change in self._changes:
                if os.path.dirname(change.target or change.path) == record.path:
                    change.durable = True
        elif operation == SYNC_ALL:
            for change in self._changes:
                change.durable = True
            for file in self.files:
                _sync(file)
        elif record.file in self._numbers:
            file = self.files[self._numbers[record.file]]
            if operation == WRITE:
                file.pending.append((record.offset, record.data))
            elif operation == TRUNCATE:
                file.pending.append(record.offset)
            elif operation == SYNC_FILE:
                _sync(file)
            elif operation == CONTENTS and file.content() != record.data:
                # What the C library wrote by itself.
                file.pending += [0, (0, record.data)]

    def after_loss(self, draws: random.Random) -> dict[str, bytes | None]:
        """What may be there after a loss of power: the contents of files by their paths, None for a folder."""
        names = self._names(draws)
        # All of what was not synced, none, or a chance for each.
        share = draws.choice([0.0, 1.0, draws.random(), draws.random()])
        return {
            path: None if file < 0 else self._content(self.files[file], share, draws) for path, file in names.items()
        }

    def _names(self, draws: random.Random) -> dict[str, int]:
        pending = [change for change in self._changes if not change.durable]
        if draws.random() < 0.5:
            # As with a journal: what came last is missing, all before it is there.
            kept = {id(change) for change in pending[: draws.randint(0, len(pending))]}
        else:
            share = draws.random()
            kept = {id(change) for change in pending if draws.random() < share}
        names: dict[str, int] = {}
        for change in self._changes:
            if change.durable or id(change) in kept:
                _rename(change, names)
        # A name in a folder that is not there is lost with it.
        roots = {os.path.dirname(change.path) for change in self._changes[:1]}
        return {path: file for path, file in names.items() if _is_reachable(path, names, roots)}

    def _content(self, file: _File, share: float, draws: random.Random) -> bytes:
        kept: list[tuple[int, bytes] | int] = []
        for change in file.pending:
            if isinstance(change, int):
                if draws.random() < share:
                    kept.append(change)
                continue
            offset, data = change
            block = draws.choice([512, 4096])
            start = 0
            while start < len(data):
                end = min(len(data), (offset + start) // block * block + block - offset)
                if draws.random() < share:
                    kept.append((offset + start, data[start:end]))
                start = end
        return _applied(file.durable, kept)


def _sync(file: _File) -> None:
    file.durable, file.pending = file.content(), []


def _rename(change: _Change, names: dict[str, int]) -> None:
    if change.operation == CREATE:
        names[change.path] = change.file
    elif change.operation == MKDIR:
        names.setdefault(change.path, -1)
    elif change.operation in (UNLINK, RMDIR):
        names.pop(change.path, None)
    elif change.path in names:
        below = f"{change.path}/"
        for path in [path for path in names if path.startswith(below)]:
            names[f"{change.target}/{path[len(below) :]}"] = names.pop(path)
        names[change.target] = names.pop(change.path)


def _is_reachable(path: str, names: dict[str, int], roots: set[str]) -> bool:
    parent = os.path.dirname(path)
    return parent in roots or (names.get(parent) == -1 and _is_reachable(parent, names, roots))


def lay_out(state: dict[str, bytes | None]) -> None:
    """Puts files and folders where they belong."""
    for path, content in sorted(state.items()):
        if content is None:
            os.makedirs(path, exist_ok=True)
        else:
            Path(path).write_bytes(content)
