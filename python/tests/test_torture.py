"""A slice of what `make torture` does: runs that are killed, lose power or fill the disk come out as if undisturbed."""

import os
from pathlib import Path

import pytest

from torture import boundaries, clock, experiments, fulldisk, kills, power
from torture.place import Tools

NEEDED = ("PRONGHORN_TEST_BINARY", "PRONGHORN_TEST_PYTHON", "PRONGHORN_TEST_PLUGIN")
NATIVE = [experiments.CALLBACKS, experiments.FOLDS]

pytestmark = pytest.mark.skipif(any(name not in os.environ for name in NEEDED), reason=f"needs {', '.join(NEEDED)}")


@pytest.fixture(scope="module")
def tools(tmp_path_factory) -> Tools:
    binary, python, plugin = (os.environ[name] for name in NEEDED)
    return Tools.make(binary, python, plugin, Path(tmp_path_factory.mktemp("torture")))


def test_a_run_whose_processes_are_killed_leaves_what_an_undisturbed_one_does(tools):
    tally = kills.torture(tools, NATIVE, kills=30, seed=1, report=print, seconds=20)
    assert tally.kills.total() > 0
    assert tally.problems == []


def test_a_kill_beside_an_fsync_a_rename_or_a_commit_loses_nothing(tools):
    tally = boundaries.torture(tools, [experiments.CALLBACKS], seed=1, report=print, most=8)
    assert tally.kills.total() > 0
    assert tally.problems == []


def test_after_a_loss_of_power_what_was_reported_is_there_and_the_rest_is_trained(tools):
    tally = power.torture(tools, [experiments.CALLBACKS], states=8, seed=1, report=print)
    assert tally.runs.total() == 8
    assert tally.problems == []


def test_a_clock_that_jumps_changes_nothing(tools):
    tally = clock.torture(tools, [experiments.FOLDS], runs=1, seed=1, report=print)
    assert tally.resumes == 1
    assert tally.problems == []


@pytest.mark.skipif(not fulldisk.can_mount(), reason="needs the right to mount a file system in memory")
def test_a_full_disk_is_told_and_the_run_goes_on_once_there_is_room(tools):
    tally = fulldisk.torture(tools, [experiments.CALLBACKS], fills=2, seed=1, report=print)
    assert tally.kills["full disk"] > 0
    assert tally.problems == []
