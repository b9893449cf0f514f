"""What came of it all, in a line for people and a file for programs."""

from __future__ import annotations

import json
from pathlib import Path

from torture.kills import Tally


def summary(tally: Tally) -> str:
    """A tally in one line."""
    share = f" ({100 * tally.repeated / tally.epochs:.1f} %)" if tally.epochs else ""
    return (
        f"{tally.runs.total()} runs, {tally.kills.total()} kills ({_counts(tally)}), {tally.resumes} resumes, "
        f"{tally.repeated} of {tally.epochs} epochs of trials again{share}, {tally.stops} ends with an error after a "
        f"Python process was killed; processes lived at most {tally.slowest_end:.1f} s longer than their control "
        f"process, {tally.late.total()} longer than 2 s; {len(tally.problems)} problems"
    )


def _counts(tally: Tally) -> str:
    groups: dict[str, int] = {}
    for name, count in tally.kills.items():
        key = name if len(tally.kills) <= 12 else name.split()[0]
        groups[key] = groups.get(key, 0) + count
    return ", ".join(f"{name} {count}" for name, count in sorted(groups.items()))


def write_report(tallies: dict[str, Tally], seconds: float, path: Path) -> None:
    """Writes all tallies as JSON."""
    content = {
        what: {
            "runs": tally.runs,
            "kills": tally.kills,
            "resumes": tally.resumes,
            "stops": tally.stops,
            "epochs": tally.epochs,
            "repeated_epochs": tally.repeated,
            "slowest_end_seconds": tally.slowest_end,
            "late_ends": tally.late,
            "problems": tally.problems,
        }
        for what, tally in tallies.items()
    }
    path.write_text(json.dumps({"seconds": seconds, **content}, indent=1))
