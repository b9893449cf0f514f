"""What is said of a disk after a loss of power: too much would hide faults, too little would find what is none."""

import random

from torture import disk
from torture.disk import Disk, Record


def _disk(*steps) -> Disk:
    made = Disk()
    for operation, fields in [(disk.MKDIR, {"path": "/r"}), *steps]:
        known = {"process": 1, "file": 0, "offset": 0, "length": 0, "path": "", "target": "", "data": b"", **fields}
        made.take(Record(operation=operation, **known))
    return made


CREATE = (disk.CREATE, {"file": 7, "path": "/r/a"})
WRITE = (disk.WRITE, {"file": 7, "data": b"x" * 9000})
SYNC = (disk.SYNC_FILE, {"file": 7})
SYNC_FOLDER = (disk.SYNC_FOLDER, {"path": "/r"})
SYNC_ALL = (disk.SYNC_ALL, {})
MOVE = (disk.RENAME, {"path": "/r/a", "target": "/r/b"})


def _states(*steps) -> list[dict]:
    made = _disk(*steps)
    return [made.after_loss(random.Random(seed)) for seed in range(300)]


def test_what_was_not_synced_may_be_gone_torn_or_there():
    contents = {state.get("/r/a") for state in _states(SYNC_ALL, CREATE, WRITE)}
    assert None in contents and b"" in contents and b"x" * 9000 in contents
    assert any(content and 0 in content and b"x" in content for content in contents)


def test_a_synced_file_in_a_synced_folder_is_whole():
    assert {state["/r/a"] for state in _states(SYNC_ALL, CREATE, WRITE, SYNC, SYNC_FOLDER)} == {b"x" * 9000}


def test_a_synced_file_may_lose_its_name():
    assert {state.get("/r/a") for state in _states(SYNC_ALL, CREATE, WRITE, SYNC)} == {None, b"x" * 9000}


def test_a_move_that_was_not_synced_is_done_or_not_but_never_both():
    for state in _states(CREATE, WRITE, SYNC_ALL, MOVE):
        assert ("/r/a" in state) != ("/r/b" in state)
    assert all("/r/b" in state for state in _states(CREATE, WRITE, SYNC_ALL, MOVE, SYNC_FOLDER))


def test_syncing_all_leaves_nothing_to_chance():
    assert all(state == {"/r": None, "/r/a": b"x" * 9000} for state in _states(CREATE, WRITE, SYNC_ALL))
