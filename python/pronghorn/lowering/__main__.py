"""The lowering process: `python -m pronghorn.lowering`."""

import sys

from pronghorn.lowering.serve import main

if __name__ == "__main__":
    sys.exit(main())
