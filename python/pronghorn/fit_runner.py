"""The `fit` engine's runner: ``python -m pronghorn.fit_runner --device cpu:0 --cores 0,1``.

Reads a unit's folder a line on standard input and trains its one trial by `Model.fit`, or has the model that it left
predict or evaluate; the line ``stop`` ends training after the epoch at hand. Says the runner's events on standard
output. Keras's backend, the devices it may see and the number of its threads are in the environment before the process
starts.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
import traceback

from pronghorn import lifeline
from pronghorn.fit.protocol import Events, Feed, unit_log
from pronghorn.lowering.failures import LoweringFailure, describe_error


def main() -> int:
    arguments = _arguments()
    lifeline.watch()
    # Ctrl-C is for the control process, which says what is to become of the unit.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if arguments.cores:
        # Before any import: the backends take their number of threads from what the process may use.
        os.sched_setaffinity(0, {int(core) for core in arguments.cores.split(",")})
    # What the user's code prints must not come between events, nor what it reads be taken from the units.
    events = Events(os.dup(1))
    feed = Feed(os.dup(0))
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    import keras

    # The line of the user's file that raised is looked for in the whole traceback.
    keras.config.disable_traceback_filtering()
    keras.config.disable_interactive_logging()
    events.say("ready", device=arguments.device, platform=arguments.device.split(":")[0])
    for folder in feed:
        _work(folder, events, feed)
    return 0


def _work(folder: str, events: Events, feed: Feed) -> None:
    """Works on a unit and says how that ended."""
    from pronghorn.fit import inference, training

    began = time.monotonic()
    name = os.path.basename(folder)
    work = None
    with events.of(name, folder), unit_log(folder):
        events.say("started")
        try:
            with open(os.path.join(folder, "unit.json"), encoding="utf-8") as file:
                unit = json.load(file)
            if "fit" not in unit["engine"] or len(unit["lanes"]) != 1:
                raise LoweringFailure("invalid_unit", f"{folder} is not a unit of one trial for Model.fit")
            if unit["work"] == "train":
                work = training.Training(unit, folder, events, feed)
                work.run()
            else:
                inference.Inference(unit, folder, events).run()
            ending = {"what": "finished", "seconds": time.monotonic() - began}
        except training.Stopped:
            # Nothing of it is kept: the trial will begin anew.
            ending = {"what": "stopped", "epochs": 0}
        except LoweringFailure as failure:
            traceback.print_exc()
            ending = {"what": "failed", "code": failure.code, "message": _told(failure)}
        except Exception as error:
            traceback.print_exc()
            ending = {"what": "failed", "code": "invalid_unit", "message": describe_error(error)}
        if work is not None and ending["what"] != "finished":
            work.discard()
        work = None
        training.clear()
        # Before the last word on the unit, after which the input may close at any time.
        feed.done()
        events.say(**ending)


def _told(failure: LoweringFailure) -> str:
    if failure.file is None:
        return failure.message
    place = failure.file if failure.line is None else f"{failure.file}:{failure.line}"
    return f"{place}: {failure.message}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pronghorn.fit_runner")
    parser.add_argument("--device", default="cpu:0", help="the device's name in events")
    parser.add_argument("--cores", help="the logical cores that the process stays on, such as 0,1")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
