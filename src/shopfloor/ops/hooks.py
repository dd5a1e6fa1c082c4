"""Hooks: how far the user's programs have got in the events, and how it went."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from shopfloor.domain.model import HookState
from shopfloor.domain.settings_hooks import Hook
from shopfloor.ops.context import Context
from shopfloor.ops.pages import Paged, page
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Result, moment
from shopfloor.store import hooks
from shopfloor.store.db import Tx

WAITING_MAX = 100_000


class HookView(Result, frozen=True):
    """One hook on this host; `waiting` are events that it was not run for yet, up to 100,000 of them.

    `new` has not begun: `shop up` does that.  `gone` is not in the configuration any more.
    """

    name: str
    state: Literal["new", "current", "behind", "gone"]
    runs: list[str]
    events: list[str]
    waiting: int
    last_event: int | None
    done: int
    failed: int
    skipped: int
    last_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None


@operation(
    "hook.list", "GET /api/v1/hooks", command="hook list", kind="read", role="anyone", admin=True
)
def list_hooks(ctx: Context, req: Paged) -> list[HookView]:
    """List the hooks of this host: how far each is, how often it failed, and how it failed last."""
    states = hooks.of_host(ctx.tx, ctx.service.hook_host())
    known = ctx.settings.hooks
    names = [*known, *(name for name in states if name not in known)]
    found = page(names, req, str)
    return [_view(ctx.tx, name, known.get(name), states.get(name)) for name in found]


def _view(tx: Tx, name: str, hook: Hook | None, state: HookState | None) -> HookView:
    waiting = 0
    if hook is not None and state is not None:
        waiting = hooks.waiting(tx, state.last_event, hook.events, WAITING_MAX)
    runs: list[str] = []
    if hook is not None:
        runs = list(hook.command) if hook.python is None else ["python", hook.python]
    return HookView(
        name,
        "gone" if hook is None else "new" if state is None else "behind" if waiting else "current",
        runs,
        [] if hook is None else list(hook.events),
        waiting,
        None if state is None else state.last_event,
        0 if state is None else state.done,
        0 if state is None else state.failed,
        0 if state is None else state.skipped,
        None if state is None else moment(state.last_at),
        None if state is None else state.last_error,
        None if state is None else moment(state.last_error_at),
    )
