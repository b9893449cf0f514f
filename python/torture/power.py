"""Losses of power: a run is recorded once, and what its disk may hold afterwards is resumed, at many moments."""

from __future__ import annotations

import random
import shutil

from torture.disk import (
    MKDIR,
    RENAME,
    SAY,
    SYNC_ALL,
    SYNC_FILE,
    SYNC_FOLDER,
    WRITE,
    Disk,
    Record,
    lay_out,
    read_records,
)
from torture.experiments import Experiment
from torture.judging import files, problems
from torture.kills import LIFE_SECONDS, Tally, Undisturbed, end_survivors
from torture.lives import FINISHED, Life, Reports, epoch_events, finished_trials
from torture.place import Place, Tools


def recorded(place: Place) -> tuple[list[Record], int]:
    """Carries out a run and returns all that its processes did to its folder, with the control process's number."""
    place.clear()
    log = place.temporary / "records"
    root = place.root if place.experiment.is_cold else place.run
    variables = {"LD_PRELOAD": place.tools.recorder, "TORTURE_ROOT": str(root), "TORTURE_LOG": str(log)}
    place.tell("pronghorn", variables)
    place.tell("python", variables)
    life = Life(place, Reports(place.run), variables={**variables, "TORTURE_SAYS": "1"})
    if life.wait(LIFE_SECONDS) != 0:
        raise RuntimeError(f"{place.experiment.name} fails when it is recorded:\n{life.text}")
    # The folder of temporary files is this harness's own.
    inside = [record for record in read_records(log) if not record.path.startswith(str(place.temporary))]
    return inside, life.process.pid


def moments(records: list[Record], control: int, count: int, draws: random.Random) -> list[int]:
    """Numbers of records after which power is lost: some anywhere, most beside what matters."""
    first = next(number for number, record in enumerate(records) if record.operation == MKDIR)
    said = [
        n for n, r in enumerate(records) if r.operation == SAY and r.process == control and b" finished, " in r.data
    ]
    steps = [n for n, r in enumerate(records) if r.operation in (RENAME, SYNC_FILE, SYNC_FOLDER, SYNC_ALL)]
    everywhere = range(first, len(records))
    found = [draws.choice(kind) for kind in draws.choices([said, steps, everywhere], [1, 2, 1], k=count)]
    # Before the step as often as after it.
    return sorted(max(first, number - draws.randint(0, 1)) for number in found)


def lose(
    place: Place, undisturbed: Undisturbed, records: list[Record], control: int, moment: int, draws: random.Random
) -> Tally:
    """Lays out what may be left after some records, looks for what had been reported, and resumes."""
    tally = Tally()
    name = f"{place.experiment.name} after record {moment}"
    disk = Disk()
    for record in records[: moment + 1]:
        disk.take(record)
    told = b"".join(r.data for r in records[: moment + 1] if r.operation == SAY and r.process == control).decode()
    # Who finished what stands in the whole run, which is still there.
    ended = {trial for match in FINISHED.finditer(told) for trial in finished_trials(place.run, match[1])}
    kept = place.root / "whole"
    for folder in [place.run, *([place.cache] if place.experiment.is_cold else [])]:
        (kept / folder.name).parent.mkdir(exist_ok=True)
        folder.rename(kept / folder.name)
    try:
        lay_out(disk.after_loss(draws))
        present = files(place.run)
        for file, digest in undisturbed.outcome.files.items():
            if _trial(file) in ended and present.get(file) != digest:
                tally.problems.append(f"{name}: {file} was reported and {'differs' if file in present else 'is gone'}")
        reports = Reports(place.run)
        reports.epochs = _epochs(kept / place.run.name, ended)
        _resume(place, undisturbed, name, reports, tally)
    finally:
        for folder in kept.iterdir():
            shutil.rmtree(place.root / folder.name, ignore_errors=True)
            folder.rename(place.root / folder.name)
    return tally


def _resume(place: Place, undisturbed: Undisturbed, name: str, reports: Reports, tally: Tally) -> None:
    for arguments in (place.arguments(), None):
        tally.resumes += 1
        life = Life(place, reports, arguments)
        status = life.wait(LIFE_SECONDS)
        end_survivors(place, name, tally)
        if status == 0:
            break
        tally.problems.append(f"{name}: {life.process.args[1]} ended with status {status}:\n{life.text}")
        if reports.epochs:
            break
        # Nothing had been reported, so that a user may begin anew.
        shutil.rmtree(place.run, ignore_errors=True)
    found = problems(place, undisturbed.outcome, reports)
    tally.problems += [f"{name}: {text}" for text in found]


def _epochs(run, trials: set[int]) -> dict[int, int]:
    """A trial that was reported may not be trained again: what was recorded of it then is at most this."""
    counts: dict[int, int] = dict.fromkeys(trials, 0)
    for trial, _ in epoch_events(run):
        if trial in counts:
            counts[trial] += 1
    return counts


def _trial(file: str) -> int:
    return int(file.rsplit("/", 1)[1].split(".")[0].split("-")[0])


def torture(tools: Tools, experiments: list[Experiment], states: int, seed: int, report) -> Tally:
    """Loses power at so many moments, shared out over the experiments; a cold one gets a tenth of a share."""
    total = Tally()
    weights = [0.1 if experiment.is_cold else 1.0 for experiment in experiments]
    for experiment, weight in zip(experiments, weights, strict=True):
        place = Place(tools, experiment, f"power-{experiment.name}")
        undisturbed = Undisturbed(place)
        records, control = recorded(place)
        count = max(1, round(states * weight / sum(weights)))
        written = sum(r.length for r in records if r.operation == WRITE)
        report(f"{experiment.name}: {len(records)} records, {written} bytes written; {count} losses of power")
        draws = random.Random(f"{seed}/{experiment.name}")
        for moment in moments(records, control, count, draws):
            tally = lose(
                place, undisturbed, records, control, moment, random.Random(f"{seed}/{experiment.name}/{moment}")
            )
            tally.runs[experiment.name] += 1
            total.add(tally)
            for problem in tally.problems[:8]:
                report(f"  PROBLEM {problem}")
        report(f"{experiment.name}: {len(total.problems)} problems so far")
    return total
