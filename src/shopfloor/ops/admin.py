"""Keep a board in order: check its invariants, forget what is old, see its hosts."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import Annotated

from msgspec import Meta

from shopfloor.domain import limits
from shopfloor.domain.errors import Invalid, Unavailable
from shopfloor.kernel import fsck as checking
from shopfloor.kernel import retention
from shopfloor.ops.context import Around, Context
from shopfloor.ops.dispatch import NoArguments
from shopfloor.ops.pages import Paged, page
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result, always, moment
from shopfloor.store import hosts, runs
from shopfloor.store.db import Tx


class FindingView(Result, frozen=True):
    """A broken invariant."""

    invariant: str
    task: int | None
    run: int | None
    sentence: str


class FsckView(Result, frozen=True):
    """What is wrong with the ledger; nothing is what should come out."""

    ok: bool
    problems: list[FindingView]


@operation("admin.fsck", "GET /api/v1/fsck", command="fsck", kind="read", role="anyone")
def fsck(ctx: Context, req: NoArguments) -> FsckView:  # noqa: ARG001 - every operation has one
    """Check the invariants of the ledger; it reads everything and changes nothing."""
    found = checking.fsck(ctx.tx)
    return FsckView(
        not found,
        [FindingView(f.invariant, f.task_id, f.run_id, f.sentence) for f in found],
    )


class CollectGarbage(Request, frozen=True, kw_only=True):
    """What is old enough to be forgotten."""

    event_days: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Arg(
            "Forget events of ended tasks, and messages that were sent, after so many days.",
            flag="--event-retention-days",
        ),
    ] = None
    log_days: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Arg("Delete logs after so many days.", flag="--log-retention-days"),
    ] = None


class Collected(Result, frozen=True):
    """What was forgotten."""

    tasks: int
    events: int
    logs: int
    deliveries: int
    unfinished: int


@operation("admin.gc", "POST /api/v1/gc", command="gc", kind="around", admin=True)
def collect_garbage(ctx: Around, req: CollectGarbage) -> Collected:
    """Forget old events of ended tasks, messages and logs; without days, as the settings say.

    What was left half written where somebody was killed while a file was fetched goes too.
    """
    event_days = req.event_days or ctx.settings.retention.events_days
    log_days = req.log_days or ctx.settings.retention.logs_days
    pruned_tasks, pruned_events = 0, 0
    while event_days:
        step = ctx.service.database.write(
            lambda tx: retention.prune_events(tx, ctx.caller, event_days, 200)
        )
        if step.events == 0:
            break
        pruned_tasks, pruned_events = pruned_tasks + step.tasks, pruned_events + step.events
    now = ctx.read(lambda tx: tx.now)
    unfinished = ctx.service.files.drop_unfinished(now - limits.UNFINISHED_MS)
    logs = 0
    if log_days:
        logs = ctx.service.files.drop_logs(now - log_days * retention.DAY_MS)

    def work(tx: Tx) -> Collected:
        messages = retention.prune_deliveries(tx, event_days) if event_days else 0
        return Collected(pruned_tasks, pruned_events, logs, messages, unfinished)

    done: Collected = ctx.commit(work)
    return done


class BackupBoard(Request, frozen=True):
    """Where the copy goes."""

    target: Annotated[
        str,
        Arg("The file to write, with its whole path; it must not be there yet.", positional=True),
    ]


class BackedUp(Result, frozen=True):
    """The copy."""

    path: str
    size: int


@operation(
    "admin.backup",
    "POST /api/v1/backup",
    command="backup",
    kind="around",
    errors=(Invalid, Unavailable),
    admin=True,
)
def backup(ctx: Around, req: BackupBoard) -> BackedUp:
    """Copy a board's database into a new file while work goes on; it is looked through before."""
    return BackedUp(req.target, ctx.service.backup(req.target))


class HostView(Result, frozen=True):
    """A machine that runs a dispatcher against this board; `here`: it gave a sign of life lately."""

    name: str
    version: str
    labels: list[str]
    here: bool
    running: int
    started_at: datetime
    seen_at: datetime
    left_at: datetime | None


@operation("admin.hosts", "GET /api/v1/hosts", command="hosts", kind="read", role="anyone")
def list_hosts(ctx: Context, req: Paged) -> list[HostView]:
    """List the hosts that have run a dispatcher against this board."""
    here = ctx.service.surroundings(ctx.tx).dispatchers
    running: Counter[str] = Counter()
    for _profile, host, count in runs.slots(ctx.tx):
        running[host] += count
    return [
        HostView(
            h.name,
            h.version,
            json.loads(h.labels),
            h.name in here,
            running[h.name],
            always(h.started_at),
            always(h.seen_at),
            moment(h.left_at),
        )
        for h in page(hosts.everyone(ctx.tx), req, lambda one: one.name)
    ]
