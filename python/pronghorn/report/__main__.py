"""Reads the job, writes the page."""

import json
import os
import sys

from pronghorn import lifeline
from pronghorn.report import figures, page


def main() -> int:
    lifeline.watch()
    job = json.load(sys.stdin)
    text = page.page(figures.data(job))
    folder, name = os.path.split(job["output"])
    draft = os.path.join(folder, f".{os.getpid()}-{name}")
    try:
        with open(draft, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(draft, job["output"])
    finally:
        if os.path.lexists(draft):
            os.unlink(draft)
    return 0


if __name__ == "__main__":
    sys.exit(main())
