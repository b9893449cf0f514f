"""A place where an experiment is run: its files, its run folder, and what its processes are started with."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from torture.experiments import Experiment, write_files

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Tools:
    """What is tested, and what it is tested with."""

    binary: str
    python: str
    plugin: str
    recorder: str
    """The library of `recorder.c`."""
    jumps: str
    """The library of `jumps.c`."""
    folder: Path
    """The folder of everything that the tests write."""

    @staticmethod
    def make(binary: str, python: str, plugin: str, folder: Path) -> Tools:
        """Compiles the library and writes the wrappers."""
        folder.mkdir(parents=True, exist_ok=True)
        recorder, jumps = folder / "recorder.so", folder / "jumps.so"
        for source, library in [("recorder.c", recorder), ("jumps.c", jumps)]:
            _compile(source, library, "-shared", "-fPIC", "-ldl", "-lpthread")
        (folder / "bin").mkdir(exist_ok=True)
        for name, program in [("pronghorn", binary), ("python", python)]:
            _compile("starter.c", folder / "bin" / name, f'-DPROGRAM="{program}"', f'-DSETTINGS="{name}.settings"')
        return Tools(binary, python, plugin, str(recorder), str(jumps), folder)


class Place:
    """A folder of its own for an experiment."""

    def __init__(self, tools: Tools, experiment: Experiment, name: str) -> None:
        self.tools = tools
        self.experiment = experiment
        self.root = tools.folder / name
        self.files = self.root / "files"
        self.run = self.root / "run"
        self.temporary = self.root / "tmp"
        self.cache = self.root / "cache" if experiment.is_cold else tools.folder / "cache"
        shutil.rmtree(self.root, ignore_errors=True)
        write_files(experiment, self.files)
        self.temporary.mkdir()

    @property
    def mark(self) -> str:
        """What the environment of every process of this place holds."""
        return f"TMPDIR={self.temporary}"

    def environment(self, further: dict[str, str] | None = None) -> dict[str, str]:
        """What the control process finds in its environment."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
        return {
            **kept,
            "NO_COLOR": "1",
            "TMPDIR": str(self.temporary),
            "PRONGHORN_CACHE": str(self.cache),
            "PRONGHORN_PYTHON": str(self.tools.folder / "bin" / "python"),
            "PRONGHORN_CPU_PLUGIN": self.tools.plugin,
            "PRONGHORN_EXECUTABLE": str(self.tools.folder / "bin" / "pronghorn"),
            **(further or {}),
        }

    def arguments(self) -> list[str]:
        """The command that begins the run, or goes on with it."""
        if (self.run / "ledger.sqlite").exists():
            return ["resume", str(self.run), "--devices", "cpu:2"]
        return ["train", str(self.files / "experiment.yaml"), "--devices", "cpu:2", "--output", str(self.run)]

    def tell(self, program: str, variables: dict[str, str], match: str = "*", once: bool = False) -> None:
        """Has each `pronghorn` runner, or each `python`, of this place find variables in its environment.

        Their environments are made anew, so that what a test wants of them comes by a file.

        Args:
            match: how an argument of the process must end.
            once: whether only the first such process gets them.
        """
        place = str(self.temporary / f"once-{program}") if once else "-"
        lines = [f"{match}\t{place}\t{name}={value}\n" for name, value in variables.items()]
        with open(self.temporary / f"{program}.settings", "a") as file:
            file.writelines(lines)

    def clear(self) -> None:
        """Takes away the run, and what was told."""
        shutil.rmtree(self.run, ignore_errors=True)
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir(parents=True)
        if self.experiment.is_cold:
            shutil.rmtree(self.cache, ignore_errors=True)

    def keep(self) -> str:
        """Moves the run of a problem aside, to be looked at, and says where to."""
        if not self.run.exists():
            return "there is no run to be kept"
        number = 1
        while (kept := self.tools.folder / f"problem-{number}-{self.root.name}").exists():
            number += 1
        self.run.rename(kept)
        return f"the run is kept as {kept}"

    def ask(self, *arguments: str) -> subprocess.CompletedProcess:
        """Carries out a verb that trains nothing."""
        return subprocess.run(
            [self.tools.binary, *arguments],
            cwd=self.files,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=600,
        )


def _compile(source: str, output: Path, *options: str) -> None:
    subprocess.run(["gcc", "-O1", "-Wall", "-o", str(output), str(HERE / source), *options], check=True)
