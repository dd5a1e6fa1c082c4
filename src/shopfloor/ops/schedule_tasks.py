"""What schedules put on the board: the task as it was asked for, filled in at each firing.

It is kept as the request that it is, checked when the schedule is made and again each time.  `{date}`,
`{time}`, `{n}` and `{name}` in its words are filled in then: the day and the time at which it was due in the
schedule's zone, the number of the firing, and the schedule's name.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import field

from shopfloor.domain.errors import Invalid
from shopfloor.domain.model import Runtime, Schedule
from shopfloor.domain.recurrence import zone_of
from shopfloor.kernel import schedules as firing
from shopfloor.ops.context import Context, Service
from shopfloor.ops.create import CreateTask, TaskFields, check_task, create_task
from shopfloor.ops.fields import Cpus, Memory, Mounts, Pids, RuntimeName
from shopfloor.ops.orders import runtime_row
from shopfloor.ops.schema import decode, text
from shopfloor.store import orders
from shopfloor.store.db import Tx

FIELD: Final = re.compile(r"\{(date|time|n|name)\}")


class Template(TaskFields, frozen=True, kw_only=True, omit_defaults=True):
    """What each firing puts on the board: a task, or a command and where it runs."""

    runtime: RuntimeName = None
    mounts: Mounts = field(default_factory=list)
    memory: Memory = None
    cpus: Cpus = None
    pids: Pids = None


class Filled(NamedTuple):
    """What one firing asks for: a task, and where its command runs, with the task's number still to come."""

    task: CreateTask
    runtime: Runtime | None


def check(ctx: Context, asked: Template) -> None:
    """Raise what the first firing would raise of the request itself."""
    occasion = firing.Occasion(1, ctx.tx.now)
    check_task(ctx, filled(asked, occasion, name="name", zone="UTC").task)


def maker(service: Service) -> firing.Make:
    """How a firing on this board becomes a task."""

    def make(tx: Tx, schedule: Schedule, occasion: firing.Occasion) -> int:
        asked = decode(schedule.request, Template)
        whole = filled(asked, occasion, name=schedule.name, zone=schedule.zone)
        ctx = Context(tx, firing.actor(schedule), service.settings(), service)
        task_id = create_task(ctx, whole.task).task.id
        if whole.runtime is not None:
            orders.put_runtime(tx, whole.runtime._replace(task_id=task_id))
        return task_id

    return make


def filled(asked: Template, occasion: firing.Occasion, *, name: str, zone: str) -> Filled:
    """The request of one firing: its words filled in, and behind the firing that it waits for."""
    if asked.runtime is not None and asked.command is None:
        raise Invalid("--runtime says where a command runs; add the command after `--`")
    due = datetime.fromtimestamp(occasion.due_at / 1000, zone_of(zone))
    words = {
        "date": f"{due:%Y-%m-%d}",
        "time": f"{due:%H:%M}",
        "n": str(occasion.number),
        "name": name,
    }
    whole = decode(text(_filled(msgspec.to_builtins(asked), words)), Template)
    given: dict[str, Any] = {name: getattr(whole, name) for name in TaskFields.__struct_fields__}
    if occasion.waits_for:
        given |= {"parents": list(occasion.waits_for), "start_after": "any"}
    return Filled(CreateTask(**given), runtime_row(whole))


def _filled(value: Any, words: dict[str, str]) -> Any:
    """The value with the fields of all its texts filled in."""
    if isinstance(value, str):
        return FIELD.sub(lambda found: words[found[1]], value)
    if isinstance(value, list):
        return [_filled(one, words) for one in value]
    if isinstance(value, dict):
        return {key: _filled(one, words) for key, one in value.items()}
    return value
