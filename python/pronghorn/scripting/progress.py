"""A run's progress as Keras shows it: a bar on a terminal or in a notebook, nothing in pipes."""

from __future__ import annotations

import contextlib
import html
import shutil
import sys
import time
from typing import Any

from pronghorn.scripting.process import Progress

WIDTH = 20


def display(verbose: int | str) -> Display:
    """What shows the progress: `verbose` is 0 (nothing), 1 or "auto" (a bar where one can be drawn), 2 (lines)."""
    if verbose not in (0, 1, 2, "auto"):
        raise ValueError(f"verbose is {verbose!r}: 0, 1, 2 or 'auto'")
    if verbose == 0:
        return Display()
    if verbose == 2:
        return Lines()
    if _in_notebook():
        return Notebook()
    return Terminal() if sys.stdout is not None and sys.stdout.isatty() else Display()


def _in_notebook() -> bool:
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return shell is not None and hasattr(shell, "kernel")


class Display:
    """Shows nothing."""

    def show(self, progress: Progress) -> None:
        """Shows how far a run is."""

    def note(self, text: str) -> None:
        """Shows what the user should know although it is no mistake."""

    def close(self, progress: Progress) -> None:
        """Shows the last state, which stays."""


class Terminal(Display):
    """One line, which is drawn again."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._drawn = ""

    def show(self, progress: Progress) -> None:
        text = line(progress, time.monotonic() - self._began)
        text = text[: max(20, shutil.get_terminal_size().columns - 1)]
        if text != self._drawn:
            self._drawn = text
            sys.stdout.write(f"\r\033[K{text}")
            sys.stdout.flush()

    def note(self, text: str) -> None:
        sys.stdout.write(f"\r\033[Knote: {text}\n")
        self._drawn = ""

    def close(self, progress: Progress) -> None:
        self.show(progress)
        sys.stdout.write("\n" if self._drawn else "")
        sys.stdout.flush()


class Notebook(Display):
    """An output of a notebook's cell, which is drawn again."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._handle: Any = None
        self._drawn = ""

    def show(self, progress: Progress) -> None:
        from IPython.display import display

        text = line(progress, time.monotonic() - self._began)
        if text == self._drawn:
            return
        self._drawn = text
        data = {"text/plain": text, "text/html": widget(progress, time.monotonic() - self._began)}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)

    def note(self, text: str) -> None:
        print(f"note: {text}")

    def close(self, progress: Progress) -> None:
        with contextlib.suppress(ImportError):
            self.show(progress)


class Lines(Display):
    """A line whenever a trial has ended."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._ended = 0

    def show(self, progress: Progress) -> None:
        if progress.ended != self._ended:
            self._ended = progress.ended
            print(line(progress, time.monotonic() - self._began), flush=True)

    def note(self, text: str) -> None:
        print(f"note: {text}", flush=True)

    def close(self, progress: Progress) -> None:
        self.show(progress)


def widget(progress: Progress, seconds: float) -> str:
    """The same for a notebook: a bar of the browser's own, and a table of the metrics."""
    share = _share(progress)
    if share is None:
        return f"<pre>{html.escape(line(progress, seconds))}</pre>"
    what = _parts(progress, seconds, share)
    cells = [(name, _number(value)) for name, value in sorted(progress.metrics.items(), key=_order)]
    heads = "".join(f"<th>{html.escape(name)}</th>" for name, _ in cells)
    values = "".join(f"<td>{value}</td>" for _, value in cells)
    table = f"<table><tr>{heads}</tr><tr>{values}</tr></table>" if cells else ""
    bar = f'<progress max="1" value="{share:.4f}" style="width: 20em; vertical-align: middle"></progress>'
    return f"<div>{bar} {html.escape(' · '.join(what))}{table}</div>"


def line(progress: Progress, seconds: float) -> str:
    """`37/160 ━━━━━━━━━━ 3s - loss: 0.1234 - val_loss: 0.2345`."""
    share = _share(progress)
    if share is None:
        return f"{progress.doing or 'preparing'} …" if progress.state == "preparing" else progress.state
    full = round(share * WIDTH)
    bar = "━" * full + "╺" * (WIDTH - full)
    ended, timing, *parts = _parts(progress, seconds, share)
    parts += [f"{name}: {_number(value)}" for name, value in sorted(progress.metrics.items(), key=_order)]
    return " - ".join([f"{ended} {bar} {timing}", *parts])


def _share(progress: Progress) -> float | None:
    """How much of a run is done, from 0 to 1; None while that is not known."""
    if progress.trials == 0 or progress.state == "preparing":
        return None
    return min(1.0, progress.epochs_done / progress.epochs if progress.epochs else progress.ended / progress.trials)


def _parts(progress: Progress, seconds: float, share: float) -> list[str]:
    """The trials that have ended, the time, and what else is to be said."""
    parts = [f"{progress.ended}/{progress.trials}", _time(seconds)]
    before = progress.epochs_before / progress.epochs if progress.epochs else 0.0
    trained = share - before
    if progress.state == "training" and trained > 0.02 * (1 - before) and share < 1:
        parts[1] += f" ({_time(seconds / trained * (1 - share))} left)"
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    if progress.state == "interrupted":
        parts.append("interrupted")
    return parts


def _order(metric: tuple[str, float]) -> tuple[bool, bool, str]:
    name = metric[0]
    return name.startswith("val_"), name.removeprefix("val_") != "loss", name


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) > 1e-3 or value == 0 else f"{value:.4e}"


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f}s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
