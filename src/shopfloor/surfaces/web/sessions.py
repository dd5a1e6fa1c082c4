"""Logging in and out: a token or a login link becomes a cookie that only this server sees.

The cookie holds a secret of its own, is not readable by scripts, and is never sent along by another server's page
(`SameSite=Strict`).  Its name is the home's, because browsers give cookies to every port of a machine.
"""

from __future__ import annotations

import asyncio
import json

from starlette.requests import Request
from starlette.responses import Response

from shopfloor.domain.access import Key
from shopfloor.domain.errors import Invalid
from shopfloor.surfaces.door import Door
from shopfloor.surfaces.mcp.visitor import result_of
from shopfloor.surfaces.web.answers import value
from shopfloor.surfaces.web.api import json_object
from shopfloor.surfaces.web.guard import Guard
from shopfloor.surfaces.web.who import Keys, Reception, Who

BODY_BYTES_MAX = 4096
DAY_MS = 86_400_000


class Sessions:
    """The sessions of browsers."""

    def __init__(
        self, door: Door, keys: Keys, guard: Guard, reception: Reception, *, days: int
    ) -> None:
        self._door = door
        self._keys = keys
        self._guard = guard
        self._reception = reception
        self._lasts_ms = days * DAY_MS

    async def login(self, request: Request) -> Response:
        """`POST /api/v1/login {"token"}`: a session for who has a token or a link."""
        self._guard.proven(request)
        given = await json_object(request, BODY_BYTES_MAX)
        secret = given.get("token")
        if not isinstance(secret, str) or given.keys() != {"token"}:
            raise Invalid("a login is `token`, a text, and nothing else")
        key = await self._reception.login(request, secret)
        session, cookie = await asyncio.to_thread(self._keys.open_session, key, self._lasts_ms)
        sender = self._guard.sender(request)
        await asyncio.to_thread(
            self._keys.note, key.name, "login", role=key.role, address=sender.address
        )
        answer = value({"name": session.name, "role": session.role})
        self._set(answer, request, cookie)
        return answer

    async def logout(self, request: Request) -> Response:
        """`POST /api/v1/logout`: the session that asks is over."""
        who = await self._reception.recognise(request)
        if who.key is not None and who.key.kind == "session":
            await asyncio.to_thread(self._keys.close_session, who.key)
            address = self._guard.sender(request).address
            await asyncio.to_thread(self._keys.note, who.name, "logout", address=address)
        answer = value({"name": who.name})
        answer.delete_cookie(self._reception.cookie, path="/", samesite="strict", httponly=True)
        return answer

    async def show(self, request: Request, who: Who) -> Response:
        """`GET /api/v1/session`: who is logged in, and the boards that there are."""
        boards = json.loads(result_of(await self._door.ask({"op": "board.list", "args": {}})))
        found = boards["items"] if isinstance(boards, dict) else boards
        told = {"name": who.name, "role": who.role, "boards": found, "csrf": "1"}
        answer = value(told)
        if who.by_cookie and who.key is not None:
            await self._go_on(request, who.key, answer)
        return answer

    async def _go_on(self, request: Request, session: Key, answer: Response) -> None:
        """Let a session that is used last longer, when the half of its time is over."""
        assert session.expires_at is not None
        left_ms = session.expires_at - self._keys.now()
        if left_ms < self._lasts_ms / 2:
            await asyncio.to_thread(self._keys.renew, session, self._lasts_ms)
            self._set(answer, request, request.cookies[self._reception.cookie])

    def _set(self, answer: Response, request: Request, secret: str) -> None:
        answer.set_cookie(
            self._reception.cookie,
            secret,
            max_age=self._lasts_ms // 1000,
            path="/",
            secure=self._guard.sender(request).secure,
            httponly=True,
            samesite="strict",
        )
