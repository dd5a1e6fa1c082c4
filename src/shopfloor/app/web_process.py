"""The process of the web: `python -m shopfloor.app.web_process --home PATH --listener FD --alive FD`.

It is started by `shop up` and shares its listening socket; everything that it tells of a board it has asked
at the door.  Its settings are those of the moment in which it was started.
"""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Sequence

from shopfloor.app.access import HomeAccess
from shopfloor.app.boards import DEFAULT
from shopfloor.config import find_home
from shopfloor.config.reading import load_settings
from shopfloor.domain.errors import BoardError
from shopfloor.surfaces.presence import IDLE_S
from shopfloor.surfaces.web.server import Place, serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until there is nobody to serve; the exit status is 0 then."""
    parser = argparse.ArgumentParser(prog="shop-web")
    parser.add_argument("--home", required=True)
    parser.add_argument("--listener", type=int, required=True)
    parser.add_argument("--alive", type=int, required=True)
    parser.add_argument("--idle", type=float, default=IDLE_S)
    given = parser.parse_args(arguments)
    home = find_home(given.home)
    place = Place(str(home.socket), socket.socket(fileno=given.listener), given.alive, given.idle)
    try:
        web = load_settings(home, DEFAULT).web
    except BoardError as wrong:
        print(f"shop-web: {wrong.message}", file=sys.stderr)
        return 1
    return serve(place, web, HomeAccess(home))
