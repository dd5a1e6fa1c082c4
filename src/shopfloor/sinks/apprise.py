"""Messages to the services that Apprise knows, sent by a process of their own.

Apprise with its first service takes 36 MB and a fifth of a second; the process lives for one message, so the
daemon never has them.  The address, which often is the password, goes to it on standard input.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from typing import Final

from shopfloor.domain.errors import Unavailable
from shopfloor.domain.notices import Sent
from shopfloor.process import oneshot
from shopfloor.process.environment import worker_environment
from shopfloor.sinks.base import ARRIVED, Letter, failed

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
AT_ONCE_MAX = 8

# At most so many of these processes at once: each takes as much memory as the daemon itself.
_slots: Final = threading.BoundedSemaphore(AT_ONCE_MAX)


class Apprise:
    """One address in Apprise's own notation."""

    def __init__(self, url: str, *, base: Mapping[str, str], timeout_s: float) -> None:
        self._url = url
        passed = {name: base[name] for name in (*PROXIES, *CERTIFICATES) if name in base}
        self._env = worker_environment(base, passed)
        self._timeout_s = timeout_s

    def send(self, letter: Letter) -> Sent:
        """Let a process send the message."""
        job = {
            "url": self._url,
            "title": letter.title,
            "body": letter.body or letter.title,
            "files": [file.path for file in letter.files],
        }
        if not _slots.acquire(timeout=self._timeout_s):
            return failed("too many messages are being sent through Apprise at this moment")
        try:
            printed = oneshot.run(
                [sys.executable, "-m", "shopfloor.sinks.apprise_program"],
                json.dumps(job).encode(),
                env=self._env,
                timeout_s=self._timeout_s,
            )
        except Unavailable as error:
            return failed(error.message.removesuffix("."))
        finally:
            _slots.release()
        told = json.loads(printed)
        return ARRIVED if told["ok"] else failed(str(told["error"]))
