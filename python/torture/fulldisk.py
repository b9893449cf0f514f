"""Disks that are full at random moments: a clear error, and the run goes on once there is room.

The run's folder is on a small file system in memory, in a name space of this process's own; that takes root's rights.
"""

from __future__ import annotations

import ctypes
import os
import random
import subprocess
import threading

from torture.experiments import Experiment
from torture.judging import problems
from torture.kills import LIFE_SECONDS, Tally, Undisturbed, end_survivors
from torture.lives import Life, Reports
from torture.place import Place, Tools

CLONE_NEWNS = 0x00020000
ROOMY = 256 << 20


def can_mount() -> bool:
    """Whether this process may mount a file system in a name space of its own."""
    test = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    try:
        return subprocess.run(test, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _mount(place: Place, size: int, again: bool) -> None:
    options = f"size={size}{',remount' if again else ''}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place.run)], check=True)


def fill(place: Place, undisturbed: Undisturbed, size: int, name: str) -> Tally:
    """A run on a disk of a size that it needs more than, and then on a roomy one."""
    tally = Tally()
    place.clear()
    place.run.mkdir()
    _mount(place, size, again=False)
    try:
        reports = Reports(place.run)
        life = Life(place, reports)
        status = life.wait(LIFE_SECONDS)
        end_survivors(place, name, tally)
        tally.kills["full disk" if status != 0 else "room enough"] += 1
        if status is None:
            life.process.kill()
            tally.problems.append(f"{name}: it takes more than {LIFE_SECONDS} s:\n{life.text}")
        elif status != 0 and (status != 1 or not _is_clear(life.text)):
            tally.problems.append(f"{name}: status {status}, and no word of the disk:\n{life.text}")
        _mount(place, ROOMY, again=True)
        for _ in range(2):
            tally.resumes += 1
            life = Life(place, reports)
            status = life.wait(LIFE_SECONDS)
            end_survivors(place, name, tally)
            if status == 0:
                break
            tally.problems.append(f"{name}: with room again, status {status}:\n{life.text}")
        tally.problems += [f"{name}: {text}" for text in problems(place, undisturbed.outcome, reports)]
    finally:
        subprocess.run(["umount", "-l", str(place.run)], check=True)
    return tally


def _is_clear(text: str) -> bool:
    return "error:" in text and ("disk" in text or "No space left" in text)


def need(place: Place) -> int:
    """Bytes that the run takes at its largest."""
    place.clear()
    place.run.mkdir()
    _mount(place, ROOMY, again=False)
    largest = 0
    over = threading.Event()

    def watch() -> None:
        nonlocal largest
        while not over.wait(0.02):
            state = os.statvfs(place.run)
            largest = max(largest, (state.f_blocks - state.f_bfree) * state.f_frsize)

    try:
        watcher = threading.Thread(target=watch)
        watcher.start()
        life = Life(place, Reports(place.run))
        if life.wait(LIFE_SECONDS) != 0:
            raise RuntimeError(f"{place.experiment.name} fails on a disk in memory:\n{life.text}")
        over.set()
        watcher.join()
    finally:
        subprocess.run(["umount", "-l", str(place.run)], check=True)
    return largest


def torture(tools: Tools, experiments: list[Experiment], fills: int, seed: int, report) -> Tally:
    """Fills the disk at so many random moments, shared out over the experiments."""
    total = Tally()
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "a name space for mounts cannot be made")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    for index, experiment in enumerate(experiments):
        place = Place(tools, experiment, f"disk-{experiment.name}")
        undisturbed = Undisturbed(place)
        bytes_needed = need(place)
        report(f"{experiment.name} takes {bytes_needed} bytes of disk")
        draws = random.Random(f"{seed}/{experiment.name}")
        for number in range(index, fills, len(experiments)):
            size = draws.randint(64 << 10, bytes_needed)
            tally = fill(place, undisturbed, size, f"{experiment.name} on {size} bytes")
            tally.runs[experiment.name] += 1
            total.add(tally)
            for problem in tally.problems[:8]:
                report(f"  PROBLEM {problem}")
            report(f"disk {number}: {size} bytes, {len(tally.problems)} problems")
    return total
