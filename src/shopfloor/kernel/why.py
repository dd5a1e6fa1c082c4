"""Why a task is not moving, in one sentence: since when, what would move it, when it is looked at again.

The answer is read from the ledger and the settings each time, so it cannot be older than either.
"""

from __future__ import annotations

import json
import shlex
from typing import NamedTuple

from shopfloor.domain.lifecycle import Status
from shopfloor.domain.limits import PAGE_MAX
from shopfloor.domain.model import Host, Task
from shopfloor.domain.settings import Settings
from shopfloor.kernel.budget import before_start, of_task
from shopfloor.kernel.claim import UNASSIGNED_LANE, profile_of, room
from shopfloor.kernel.load import load
from shopfloor.kernel.questions import waits_for_answer
from shopfloor.kernel.quota import account_of, gate
from shopfloor.store import holds, hosts, links, plannings, questions, quotas, runs, tasks
from shopfloor.store.db import Tx

PARENTS_NAMED = 5


class Reason(NamedTuple):
    """One reason: a code for programs, a sentence and the next step for people; times in ms."""

    code: str
    sentence: str
    next_step: str
    since: int
    until: int | None = None


class Surroundings(NamedTuple):
    """What the answer depends on beside the board: this host, its cap, and who runs a dispatcher."""

    host: str
    host_cap: int | None
    dispatchers: tuple[str, ...]


def living_dispatchers(tx: Tx, newest_silence_ms: int) -> tuple[str, ...]:
    """The hosts whose dispatcher has not left and gave a sign of life within the given time."""
    everyone: list[Host] = hosts.everyone(tx)
    return tuple(
        h.name for h in everyone if h.left_at is None and tx.now - h.seen_at <= newest_silence_ms
    )


def why(tx: Tx, settings: Settings, around: Surroundings, task_id: int) -> Reason:
    """The one reason that a person should know first."""
    task = load(tx, task_id)
    status = Status(task.status)
    asked = _question(tx, task) if status in (Status.BLOCKED, Status.RUNNING) else None
    if asked is not None:
        return asked
    at_rest = _AT_REST.get(status)
    if at_rest is not None:
        return at_rest(task)
    if status is Status.TRIAGE:
        return _triage(tx, task)
    if status is Status.TODO:
        return _todo(tx, task)
    if status is Status.RUNNING:
        return _running(tx, task, around)
    return _queued(tx, settings, around, task)


def _question(tx: Tx, task: Task) -> Reason | None:
    """What a person is asked, where the task waits for the answer."""
    waiting = questions.open_of_task(tx, task.id)
    if not waiting or (task.status == Status.BLOCKED and waits_for_answer(tx, task) is None):
        return None
    first = waiting[0]
    choice = " or ".join(json.loads(first.options))
    sentence = f"it asks: {first.body}{f' ({choice})' if choice else ''}"
    if first.deadline is not None:
        sentence += f"; without an answer it goes on with {first.default_answer!r}"
    step = f"shop answer {task.id} TEXT"
    if len(waiting) > 1:
        step += f" --question {first.id}"
        sentence += f" ({len(waiting)} questions are open)"
    return Reason("question", sentence, step, first.asked_at, first.deadline)


def _over(task: Task) -> Reason:
    step = f"shop {'unarchive' if task.status == Status.ARCHIVED else 'reopen'} {task.id}"
    sentence = f"it is {task.status}, so nothing will move it"
    return Reason(f"is_{task.status}", sentence, step, task.changed_at)


def _triage(tx: Tx, task: Task) -> Reason:
    if task.loop_count:
        sentence = f"it was blocked for the same reason again and again: {task.block_reason}"
        return Reason("block_loop", sentence, f"shop specify {task.id}", task.changed_at)
    asked = plannings.last(tx, task.id)
    if asked is not None and asked.outcome is None:
        return Reason("planning", "a model is asked about it", f"shop show {task.id}", asked.at)
    if asked is not None and asked.error is not None:
        sentence = f"a model was asked about it, and that failed: {asked.error}"
        return Reason("planning_failed", sentence, f"shop specify {task.id}", asked.at)
    sentence = "it is an idea that nobody has made into a task yet"
    return Reason("in_triage", sentence, f"shop specify {task.id}", task.changed_at)


