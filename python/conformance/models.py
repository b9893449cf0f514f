"""The build function of the sweep's experiments."""

from __future__ import annotations

import importlib


def build(case: str):
    """The compiled model of a case. Only the module of its family is imported: programs are cached under its text."""
    family = case.partition("/")[0]
    cases = importlib.import_module(f"conformance.cases.{family}").cases()
    return next(entry for entry in cases if entry.name == case).build()
