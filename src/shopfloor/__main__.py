"""`python -m shopfloor` is the `shop` command.

It exists for machines where the console script is not on the PATH, and for processes that start
the program again with the very interpreter they run under.  No logic belongs here.
"""

import sys

from shopfloor.app.main import main

if __name__ == "__main__":
    sys.exit(main())
