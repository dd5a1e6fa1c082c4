"""Who asks: the bearer of a token, a browser with a session, or the worker of a run; and what each may.

The keys are looked at for every request, so a token that was revoked a moment ago opens nothing now.  A worker
is recognised by the board, for every request too.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import NamedTuple, Protocol

from starlette.requests import Request

from shopfloor.domain.access import Key, may
from shopfloor.domain.errors import Forbidden, NotLoggedIn, TooOften
from shopfloor.surfaces.door import Door
from shopfloor.surfaces.mcp.visitor import Visitor, recognise
from shopfloor.surfaces.web.catalog import Route
from shopfloor.surfaces.web.guard import Guard

SCHEME = "bearer "
HOW = "send `Authorization: Bearer TOKEN`, or log in; `shop token create NAME` makes a token"
FAILURES_MAX = 10
FAILURES_MS = 60_000
ADDRESSES_MAX = 10_000
_KEY = "shop_"


class Keys(Protocol):
    """The keys of the home, as `app` has them."""

    def find(self, secret: str) -> Key | None: ...
    def still(self, key: Key) -> bool: ...
    def home_name(self) -> str: ...
    def now(self) -> int: ...
    def version(self) -> object: ...
    def open_session(self, key: Key, lasts_ms: int) -> tuple[Key, str]: ...
    def renew(self, session: Key, lasts_ms: int) -> None: ...
    def close_session(self, session: Key) -> None: ...
    def note(
        self,
        who: str,
        what: str,
        *,
        role: str | None = None,
        address: str | None = None,
        detail: str = "",
    ) -> None: ...


class Who(NamedTuple):
    """Somebody who may come in: a key's owner, or a worker; `by_cookie` a browser brought the key along."""

    name: str
    role: str
    key: Key | None
    by_cookie: bool = False
    worker: Visitor | None = None


class Failures:
    """Counts logins that failed, by the address they came from; after too many in a minute none is looked at.

    A token that is good is good whatever others have tried from the same address.
    """

    def __init__(self) -> None:
        self._failed: OrderedDict[str, list[float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Raise TooOften for an address that has failed too often in the last minute."""
        recent = self._recent(address)
        if len(recent) >= FAILURES_MAX:
            wait_s = max(1, round(recent[0] + FAILURES_MS / 1000 - time.monotonic()))
            raise TooOften(
                f"too many logins failed from {address}; try again in {wait_s} s",
                detail={"retry_after_s": wait_s},
            )

    def count(self, address: str) -> None:
        """One more has failed."""
        self._failed[address] = [*self._recent(address), time.monotonic()]
        self._failed.move_to_end(address)
        while len(self._failed) > ADDRESSES_MAX:
            self._failed.popitem(last=False)

    def _recent(self, address: str) -> list[float]:
        begin = time.monotonic() - FAILURES_MS / 1000
        return [at for at in self._failed.get(address, []) if at > begin]


class Reception:
    """Finds out who asks, and refuses whom nobody knows."""

    def __init__(self, door: Door, keys: Keys, guard: Guard) -> None:
        self._door = door
        self._keys = keys
        self._guard = guard
        self._failures = Failures()

    @property
    def cookie(self) -> str:
        """The name of this home's cookie."""
        return f"shop_{self._keys.home_name()}"

    async def recognise(self, request: Request) -> Who:
        """Who sends this request; raises NotLoggedIn."""
        shown = request.headers.get("authorization")
        if shown is not None:
            return await self._bearer(request, shown)
        secret = request.cookies.get(self.cookie)
        key = None if secret is None else self._keys.find(secret)
        if key is None or key.kind != "session":
            raise NotLoggedIn(f"nobody is logged in here; {HOW}")
        if request.method not in ("GET", "HEAD"):
            try:
                self._guard.proven(request)
            except Forbidden:
                await self._note(request, key.name, "refused", detail=request.url.path[:200])
                raise
        return Who(key.name, key.role, key, by_cookie=True)

    async def login(self, request: Request, secret: str) -> Key:
        """The key that opens a session; raises NotLoggedIn, and TooOften who tries too often."""
        self._failures.check(self._guard.sender(request).address)
        return await self._checked(request, secret, ("token", "link"))

    async def allow(self, request: Request, who: Who, route: Route) -> None:
        """Raise Forbidden for what this caller may not ask, and write it down."""
        try:
            allow(who, route)
        except Forbidden:
            await self._note(request, who.name, "refused", role=who.role, detail=route.op)
            raise

    async def _bearer(self, request: Request, shown: str) -> Who:
        if shown[: len(SCHEME)].lower() != SCHEME:
            raise NotLoggedIn(f"this kind of authorization is not known here; {HOW}")
        secret = shown[len(SCHEME) :].strip()
        if not secret.startswith(_KEY) and ":" in secret:
            return await self._worker(request, shown)
        key = await self._checked(request, secret, ("token",))
        return Who(key.name, key.role, key)

    async def _worker(self, request: Request, shown: str) -> Who:
        board = request.query_params.get("board") or request.scope.get("shopfloor.board", "")
        try:
            visitor = await recognise(self._door, board, shown)
        except Forbidden as wrong:
            self._failed(request)
            raise NotLoggedIn(wrong.message) from None
        return Who(f"run {visitor.run}", "worker", None, worker=visitor)

    async def _checked(self, request: Request, secret: str, kinds: tuple[str, ...]) -> Key:
        key = self._keys.find(secret)
        if key is not None and key.kind in kinds:
            return key
        self._failed(request)
        await self._note(request, "?", "login_refused")
        raise NotLoggedIn(
            "this token opens nothing: it is wrong, revoked or too old; `shop token link` prints a new link"
        )

    def _failed(self, request: Request) -> None:
        """Count a failure; raises TooOften where there were too many, and then it is not written down."""
        address = self._guard.sender(request).address
        self._failures.check(address)
        self._failures.count(address)

    async def _note(self, request: Request, who: str, what: str, **more: str) -> None:
        address = self._guard.sender(request).address
        await asyncio.to_thread(self._keys.note, who, what, address=address, **more)


def allow(who: Who, route: Route) -> None:
    """Raise Forbidden for what this caller may not ask."""
    if who.key is not None:
        if not may(who.key.role, writes=route.writes, admin=route.admin):
            needed = "admin" if route.admin else "operator"
            raise Forbidden(
                f"{who.name} is {who.key.role} here, and {route.op} needs the role {needed}"
            )
        return
    assert who.worker is not None, "who comes in has a key or a run"
    if route.op not in who.worker.tools and (route.role != "worker" or not who.worker.open):
        why = "" if who.worker.open else f": {who.worker.reason}"
        raise Forbidden(f"{who.name} may not ask {route.op}{why}")
