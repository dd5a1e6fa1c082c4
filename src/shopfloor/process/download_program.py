"""The process that fetches one file: a job on standard input, one line of JSON on standard output."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from shopfloor.domain.addresses import is_public
from shopfloor.domain.errors import BoardError
from shopfloor.process.download import download
from shopfloor.process.outward import Allowed


def main(allowed: Allowed = is_public) -> None:
    """Fetch one file, or say why not in the shape of an error."""
    job = json.load(sys.stdin)
    try:
        told = download(job["url"], Path(job["into"]), allowed=allowed)._asdict()
    except BoardError as refused:
        told = refused.as_dict()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
