"""SIGKILLs at seeded random moments, over control process, runners and Python."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from torture.experiments import Experiment
from torture.judging import Outcome, problems, repeated_epochs
from torture.lives import Life, Reports
from torture.place import Place, Tools
from torture.processes import Process, marked, survivors

MOST_LIVES = 80
"""Lives after which a run that still has not come to its end is let be, so that it can."""
ORPHAN_SECONDS = 2.0
"""A process of a run shall live no longer than this after its control process."""
HANGING_SECONDS = 30.0
"""One that lives so long will not end by itself, however busy the machine is."""
LIFE_SECONDS = 600.0
"""No life of these small runs takes so long; one that does hangs."""


@dataclass
class Tally:
    """What was done and what came of it."""

    kills: Counter = field(default_factory=Counter)
    runs: Counter = field(default_factory=Counter)
    resumes: int = 0
    """Lives that a killed Python process has ended with an error."""
    stops: int = 0
    epochs: int = 0
    repeated: int = 0
    """The longest time that a process lived after its control process, in seconds, and what took longer than 2."""
    slowest_end: float = 0.0
    late: Counter = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Takes another tally in."""
        self.kills += other.kills
        self.runs += other.runs
        self.resumes += other.resumes
        self.stops += other.stops
        self.epochs += other.epochs
        self.repeated += other.repeated
        self.slowest_end = max(self.slowest_end, other.slowest_end)
        self.late += other.late
        self.problems += other.problems


class Undisturbed:
    """An experiment's results without any disturbance, and how long they take."""

    def __init__(self, place: Place) -> None:
        # Twice: the first run may fill the cache.
        for _ in range(1 if place.experiment.is_cold else 2):
            place.clear()
            began = time.monotonic()
            life = Life(place, Reports(place.run))
            if life.wait(LIFE_SECONDS) != 0:
                raise RuntimeError(f"{place.experiment.name} fails without any disturbance:\n{life.text}")
            self.seconds = time.monotonic() - began
        self.outcome = Outcome.of(place)


def run_killed(place: Place, undisturbed: Undisturbed, draws: random.Random) -> Tally:
    """Carries out one run, killing now and then, and judges it."""
    tally = Tally()
    place.clear()
    reports = Reports(place.run)
    name = place.experiment.name
    mean = undisturbed.seconds / place.experiment.kills_a_run
    trouble = 0
    for number in range(10_000):
        if number:
            tally.resumes += 1
        calm = number >= MOST_LIVES
        life = Life(place, reports)
        status, victims = _disturb(life, place, draws, mean * (1 + number / 20), calm, tally)
        for victim in victims:
            tally.kills[f"python {victim.work}" if victim.kind == "python" else victim.kind] += 1
        end_survivors(place, name, tally)
        if status == 0:
            if undisturbed.outcome.summary is None or (place.run / "summary.json").exists():
                break
        elif status is not None and any(victim.kind == "python" for victim in victims):
            # Without the Python that prepares a run there is none: what is said of it is enough.
            tally.stops += 1
        elif status is not None:
            trouble += 1
            tally.problems.append(f"{name}: life {number} ended with status {status}:\n{life.text}")
            if trouble > 2:
                break
    tally.problems += [f"{name}: {text}" for text in problems(place, undisturbed.outcome, reports)]
    tally.epochs, tally.repeated = repeated_epochs(place.run)
    tally.runs[name] += 1
    if tally.problems:
        tally.problems.append(f"{name}: {place.keep()}")
    return tally


def end_survivors(place: Place, name: str, tally: Tally) -> None:
    """Waits until a run that has lost its control process has no process left, and ends what does not go by itself."""
    seconds, last, left = survivors(place.mark, HANGING_SECONDS)
    tally.slowest_end = max(tally.slowest_end, seconds)
    if left:
        tally.problems.append(f"{name}: {left} live {HANGING_SECONDS} s after their control process")
    elif seconds > ORPHAN_SECONDS:
        # No problem by itself: a busy machine may take longer to let a process end.
        tally.late.update([f"{process.kind} {process.work}".rstrip() for process in last])
    for process in left:
        process.kill()


def _disturb(
    life: Life, place: Place, draws: random.Random, mean: float, calm: bool, tally: Tally
) -> tuple[int | None, list[Process]]:
    """Kills processes until the control process ends; its status, None where that was a kill, and what was killed."""
    began = time.monotonic()
    victims: list[Process] = []
    # Most of a small run is its beginning: every other life is left alone until something trains.
    waits = not calm and draws.random() < 0.5
    while waits and life.wait(0.02) is None and time.monotonic() - began < LIFE_SECONDS:
        waits = not any(process.trains for process in marked(place.mark))
    while True:
        status = life.wait(LIFE_SECONDS if calm else draws.expovariate(1 / mean))
        if status is not None:
            return status, victims
        if calm or time.monotonic() - began > LIFE_SECONDS:
            tally.problems.append(f"{place.experiment.name}: a life takes more than {LIFE_SECONDS} s:\n{life.text}")
            life.process.kill()
            life.wait(60)
            return None, victims
        victim = _choose(place, life, draws)
        if victim is None or not victim.kill():
            continue
        victims.append(victim)
        if victim.kind == "control":
            life.wait(60)
            return None, victims


def _choose(place: Place, life: Life, draws: random.Random) -> Process | None:
    weights = place.experiment.victims
    kinds: dict[str, list[Process]] = {}
    for process in marked(place.mark):
        if process.kind != "control" or process.number == life.process.pid:
            kinds.setdefault(process.kind, []).append(process)
    names = [name for name in sorted(kinds) if weights.get(name, 0) > 0]
    if not names:
        return None
    return draws.choice(kinds[draws.choices(names, [weights[name] for name in names])[0]])


def torture(
    tools: Tools,
    experiments: list[Experiment],
    kills: int,
    seed: int,
    report,
    seconds: float = float("inf"),
    jobs: int = 1,
) -> Tally:
    """Runs the experiments in turn, so many at once, until so many kills, or some and so many seconds have passed."""
    undisturbed = {}
    for experiment in experiments:
        undisturbed[experiment.name] = Undisturbed(Place(tools, experiment, f"{experiment.name}-0"))
        report(f"{experiment.name} takes {undisturbed[experiment.name].seconds:.1f} s undisturbed")
    began = time.monotonic()
    total, lock, turns = Tally(), threading.Lock(), _turns(experiments)

    def work(worker: int) -> None:
        while True:
            with lock:
                done = total.kills.total()
                if done >= kills or (done > 0 and time.monotonic() - began > seconds):
                    return
                number, experiment = next(turns)
            place = Place(tools, experiment, f"{experiment.name}-{worker}")
            tally = run_killed(place, undisturbed[experiment.name], random.Random(f"{seed}/{number}"))
            with lock:
                total.add(tally)
                report(
                    f"run {number} ({experiment.name}): {tally.kills.total()} kills, {tally.resumes} resumes, "
                    f"{tally.repeated} of {tally.epochs} epochs again, {len(tally.problems)} problems; "
                    f"{total.kills.total()} kills so far"
                )
                for problem in [*tally.problems[:8], *tally.problems[8:][-1:]]:
                    report(f"  PROBLEM {problem}")

    with ThreadPoolExecutor(jobs) as pool:
        for job in [pool.submit(work, worker) for worker in range(jobs)]:
            job.result()
    return total


def _turns(experiments: list[Experiment]) -> Iterator[tuple[int, Experiment]]:
    number = 0
    for cycle in itertools.count():
        for experiment in experiments:
            if cycle % experiment.every == 0:
                yield number, experiment
                number += 1