def _todo(tx: Tx, task: Task) -> Reason:
    waiting = links.open_parent_ids(tx, task.id)
    if not waiting:
        return Reason(
            "promotes_next",
            "it waits for nobody, and the next pass makes it ready",
            "shop dispatch",
            task.changed_at,
        )
    names = ", ".join(f"#{number}" for number in waiting[:PARENTS_NAMED])
    others = len(waiting) - PARENTS_NAMED
    more = f" and {others} more" if others > 0 else ""
    for number in waiting:
        ended = _ended_without_success(tx, number)
        if ended is not None:
            how, verb = ended
            sentence = f"it waits for #{number}, which {how} and will not finish by itself"
            step = f"shop {verb} {number}, or shop promote --force {task.id}"
            return Reason("parent_failed", sentence, step, task.changed_at)
    return Reason(
        "waits_for_parents",
        f"it waits for {names}{more} to be done",
        f"shop show {waiting[0]}",
        task.changed_at,
    )


def _ended_without_success(tx: Tx, number: int) -> tuple[str, str] | None:
    """How a parent ended that is not done, and the verb that takes it up again; None: it goes on."""
    parent = tasks.get(tx, number)
    assert parent is not None
    if parent.status == Status.BLOCKED and parent.block_kind == "gave_up":
        return "was given up", "unblock"
    if parent.status == Status.CANCELLED:
        return "was cancelled", "reopen"
    if parent.status == Status.ARCHIVED:
        return "was archived unfinished", "unarchive"
    return None


def _scheduled(task: Task) -> Reason:
    if task.not_before is None:
        sentence = "it is parked until somebody releases it"
        return Reason("parked", sentence, f"shop unblock {task.id}", task.changed_at)
    retry = task.attempts > 0 and task.last_error is not None
    code = "waits_for_retry" if retry else "waits_for_time"
    sentence = (
        "the last attempt failed and the next one waits" if retry else "its time has not come"
    )
    return Reason(code, sentence, f"shop promote {task.id}", task.changed_at, task.not_before)


def _blocked(task: Task) -> Reason:
    if task.block_kind == "gave_up":
        sentence = str(task.block_reason)
        return Reason(
            "gave_up", sentence, f"shop log {task.id}, then shop unblock {task.id}", task.changed_at
        )
    sentence = f"it is blocked ({task.block_kind}): {task.block_reason}"
    step = f"shop comment {task.id} …, then shop unblock {task.id}"
    return Reason(f"blocked_{task.block_kind}", sentence, step, task.changed_at)


# What is not moving for a reason that the task's own row tells.
_AT_REST = {
    Status.SCHEDULED: _scheduled,
    Status.BLOCKED: _blocked,
    Status.DONE: _over,
    Status.CANCELLED: _over,
    Status.ARCHIVED: _over,
}


def _running(tx: Tx, task: Task, around: Surroundings) -> Reason:
    run = runs.get(tx, task.current_run or 0)
    assert run is not None
    since = run.started_at or run.claimed_at
    if run.pending is not None:
        return Reason(
            "check_runs",
            "the worker is done and its check decides now",
            f"shop log {task.id}",
            since,
        )
    if run.host and run.host not in around.dispatchers:
        sentence = (
            f"run {run.id} goes on or has ended, but no dispatcher runs on {run.host} to settle it"
        )
        return Reason("no_dispatcher", sentence, "shop up", since)
    if run.host and run.pid is None:
        return Reason(
            "starting", f"run {run.id} is being started on {run.host}", f"shop log {task.id}", since
        )
    where = f"on {run.host}" if run.host else "by an outside worker"
    sentence = f"it is moving: run {run.id} works on it {where}"
    return Reason("running", sentence, f"shop log --follow {task.id}", since)


