"""Telegram's Bot API as far as the bridge needs it: one method, one answer, and what a refusal means.

The token is part of every address, so no address is ever shown: an error names the method alone.
"""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from shopfloor.surfaces.chat.speech import wait_of

CALL_S: Final = 30.0
ANSWER_MAX: Final = 64 * 1024 * 1024


class ApiError(Exception):
    """A call that had no effect, or whose effect is not known.

    `status` is None where nobody answered.  `retry_after_s` is what the platform asks to wait.
    """

    def __init__(
        self,
        method: str,
        words: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{method}: {words}")
        self.status = status
        self.retry_after_s = retry_after_s

    @property
    def passes(self) -> bool:
        """Whether the same call may succeed later."""
        return self.status is None or self.status >= 500 or self.status == 429  # noqa: PLR2004 - HTTP's own


class BotApi:
    """Calls methods of one bot; may be used by several threads."""

    def __init__(self, token: str, base: str) -> None:
        self._base = f"{base.rstrip('/')}/bot{token}/"
        self.number = token.partition(":")[0]

    def call(self, method: str, *, timeout_s: float = CALL_S, **params: Any) -> Any:
        """The method's result; raises ApiError."""
        given = {name: value for name, value in params.items() if value is not None}
        request = Request(  # noqa: S310 - the settings allow http and https alone
            f"{self._base}{method}",
            json.dumps(given).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urlopen(request, timeout=timeout_s) as response:  # noqa: S310 - see above
                told = json.loads(response.read(ANSWER_MAX))
        except HTTPError as refused:
            raise _refusal(method, refused) from None
        except (URLError, OSError, HTTPException) as lost:
            reason = getattr(lost, "reason", None) or lost
            raise ApiError(method, f"Telegram cannot be reached: {reason}") from None
        except ValueError:
            raise ApiError(method, "the answer is no JSON", status=502) from None
        if not isinstance(told, dict) or told.get("ok") is not True:
            raise ApiError(method, "the answer is none of the Bot API", status=502)
        return told.get("result")


def _refusal(method: str, refused: HTTPError) -> ApiError:
    """What Telegram says in a refusal: the words, and how long to wait."""
    wait = refused.headers.get("Retry-After")
    words = f"HTTP status {refused.code}"
    try:
        with refused:
            told = json.loads(refused.read(1 << 16))
        words = str(told["description"])
        wait = told.get("parameters", {}).get("retry_after", wait)
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        pass
    return ApiError(method, words, status=refused.code, retry_after_s=wait_of(wait))
