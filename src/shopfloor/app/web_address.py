"""Where the dashboard of a home is: what `web.json` says, for links to its pages."""

from __future__ import annotations

import json
from typing import NamedTuple
from urllib.parse import quote

from shopfloor.app.boards import DEFAULT
from shopfloor.config import Home
from shopfloor.config.reading import load_settings
from shopfloor.process.identity import Identity


class Kept(NamedTuple):
    """What `web.json` says: the address, and the process that serves there or served last."""

    url: str
    port: int
    process: Identity | None


def kept(home: Home) -> Kept | None:
    """Where the home's dashboard is, or was last; None if it never was."""
    try:
        told = json.loads(home.web.read_text(encoding="utf-8"))
        process = told["process"]
        return Kept(told["url"], int(told["port"]), process and Identity(*process))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def page_url(home: Home, board: str, task: int | None = None) -> str | None:
    """The address of a board's or a task's page; None where there is no dashboard."""
    web = load_settings(home, DEFAULT).web
    found = kept(home)
    if web.public_url is None and found is None:
        return None
    base = (web.public_url or (found.url if found else "")).rstrip("/")
    return f"{base}/b/{quote(board)}" + ("" if task is None else f"/t/{task}")