def _queued(tx: Tx, settings: Settings, around: Surroundings, task: Task) -> Reason:
    live = runs.live_of_task(tx, task.id)
    if live is not None:
        sentence = f"the last process of its run {live.id} is still leaving"
        return Reason("previous_worker_leaving", sentence, f"shop runs {task.id}", task.changed_at)
    review = task.status == Status.REVIEW
    if review and (settings.dispatch.review == "person" or settings.dispatch.reviewer is None):
        step = f"shop complete {task.id}, or shop request-changes {task.id} REASON"
        return Reason("waits_for_review", "it waits for a person's review", step, task.changed_at)
    held = _held(tx, task, settings.dispatch.reviewer if review else None)
    if held is not None:
        return held
    limited = _limited(tx, settings, task, review=review) or _spent(
        tx, settings, task, review=review
    )
    if limited is not None:
        return limited
    if task.not_before is not None and task.not_before > tx.now:
        sentence = "the last attempt asked to be run later"
        return Reason(
            "cooldown", sentence, f"shop bypass {task.id}", task.changed_at, task.not_before
        )
    return _no_slot(tx, settings, around, task, review=review)


def _limited(tx: Tx, settings: Settings, task: Task, *, review: bool) -> Reason | None:
    """The provider account that the task waits for."""
    profile = profile_of(task.lane, "reviewer" if review else "worker", settings)
    account = account_of(settings, profile)
    stored = None if account is None else quotas.lock(tx, account)
    if stored is None:
        return None
    found = gate(tx, settings, stored)
    if found.kind == "over":
        return None
    step = f"shop quota clear {shlex.quote(stored.account)}"
    return Reason("quota", found.sentence, step, stored.since, found.until)


def _spent(tx: Tx, settings: Settings, task: Task, *, review: bool) -> Reason | None:
    """The limit of tokens or cost that keeps the task from starting."""
    profile = profile_of(task.lane, "reviewer" if review else "worker", settings)
    found = before_start(tx, settings, profile)
    if found is None and task.command is None:
        found = of_task(tx, task)
    if found is None:
        return None
    step = found.step if found.step.startswith("shop ") else f"shop usage, or raise {found.step}"
    return Reason("budget", found.sentence, step, task.changed_at, found.until)


def _held(tx: Tx, task: Task, reviewer: str | None) -> Reason | None:
    profile = reviewer if reviewer is not None else task.assignee
    places = [("board", "", "shop resume"), ("task", str(task.id), f"shop resume {task.id}")]
    if profile is not None:
        places.insert(1, ("lane", profile, f"shop resume --profile {profile}"))
    for scope, name, step in places:
        for hold in holds.of(tx, scope, name):
            if hold.code == "guards_bypassed" or (hold.until is not None and hold.until <= tx.now):
                continue
            if hold.code in ("paused", "profile_paused"):
                what = {"board": "the board", "lane": f"profile {name!r}", "task": "it"}[scope]
                code = "profile_paused" if scope == "lane" else f"{scope}_paused"
                return Reason(code, f"{what} is paused: {hold.reason}", step, hold.since)
            return Reason(hold.code, hold.reason, f"shop bypass {task.id}", hold.since, hold.until)
    return None


def _no_slot(
    tx: Tx, settings: Settings, around: Surroundings, task: Task, *, review: bool
) -> Reason:
    since = task.changed_at
    if not review and task.lane == UNASSIGNED_LANE and not settings.dispatch.default_assignee:
        return Reason(
            "unassigned", "nobody is assigned to it", f"shop assign {task.id} PROFILE", since
        )
    name = profile_of(task.lane, "reviewer" if review else "worker", settings)
    if name is not None and name not in settings.profiles:
        sentence = f"there is no profile {name!r} on this host"
        step = f"shop assign {task.id} PROFILE, or add [profiles.{name}] to the configuration"
        return Reason("unknown_profile", sentence, step, since)
    if not around.dispatchers:
        return Reason("no_dispatcher", "no dispatcher is running", "shop up", since)
    space = room(tx, settings, host=around.host, host_cap=around.host_cap, most=PAGE_MAX)
    if name is not None:
        cap = settings.profiles[name].cap
        running = space.by_profile.get(name, 0)
        if cap is not None and running >= cap:
            sentence = f"profile {name!r} runs {running} of at most {cap}"
            return Reason("profile_cap", sentence, "shop list --status running", since)
    if space.free <= 0:
        sentence = f"all slots are in use ({space.used} running)"
        return Reason("board_cap", sentence, "shop list --status running", since)
    return Reason("starts_next", "it may start, and the next pass takes it", "shop dispatch", since)
