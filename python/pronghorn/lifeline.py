"""Ends a Python process, and all that it has started, when the process that wanted its answers is gone.

Every program of this package begins with :func:`watch`. The answers go through a pipe; when nobody can read from it any
more, nobody is left who would have a use for them: not even one that was killed keeps its end open.

A parent-death signal would not do. Linux ties it to the thread that started the process, and it would end this process
alone and leave its children.
"""

from __future__ import annotations

import os
import select
import signal
import stat
import sys
import threading
from typing import NoReturn


def watch(descriptor: int = 1) -> None:
    """Watches the pipe that the answers go to, on a thread of its own; anything but a pipe is not watched."""
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return
    # A number of its own, since the program may put something else in its output's place.
    own = os.dup(descriptor)
    threading.Thread(target=_wait, args=(own,), name="lifeline", daemon=True).start()


def _wait(descriptor: int) -> None:
    poll = select.poll()
    # Nothing is asked for but what is always told: that the other end is closed.
    poll.register(descriptor, 0)
    while not any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll()):
        pass
    end()


def leave(status: int) -> NoReturn:
    """Ends this process when its work is done, as `sys.exit` does but for what native libraries keep.

    Threads of pyarrow may be at work still when Python takes it down, which then ends the process by SIGABRT
    ("terminate called without an active exception"): an error where there is none.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def end() -> None:
    """Ends this process at once, and with it its process group where it leads one: what it has started."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
