"""Has a file fetched from the web by a process of its own, which lives for that one file.

So what a stranger's server sends is read by nobody who has a board open; a name server that does not answer,
which no limit of a socket ends, is ended with the process; and its 20 MB are gone afterwards.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from shopfloor.domain import limits
from shopfloor.domain.errors import Unavailable, from_dict
from shopfloor.process import oneshot
from shopfloor.process.download import Downloaded, checked
from shopfloor.process.environment import worker_environment

PROGRAM: Final = (sys.executable, "-m", "shopfloor.process.download_program")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
AT_ONCE_MAX = 4
START_S = 10.0

_slots: Final = threading.BoundedSemaphore(AT_ONCE_MAX)


def fetched(
    url: str, into: Path, base: Mapping[str, str], *, program: Sequence[str] = PROGRAM
) -> Downloaded:
    """Fetch what is at the address into a file; raises what `download` raises."""
    checked(url)
    env = worker_environment(base, {name: base[name] for name in CERTIFICATES if name in base})
    if not _slots.acquire(timeout=limits.DOWNLOAD_S):
        raise Unavailable(f"{AT_ONCE_MAX} files are being fetched at this moment; ask again later")
    try:
        printed = oneshot.run(
            program,
            json.dumps({"url": url, "into": str(into)}).encode(),
            env=env,
            timeout_s=limits.DOWNLOAD_S + START_S,
        )
    finally:
        _slots.release()
    told = json.loads(printed)
    if "error" in told:
        raise from_dict(told)
    return Downloaded(**told)
