"""Serves the requests of the lowering process: one JSON object a line in, answers a line each out."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from typing import TextIO

from pronghorn import lifeline
from pronghorn.lowering.failures import LoweringFailure


class Server:
    """Answers requests in order, and keeps what it described for the requests that follow."""

    def __init__(self, answers: TextIO):
        self._answers = answers
        self._bundles: dict[str, object] = {}

    def _say(self, identifier, fields: dict) -> None:
        self._answers.write(json.dumps({"id": identifier, **fields}) + "\n")
        self._answers.flush()

    def serve(self, requests: TextIO) -> None:
        for line in requests:
            if line.strip():
                self._answer(line)

    def _answer(self, line: str) -> None:
        start = time.monotonic()
        identifier = None
        try:
            request = _decoded(line)
            identifier = request.get("id")
            self._do(request, lambda message: self._say(identifier, {"event": "progress", "message": message}))
        except LoweringFailure as failure:
            self._say(identifier, failure.event())
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            self._say(
                identifier,
                LoweringFailure("internal", text, detail="".join(traceback.format_exception(error))).event(),
            )
        else:
            self._say(identifier, {"event": "done", "seconds": round(time.monotonic() - start, 3)})

    def _do(self, request: dict, progress) -> None:
        action = request.get("do")
        actions = {"describe": self._describe, "lower": self._lower, "start": self._start}
        if action not in actions:
            raise LoweringFailure("bad_request", f"`do` is {action!r}: known are {', '.join(actions)}")
        folder = request.get("output")
        if not isinstance(folder, str) or not os.path.isabs(folder):
            raise LoweringFailure("bad_request", f"`output` is not an absolute path: {folder!r}")
        _prepare_keras(progress)
        actions[action](folder, request, progress)

    def _describe(self, folder: str, request: dict, progress) -> None:
        from pronghorn.lowering.bundle import Bundle

        self._bundles.pop(folder, None)
        bundle = Bundle(request, progress)
        bundle.write(folder)
        self._bundles[folder] = bundle

    def _lower(self, folder: str, request: dict, progress) -> None:
        functions = request.get("functions")
        if not isinstance(functions, list):
            raise LoweringFailure("bad_request", "`functions` is not a list")
        bundle = self._bundles.get(folder) or self._rebuilt(folder, progress)
        bundle.progress = progress
        for function in functions:
            bundle.lower(folder, function)

    def _start(self, folder: str, request: dict, progress) -> None:
        from pronghorn.lowering import template
        from pronghorn.lowering.starts import Starts

        files = request.get("files")
        if not isinstance(files, list) or not files:
            raise LoweringFailure("bad_request", "`files` is not a list of files")
        program, described = _read_bundle(folder)
        progress("reading starting models")
        config = template.config(os.path.join(folder, "template.keras"))
        Starts(described, program, config).write(os.path.join(folder, "starts"), files, progress)

    def _rebuilt(self, folder: str, progress):
        from pronghorn.lowering.bundle import Bundle

        program, request = _read_bundle(folder)
        bundle = Bundle(request, progress)
        if not bundle.agrees_with(program):
            raise LoweringFailure(
                "bad_request", f"the model of {folder} has changed since it was described: describe it anew"
            )
        self._bundles[folder] = bundle
        return bundle


def _read_bundle(folder: str) -> tuple[dict, dict]:
    from pronghorn.lowering.bundle import read_json

    try:
        program = read_json(os.path.join(folder, "program.json"))
        return program, read_json(os.path.join(folder, "request.json"))
    except FileNotFoundError as error:
        raise LoweringFailure("bad_request", f"{folder} holds no described bundle: describe it first") from error


def _decoded(line: str) -> dict:
    try:
        request = json.loads(line)
    except ValueError as error:
        raise LoweringFailure("bad_request", f"not a line of JSON: {error}") from error
    if not isinstance(request, dict):
        raise LoweringFailure("bad_request", "a request is a JSON object")
    return request


def _prepare_keras(progress) -> None:
    if "keras" in sys.modules:
        return
    os.environ["KERAS_BACKEND"] = "jax"
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    progress("importing Keras")
    import keras

    from pronghorn.lowering.adapted import read_adapted_weights
    from pronghorn.lowering.randomness import draw_flat

    draw_flat()
    read_adapted_weights()

    # The line of the user's file that raised is looked for in the whole traceback.
    keras.config.disable_traceback_filtering()
    keras.config.disable_interactive_logging()


def main() -> int:
    lifeline.watch()
    # Python's prints, and those of C libraries, must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    Server(answers).serve(sys.stdin)
    return 0
