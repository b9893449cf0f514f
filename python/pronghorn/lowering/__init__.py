"""Turns a Keras model into a program bundle: StableHLO functions, a template `.keras` file and `program.json`.

`python -m pronghorn.lowering` serves requests, a line of JSON each; `docs/Contracts.md` is its contract. Nothing
here imports Keras before the first request, so that the process starts at once.
"""
