"""A program of this package ends, with what it has started, when nobody reads its answers any more."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]

PROGRAM = """
import subprocess, sys, time
from pronghorn import lifeline
lifeline.watch()
child = subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
{rest}
"""


def is_alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def wait_until_gone(process):
    for _ in range(600):
        if not is_alive(process):
            return True
        time.sleep(0.1)
    return False


def start(rest, **options):
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(rest=rest)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        **options,
    )
    return program, int(program.stdout.readline())


def test_it_ends_with_its_children_when_its_reader_is_gone():
    program, child = start("time.sleep(600)", process_group=0)
    assert is_alive(child)
    program.stdout.close()
    program.wait(60)
    assert wait_until_gone(child)


def test_it_leaves_alone_a_group_that_it_does_not_lead():
    program, child = start("time.sleep(600)")
    program.stdout.close()
    assert program.wait(60) == 1
    assert is_alive(child)
    os.kill(child, 9)


def test_it_ends_by_itself_where_somebody_reads():
    program, _ = start("print('done', flush=True); child.kill()")
    assert program.stdout.read() == b"done\n"
    assert program.wait(60) == 0


def test_a_program_that_leaves_says_all_and_lets_nothing_of_native_libraries_spoil_its_status():
    text = (
        "import atexit, os; from pronghorn import lifeline; atexit.register(os.abort); print('done'); lifeline.leave(3)"
    )
    ended = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (3, "done\n")
