"""Measures data that are streamed: speed beside resident data, memory under a limit, and one copy for many runners.

* Speed: a unit of 784-512-10 networks (Adam, sparse categorical cross-entropy) is trained by the runner with its arrays
  whole on the device and with its rows gathered call by call, in turn; medians of the training seconds are compared.
* Limit: an array of three times a memory limit is trained on by a run in a memory control group of that limit. The
  programs are lowered and compiled before, outside of it. Where no control group can be made, that is said.
* Copies: runners of one array at a time; the array's pages in all of them, each page counted once (Pss).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

MEBI = 1 << 20
COLUMNS = 784

EXPERIMENT = """\
name: streaming
model:
  layers: LAYERS
  compile: {optimizer: adam, loss: sparse_categorical_crossentropy, metrics: [accuracy]}
data: {x: x.npy, y: y.npy}
trials: {seed: {range: MODELS}}
fit: {epochs: EPOCHS, batch_size: 128, shuffle: {window: 8192}}
save: none
"""
WIDE = "[{Dense: {units: 512, activation: relu}}, {Dense: {units: 10, activation: softmax}}]"
NARROW = "[{Dense: {units: 10, activation: softmax}}]"


def make_data(folder: Path, size: int, *, layers: str, models: int, epochs: int) -> None:
    """An array of so many bytes, written piece by piece, and an experiment on it."""
    import numpy as np

    folder.mkdir(exist_ok=True)
    rows = size // (4 * COLUMNS)
    x = np.lib.format.open_memmap(folder / "x.npy", mode="w+", dtype=np.float32, shape=(rows, COLUMNS))
    generator = np.random.default_rng(0)
    for first in range(0, rows, 8192):
        piece = x[first : first + 8192]
        piece[:] = generator.random(piece.shape, dtype=np.float32)
    x.flush()
    np.save(folder / "y.npy", generator.integers(0, 10, (rows, 1), dtype=np.int32))
    text = EXPERIMENT.replace("LAYERS", layers).replace("MODELS", str(models)).replace("EPOCHS", str(epochs))
    (folder / "experiment.yaml").write_text(text)


class Tool:
    """The program, with a cache of its own."""

    def __init__(self, binary: str, cache: Path):
        self.binary = binary
        self.environment = {"PRONGHORN_PYTHON": sys.executable, **os.environ, "PRONGHORN_CACHE": str(cache)}

    def train(self, folder: Path, *options: str, **more) -> subprocess.Popen:
        shutil.rmtree(folder / "run", ignore_errors=True)
        command = [self.binary, "train", "experiment.yaml", "--output", "run", "--json", *options]
        return subprocess.Popen(command, cwd=folder, env=self.environment, stdout=subprocess.DEVNULL, **more)

    def work(self, unit: Path, plugin: str) -> float:
        """Has a runner train a unit; the seconds that training took."""
        runner = subprocess.Popen(
            ["taskset", "-c", "0", self.binary, "runner", "--plugin", plugin],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        runner.stdin.write(f"{unit}\n")
        runner.stdin.flush()
        seconds = None
        for line in runner.stdout:
            what = json.loads(line)["what"]
            if "failed" in what:
                raise SystemExit(f"the runner failed: {line}")
            if "trained" in what:
                seconds = what["trained"]["seconds"]
            if "finished" in what:
                break
        runner.stdin.close()
        runner.wait()
        return seconds


def measure_speed(tool: Tool, folder: Path, size: int, rounds: int) -> None:
    make_data(folder, size, layers=WIDE, models=4, epochs=3)
    if tool.train(folder, "--devices", "cpu:1").wait():
        raise SystemExit("training failed")
    plugin = subprocess.run([tool.binary, "doctor", "--json"], env=tool.environment, capture_output=True, text=True)
    plugin = os.environ.get("PRONGHORN_CPU_PLUGIN") or json.loads(plugin.stdout)["cpu_plugin"]
    unit = json.loads((folder / "run/units/0000/unit.json").read_text())
    seconds: dict[str, list[float]] = {"resident": [], "streamed": []}
    for number in range(rounds + 1):
        for way, taken in seconds.items():
            own = folder / f"{way}-{number}"
            own.mkdir()
            shutil.copy(folder / "run/units/0000/rows.npy", own)
            sources = [{**source, "isResident": way == "resident"} for source in unit["sources"]]
            (own / "unit.json").write_text(json.dumps({**unit, "sources": sources}))
            took = tool.work(own, plugin)
            # The first of each compiles.
            if number:
                taken.append(took)
    resident, streamed = (statistics.median(taken) for taken in seconds.values())
    print(f"784-512-10, 4 models, {size / MEBI:.0f} MiB, 3 epochs, medians of {rounds} in turn, one core:")
    print(f"  resident {resident:.2f} s, streamed {streamed:.2f} s: {100 * resident / streamed:.0f}% of resident speed")


class ControlGroup:
    """A memory control group of version 1 or 2; ``None`` for its folder where none can be made."""

    def __init__(self, limit: int):
        root = Path("/sys/fs/cgroup")
        old = (root / "memory").is_dir()
        self.folder: Path | None = (root / "memory" if old else root) / f"pronghorn-{os.getpid()}"
        self.peak_file = "memory.max_usage_in_bytes" if old else "memory.peak"
        try:
            self.folder.mkdir()
            (self.folder / ("memory.limit_in_bytes" if old else "memory.max")).write_text(str(limit))
        except OSError as error:
            print(f"  no control group can be made here: {error}")
            self.folder = None

    def join(self) -> None:
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def end(self) -> int:
        peak = int((self.folder / self.peak_file).read_text())
        for _ in range(100):
            try:
                self.folder.rmdir()
                break
            except OSError:
                time.sleep(0.1)
        return peak


def measure_limit(tool: Tool, folder: Path, limit: int) -> None:
    make_data(folder, 3 * limit, layers=NARROW, models=2, epochs=2)
    options = ("--devices", "cpu:1", "--data-memory", f"{limit // 8}")
    if tool.train(folder, *options).wait():
        raise SystemExit("training failed")
    free = histories(tool, folder)
    print(f"{3 * limit / MEBI:.0f} MiB of data under a limit of {limit / MEBI:.0f} MiB for all processes of the run:")
    group = ControlGroup(limit)
    if group.folder is None:
        return
    # Pages that are in memory already count for whoever read them first.
    with open(folder / "x.npy", "rb") as array:
        os.fsync(array.fileno())
        os.posix_fadvise(array.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    began = time.perf_counter()
    status = tool.train(folder, *options, preexec_fn=group.join).wait()
    seconds, peak = time.perf_counter() - began, group.end()
    same = status == 0 and histories(tool, folder) == free
    print(f"  status {status}, {seconds:.1f} s, peak {peak / MEBI:.0f} MiB with pages of files; same metrics: {same}")


def histories(tool: Tool, folder: Path) -> list:
    command = [tool.binary, "results", "run", "--json"]
    answer = subprocess.run(command, cwd=folder, env=tool.environment, check=True, capture_output=True, text=True)
    return [trial["history"] for trial in json.loads(answer.stdout)]


def mapped(control: int) -> tuple[int, int, int]:
    """How many runners a process has, and the array's bytes in them: each page once a runner, and each page once.

    The processes are looked at one after another: the figures are true where nothing more is being mapped.
    """
    runners = rss = pss = 0
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) != control or b"\0runner\0" not in Path(f"/proc/{process}/cmdline").read_bytes():
                continue
            lines = Path(f"/proc/{process}/smaps").read_text().splitlines()
        except OSError:
            continue
        runners += 1
        ours = False
        for line in lines:
            if not line[0].isupper():
                ours = line.endswith("/x.npy")
            elif ours and line.startswith(("Rss:", "Pss:")):
                size = 1024 * int(line.split()[1])
                rss, pss = (rss + size, pss) if line.startswith("Rss:") else (rss, pss + size)
    return runners, rss, pss


def measure_copies(tool: Tool, folder: Path, size: int, runners: int) -> None:
    make_data(folder, size, layers=NARROW, models=runners, epochs=1)
    control = tool.train(folder, "--devices", f"cpu:{runners}")
    worst = (0, 0, 0)

    def watch() -> None:
        nonlocal worst
        while control.poll() is None:
            worst = max(worst, mapped(control.pid), key=lambda found: found[1])
            time.sleep(0.5)

    watcher = threading.Thread(target=watch)
    watcher.start()
    status = control.wait()
    watcher.join()
    count, rss, pss = worst
    print(f"{size / MEBI:.0f} MiB of data and {runners} runners: status {status}")
    print(f"  at the most, {count} runners had mapped {rss / MEBI:.0f} MiB of it, which took {pss / MEBI:.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/pronghorn", help="the pronghorn executable")
    parser.add_argument("--rounds", type=int, default=5, help="how often each way is timed (default 5)")
    parser.add_argument("--speed-mib", type=int, default=512, help="the array whose training is timed (default 512)")
    parser.add_argument("--limit-mib", type=int, default=512, help="the memory limit (default 512)")
    parser.add_argument("--shared-mib", type=int, default=4096, help="the array of many runners (default 4096)")
    parser.add_argument("--runners", type=int, default=8, help="how many they are (default 8)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="streaming-") as name:
        folder = Path(name)
        tool = Tool(str(Path(options.binary).resolve()), folder / "cache")
        measure_speed(tool, folder / "speed", options.speed_mib * MEBI, options.rounds)
        measure_limit(tool, folder / "limit", options.limit_mib * MEBI)
        shutil.rmtree(folder / "limit")
        measure_copies(tool, folder / "copies", options.shared_mib * MEBI, options.runners)


if __name__ == "__main__":
    main()
