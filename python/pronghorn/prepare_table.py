"""Makes arrays of a CSV or Parquet table: ``python -m pronghorn.prepare_table REQUEST FOLDER``.

REQUEST is a file of JSON:

    {"files": [{"path": "/abs/visits.csv", "shown": "visits.csv"}], "separator": null,
     "x": [{"name": "x", "columns": [{"column": "age"},
                                     {"column": "city", "encoding": "one_hot", "arguments": {"unknown": "own"}}]}],
     "y": [{"name": "y", "columns": [{"column": "bought"}]}], "weight": null, "columns": ["store"],
     "missing": {"all": {"rule": "error"}, "columns": {"age": {"rule": "value", "value": 0}}},
     "missing_values": null, "encodings": null}

``"columns": null`` of ``x`` stands for all that are not used otherwise. A rule is ``error``, ``drop``, ``value``,
``mean`` or ``median``; the last two leave NaN, and ``fills`` in the list of arrays says where. ``encodings`` is the
``data.json`` of the table to train on, where this one is to be encoded in the same way.

The arrays go to FOLDER with ``data.json`` (see ``pronghorn.prepared``), which also holds ``encodings``, and ``rows``:
how many were read and how many of them were dropped. The answer is that of ``pronghorn.prepare_data``, with events
``progress`` before it; CODE is ``wrong_table`` or ``internal``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pronghorn import lifeline, prepared


def main() -> int:
    def prepare(progress) -> None:
        from pronghorn.tables.preparing import Preparing

        request, folder = sys.argv[1:3]
        Preparing(json.loads(Path(request).read_text()), Path(folder), progress).prepare()

    return prepared.answering(prepare)


if __name__ == "__main__":
    lifeline.leave(main())
