"""``python -m bridle``: the command line."""

import sys

from bridle._cli import main

if __name__ == "__main__":
    sys.exit(main())
