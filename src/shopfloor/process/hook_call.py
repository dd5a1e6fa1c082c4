"""The program that calls a hook written in Python: the event comes on standard input.

It is run by our own interpreter, as `hook_call.py TARGET FOLDER`.  What the function raises is printed and
makes the program end with status 1, which is how `shop up` learns of it.
"""

import json
import sys
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

GROUP = "shopfloor.hooks"


def found(target: str) -> Any:
    """The function that a target names: `module:function`, or an entry point."""
    module, _, name = target.partition(":")
    if name:
        return getattr(import_module(module), name)
    named = entry_points(group=GROUP, name=target)
    if not named:
        raise LookupError(f"no installed package has an entry point {target!r} in {GROUP}")
    return next(iter(named)).load()


def main(arguments: list[str]) -> None:
    """Call the function with the event."""
    target, folder = arguments
    # In the place of the folder that it was started in, where nothing is to be found by accident.
    sys.path[0:1] = [folder]
    found(target)(json.load(sys.stdin))


if __name__ == "__main__":
    main(sys.argv[1:])
