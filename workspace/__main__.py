"""`python -m workspace`: the same as the `workspace` command."""

import sys

from workspace.cli import main

if __name__ == "__main__":
    sys.exit(main())
