"""`pronghorn` as scripts import it: one call that trains many Keras models at once. See docs/Python.md.

It writes an experiment file and the arrays that are not files yet, and has the `pronghorn` program carry it out.
"""

from pronghorn.scripting.api import fit, submit
from pronghorn.scripting.errors import InvalidRequest, PronghornError, TrialsFailed
from pronghorn.scripting.partitions import Partition, bootstrap, by, count, folds, log_uniform, uniform
from pronghorn.scripting.producing import stream
from pronghorn.scripting.run import Run, Trial
from pronghorn.scripting.run import open_run as open

__all__ = [
    "InvalidRequest",
    "Partition",
    "PronghornError",
    "Run",
    "Trial",
    "TrialsFailed",
    "bootstrap",
    "by",
    "count",
    "fit",
    "folds",
    "log_uniform",
    "open",
    "stream",
    "submit",
    "uniform",
]
