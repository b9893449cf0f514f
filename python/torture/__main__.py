"""Disturbs runs of Pronghorn, and tells what came of it.

Usage: python -m torture [kills|boundaries|power|disk|clock]… --binary PRONGHORN --python PYTHON --plugin PLUGIN
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from torture import boundaries, clock, experiments, fulldisk, kills, power
from torture.place import Tools
from torture.processes import marked
from torture.report import summary, write_report

PARTS = ("kills", "boundaries", "power", "clock", "disk")


def main() -> int:
    arguments = _arguments()
    folder = Path(arguments.output or tempfile.mkdtemp(prefix="torture-"))
    tools = Tools.make(arguments.binary, arguments.python, arguments.plugin, folder.resolve())
    began = time.monotonic()

    def report(text: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {text}", flush=True)

    def end_processes() -> None:
        for process in marked(f"TMPDIR={tools.folder}/"):
            process.kill()

    def stop(*_) -> None:
        # Threads that wait for runs would go on with the next ones.
        end_processes()
        os._exit(143)

    signal.signal(signal.SIGTERM, stop)
    chosen = [experiment for experiment in experiments.ALL if experiment.name in arguments.experiments.split(",")]
    native = [experiment for experiment in chosen if experiment.name not in ("fit", "cold")]
    tallies = {}
    try:
        for what in arguments.what or PARTS:
            if what == "kills":
                tallies[what] = kills.torture(
                    tools, chosen, arguments.kills, arguments.seed, report, jobs=arguments.jobs
                )
            elif what == "boundaries":
                tallies[what] = boundaries.torture(
                    tools, chosen, arguments.seed, report, arguments.steps, arguments.jobs
                )
            elif what == "power":
                others = [experiment for experiment in chosen if experiment.name != "fit"]
                tallies[what] = power.torture(tools, others, arguments.states, arguments.seed, report)
            elif what == "clock":
                tallies[what] = clock.torture(tools, chosen, arguments.clocks, arguments.seed, report)
            else:
                tallies[what] = fulldisk.torture(tools, native, arguments.disks, arguments.seed, report)
            report(f"{what}: {summary(tallies[what])}")
    finally:
        end_processes()
    write_report(tallies, time.monotonic() - began, tools.folder / "report.json")
    return 1 if any(tally.problems for tally in tallies.values()) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m torture")
    # `choices` would refuse the list that stands for none.
    parser.add_argument("what", nargs="*", metavar="|".join(PARTS), help="by default all")
    parser.add_argument("--binary", default=os.environ.get("PRONGHORN_TEST_BINARY"))
    parser.add_argument("--python", default=os.environ.get("PRONGHORN_TEST_PYTHON"))
    parser.add_argument("--plugin", default=os.environ.get("PRONGHORN_TEST_PLUGIN"))
    parser.add_argument("--output", help="the folder of everything that is written; by default a temporary one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="runs that are killed, or tried at a boundary, at once"
    )
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--steps", type=int, help="kills at so many write boundaries; by default at all")
    parser.add_argument("--states", type=int, default=200)
    parser.add_argument("--clocks", type=int, default=3, help="runs of each experiment while the clock jumps")
    parser.add_argument("--disks", type=int, default=20)
    parser.add_argument("--experiments", default=",".join(experiment.name for experiment in experiments.ALL))
    arguments = parser.parse_args()
    for what in arguments.what:
        if what not in PARTS:
            parser.error(f"{what} is none of {', '.join(PARTS)}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
