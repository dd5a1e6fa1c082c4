"""Every way in which a request can end without its effect, as one tree.

    BoardError                    code              HTTP  exit
    ├── Invalid                   invalid            400    2   the request itself makes no sense
    ├── Refused                   refused            409    5   understood, and not done
    │   ├── NotFound              not_found          404    3   no such task, run, board …
    │   ├── WrongStatus           wrong_status       409    4   no edge for this verb from this status
    │   ├── GuardFailed           guard_failed       409    5   an edge is there, a condition does not hold
    │   ├── Stale                 stale              409    4   written by a run that is not the open one
    │   ├── Conflict              conflict           409    4   somebody else was first, or the name is taken
    │   ├── Forbidden             forbidden          403    5   this caller may not do that
    │   ├── NotLoggedIn           not_logged_in      401    5   nobody known asks, over the network
    │   └── LimitReached          limit_reached      413    5   larger or more than the board takes
    └── Unavailable               unavailable        503   75   try again later, nothing was changed
        ├── TooOften              too_often          429   75   asked too often in too short a time
        ├── Damaged               damaged            503   78   the database file is not healthy
        ├── TooNew                too_new            503   78   written by a newer version of this program
        └── BadConfiguration      bad_configuration  503   78   the configuration cannot be used

A message says what was tried, what is so, and what would work, in one sentence.  Our own mistakes
are plain `AssertionError`s and never travel as one of these.
"""

from __future__ import annotations


class BoardError(Exception):
    """A request that ended without its effect; `detail` is for programs, the message for people."""

    code = "error"
    http = 500
    exit = 1

    def __init__(self, message: str, *, detail: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail or {}

    def as_dict(self) -> dict[str, object]:
        """The one JSON shape of an error, the same on every surface."""
        return {"error": {"code": self.code, "message": self.message, "detail": self.detail}}


class Invalid(BoardError):
    """The request makes no sense, whatever the board holds."""

    code, http, exit = "invalid", 400, 2


class Refused(BoardError):
    """The request was understood and not carried out; nothing changed."""

    code, http, exit = "refused", 409, 5


class NotFound(Refused):
    """The thing named does not exist on this board."""

    code, http, exit = "not_found", 404, 3


class WrongStatus(Refused):
    """The lifecycle has no edge for this verb from the task's status."""

    code, http, exit = "wrong_status", 409, 4


class GuardFailed(Refused):
    """The lifecycle has the edge, and one of its conditions does not hold."""

    code, http, exit = "guard_failed", 409, 5


class Stale(Refused):
    """The write carries the credentials of a run that is not the task's open run."""

    code, http, exit = "stale", 409, 4


class Conflict(Refused):
    """Somebody else was first, or the name is taken."""

    code, http, exit = "conflict", 409, 4


class Forbidden(Refused):
    """This caller may not do that."""

    code, http, exit = "forbidden", 403, 5


class NotLoggedIn(Refused):
    """Nobody known asks: a token is missing, wrong, revoked or too old."""

    code, http, exit = "not_logged_in", 401, 5


class LimitReached(Refused):
    """Larger or more than a board takes."""

    code, http, exit = "limit_reached", 413, 5


class Unavailable(BoardError):
    """The board cannot be reached or written just now; the same request may be sent again."""

    code, http, exit = "unavailable", 503, 75


class TooOften(Unavailable):
    """Asked too often in too short a time; `retry_after_s` in the detail says when again."""

    code, http, exit = "too_often", 429, 75


class Damaged(Unavailable):
    """The database file is not healthy; it was left as it is and a copy of it was kept."""

    code, http, exit = "damaged", 503, 78


class TooNew(Unavailable):
    """The board was written by a newer version of this program."""

    code, http, exit = "too_new", 503, 78


class BadConfiguration(Unavailable):
    """The configuration cannot be used; one sentence says where and why."""

    code, http, exit = "bad_configuration", 503, 78


def from_dict(body: dict[str, object]) -> BoardError:
    """The error that `as_dict` wrote, as an exception of the same class again."""
    inner = body["error"]
    assert isinstance(inner, dict)
    kind = BY_CODE.get(str(inner["code"]), BoardError)
    return kind(str(inner["message"]), detail=dict(inner.get("detail") or {}))


def _leaves(kind: type[BoardError]) -> list[type[BoardError]]:
    return [kind, *(leaf for child in kind.__subclasses__() for leaf in _leaves(child))]


BY_CODE = {kind.code: kind for kind in _leaves(BoardError)}
