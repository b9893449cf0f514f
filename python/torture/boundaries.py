"""A SIGKILL at each step that makes something durable, one at a time: before and after each fsync, rename and commit.

Debug builds know these steps by name (`Sources/Files/WriteBoundary.swift`). The preloaded library knows the calls
themselves, so that Python's are found too, and those inside of SQLite's commit.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from torture.experiments import Experiment
from torture.judging import problems
from torture.kills import LIFE_SECONDS, Tally, Undisturbed, end_survivors
from torture.lives import Life, Reports
from torture.place import Place, Tools


@dataclass(frozen=True)
class Step:
    """A step that some process of a run passes."""

    """control, runner, or what a Python process does."""
    process: str
    """Whether it is one of the calls that the preloaded library knows."""
    is_call: bool
    name: str

    def __str__(self) -> str:
        return f"{self.process} {'call ' if self.is_call else ''}{self.name}"


class Disturbance:
    """What the processes of one life are told of their steps."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.variables: dict[str, str] = {}

    def _preloaded(self, further: dict[str, str]) -> dict[str, str]:
        root = str(self.place.root if self.place.experiment.is_cold else self.place.run)
        return {"LD_PRELOAD": self.place.tools.recorder, "TORTURE_ROOT": root, **further}

    def record(self) -> dict[tuple[str, bool], Path]:
        """Has every process write down the steps that it passes; where, for each process and kind of step."""
        found = {}
        for process in ["control", "runner", *self.place.experiment.pythons]:
            files = [self.place.temporary / f"{process}-{kind}.txt" for kind in ("steps", "calls")]
            variables = self._preloaded({"TORTURE_PASSINGS": str(files[1])})
            if process in ("control", "runner"):
                variables["PRONGHORN_TEST_BOUNDARIES"] = str(files[0])
                found[process, False] = files[0]
            found[process, True] = files[1]
            self._tell(process, variables, once=False)
        return found

    def kill(self, step: Step, count: int) -> None:
        """Has the first such process end itself when it passes a step for the `count`-th time."""
        value = f"{step.name}:{count}"
        variables = self._preloaded({"TORTURE_KILL": value}) if step.is_call else {"PRONGHORN_TEST_KILL": value}
        self._tell(step.process, variables, once=True)

    def _tell(self, process: str, variables: dict[str, str], once: bool) -> None:
        if process == "control":
            self.variables = variables
        elif process == "runner":
            self.place.tell("pronghorn", variables, once=once)
        else:
            match = f"{process}.py" if process == "prepare_data" else f"pronghorn.{process}"
            self.place.tell("python", variables, match, once)


def steps(place: Place) -> Counter[Step]:
    """The steps that an undisturbed run passes, and how often."""
    place.clear()
    disturbance = Disturbance(place)
    files = disturbance.record()
    life = Life(place, Reports(place.run), variables=disturbance.variables)
    if life.wait(LIFE_SECONDS) != 0:
        raise RuntimeError(f"{place.experiment.name} fails when its steps are recorded:\n{life.text}")
    found: Counter[Step] = Counter()
    for (process, is_call), file in files.items():
        for name in file.read_text().split() if file.exists() else []:
            found[Step(process, is_call, name)] += 1
    return found


def kill_at(place: Place, undisturbed: Undisturbed, step: Step, count: int) -> Tally:
    """A run whose process is killed at a step, resumed to its end."""
    tally = Tally()
    name = f"{place.experiment.name} at {step} {count}"
    place.clear()
    disturbance = Disturbance(place)
    disturbance.kill(step, count)
    reports = Reports(place.run)
    for number in range(4):
        life = Life(place, reports, variables=disturbance.variables if number == 0 else None)
        status = life.wait(LIFE_SECONDS)
        end_survivors(place, name, tally)
        if number == 0:
            # A control process shows its own death; of the others the wrapper knows whether they were told.
            was_told = status == -9 if step.process == "control" else any(place.temporary.glob("once-*"))
            tally.kills[str(step)] += 1 if was_told else 0
        if status is None:
            life.process.kill()
            tally.problems.append(f"{name}: a life takes more than {LIFE_SECONDS} s:\n{life.text}")
            break
        if status == 0 and (undisturbed.outcome.summary is None or (place.run / "summary.json").exists()):
            break
        if status not in (0, -9) and not (number == 0 and step.process not in ("control", "runner")):
            tally.problems.append(f"{name}: life {number} ended with status {status}:\n{life.text}")
        tally.resumes += 1
    tally.problems += [f"{name}: {text}" for text in problems(place, undisturbed.outcome, reports)]
    if tally.problems:
        tally.problems.append(f"{name}: {place.keep()}")
    return tally


def torture(
    tools: Tools, experiments: list[Experiment], seed: int, report, most: int | None = None, jobs: int = 1
) -> Tally:
    """Kills at each step of each experiment: at its first passing, its last, and one between.

    Args:
        most: how many steps are tried, chosen by the seed; None means all.
        jobs: how many are tried at once.
    """
    cases = []
    for experiment in experiments:
        place = Place(tools, experiment, f"boundaries-{experiment.name}")
        undisturbed = Undisturbed(place)
        found = steps(place)
        report(f"{experiment.name} passes {len(found)} kinds of steps, {found.total()} in all")
        draws = random.Random(f"{seed}/{experiment.name}")
        for step, passings in sorted(found.items(), key=lambda item: str(item[0])):
            counts = (
                {1, passings, draws.randint(1, passings)}
                if step.process == "control"
                else {1, draws.randint(1, max(1, passings // 2))}
            )
            cases += [(experiment, undisturbed, step, count) for count in sorted(counts)]
    if most is not None:
        cases = random.Random(seed).sample(cases, min(most, len(cases)))
    total, lock, turns = Tally(), threading.Lock(), enumerate(cases, 1)

    def work(worker: int) -> None:
        places: dict[str, Place] = {}
        while True:
            with lock:
                number, case = next(turns, (0, None))
            if case is None:
                return
            experiment, undisturbed, step, count = case
            if experiment.name not in places:
                places[experiment.name] = Place(tools, experiment, f"boundaries-{experiment.name}-{worker}")
            tally = kill_at(places[experiment.name], undisturbed, step, count)
            with lock:
                total.add(tally)
                if tally.problems or number % 25 == 0:
                    what = f"{experiment.name} at {step} {count}"
                    report(f"step {number} of {len(cases)} ({what}): {len(total.problems)} problems so far")
                for problem in [*tally.problems[:8], *tally.problems[8:][-1:]]:
                    report(f"  PROBLEM {problem}")

    with ThreadPoolExecutor(jobs) as pool:
        for job in [pool.submit(work, worker) for worker in range(jobs)]:
            job.result()
    missed = len(cases) - total.kills.total()
    report(f"{total.kills.total()} kills at {len(cases)} steps; {missed} were not come to")
    return total
