"""The process that sends one message through Apprise: a job on standard input, one answer on standard output."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from typing import Any

from typing_extensions import override

MISSING = "Apprise is not installed; install it with `pip install 'shopfloor[notify]'` where `shop up` runs"


class Heard(logging.Handler):
    """Keeps what Apprise says, which is the only place where it says why something failed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.words: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.words.append(record.getMessage())


def main() -> None:
    """Send one message; what a service's code prints meanwhile is no part of the answer."""
    job = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        told = sent(job)
    sys.stdout.write(json.dumps(told))


def sent(job: dict[str, Any]) -> dict[str, Any]:
    """Whether the message arrived, and if not, why."""
    try:
        import apprise  # noqa: PLC0415 - heavy, and perhaps not installed
    except ImportError:
        return {"ok": False, "error": MISSING}
    heard = Heard()
    logging.getLogger("apprise").addHandler(heard)
    service = apprise.Apprise()
    if not service.add(job["url"]):
        return {"ok": False, "error": "Apprise does not know an address of this form"}
    attached = apprise.AppriseAttachment([*job["files"]]) if job["files"] else None
    ok = service.notify(title=job["title"], body=job["body"], attach=attached)
    why = heard.words[-1] if heard.words else "the service did not take it"
    return {"ok": bool(ok), "error": "" if ok else why}


if __name__ == "__main__":
    main()
