"""The cases, a module a family. A case is named FAMILY/SUBJECT-CONFIGURATION."""

from __future__ import annotations

import importlib
import pkgutil

from conformance.case import Case


def all_cases() -> list[Case]:
    """Every case of every family, in a fixed order."""
    families = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found = [case for family in families for case in importlib.import_module(f"{__name__}.{family}").cases()]
    names = [case.name for case in found]
    if len(set(names)) != len(names):
        raise ValueError(f"two cases of one name: {sorted(n for n in names if names.count(n) > 1)}")
    return found
