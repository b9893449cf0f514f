"""A clock that jumps: runs whose time of day goes forwards and back, and that are killed and resumed in the middle."""

from __future__ import annotations

import random

from torture.experiments import Experiment
from torture.judging import problems, repeated_epochs
from torture.kills import LIFE_SECONDS, Tally, Undisturbed, end_survivors
from torture.lives import Life, Reports
from torture.place import Place, Tools


def jump(place: Place, undisturbed: Undisturbed, draws: random.Random) -> Tally:
    """A run all of whose processes see the time of day jump; once it loses its control process."""
    tally = Tally()
    name = f"{place.experiment.name} while the clock jumps"
    place.clear()
    variables = {"LD_PRELOAD": place.tools.jumps}
    place.tell("pronghorn", variables)
    place.tell("python", variables)
    reports = Reports(place.run)
    life = Life(place, reports, variables=variables)
    status = life.wait(undisturbed.seconds * draws.uniform(0.2, 0.8))
    if status is None:
        tally.kills["control"] += 1
        life.process.kill()
        life.wait(60)
        end_survivors(place, name, tally)
        tally.resumes += 1
        life = Life(place, reports, variables=variables)
        status = life.wait(LIFE_SECONDS)
    if status is None:
        life.process.kill()
        life.wait(60)
    end_survivors(place, name, tally)
    if status != 0:
        tally.problems.append(f"{name}: status {status}:\n{life.text}")
    tally.problems += [f"{name}: {text}" for text in problems(place, undisturbed.outcome, reports)]
    tally.epochs, tally.repeated = repeated_epochs(place.run)
    tally.runs[place.experiment.name] += 1
    return tally


def torture(tools: Tools, experiments: list[Experiment], runs: int, seed: int, report) -> Tally:
    """So many runs of each experiment."""
    total = Tally()
    for experiment in experiments:
        place = Place(tools, experiment, f"clock-{experiment.name}")
        undisturbed = Undisturbed(place)
        for number in range(runs):
            tally = jump(place, undisturbed, random.Random(f"{seed}/{experiment.name}/{number}"))
            total.add(tally)
            for problem in tally.problems[:8]:
                report(f"  PROBLEM {problem}")
            report(f"clock {experiment.name} {number}: {tally.resumes} resumes, {len(tally.problems)} problems")
    return total
