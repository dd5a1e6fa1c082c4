"""Every kind of event that a board writes, with what its `data` carries.

The kinds of the lifecycle's own events stand in `lifecycle.RULES`, and an attempt's outcome is the kind of
the event that its end writes; here each has its words, and so have the kinds that move nothing.  A
kind that is not in this list is not written: a test reads the kernel for them.  Consumers may rely on
the names and on what is listed; a `data` may carry more.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class EventKind(NamedTuple):
    """What an event of this kind says, and the names in its `data` that readers may use."""

    words: str
    data: tuple[str, ...] = ()


_MOVED = ("from",)
_ENDED = ("from", "outcome", "error")

KINDS: dict[str, EventKind] = {
    "created": EventKind(
        "A task was put on the board.", ("title", "parents", "assignee", "goal_turns", "reason")
    ),
    "specified": EventKind("An idea in triage became a task.", _MOVED),
    "decomposed": EventKind("A task in triage became a graph of sub-tasks.", ("from", "pieces")),
    "promoted": EventKind("The last parent ended, so the task may start.", _MOVED),
    "promoted_manual": EventKind(
        "A person made the task ready; `forced`: although parents are open.", ("from", "forced")
    ),
    "demoted": EventKind("A parent is open again, so the task waits again.", _MOVED),
    "scheduled": EventKind(
        "A person parked the task, until a time or until released.",
        ("from", "not_before", "reason"),
    ),
    "due": EventKind("A parked task's time came.", _MOVED),
    "claimed": EventKind("An attempt began.", ("from", "host", "attempt", "profile")),
    "completed": EventKind(
        "The task is done; `check_skipped`: by hand, without its check.",
        ("from", "summary", "check_skipped"),
    ),
    "review_requested": EventKind("The worker handed the task to a reviewer.", ("from", "summary")),
    "changes_requested": EventKind("A reviewer sent the task back.", ("from", "reason")),
    "blocked": EventKind("The task waits for a person.", ("from", "reason", "kind")),
    "dependency_wait": EventKind("The task waits for another task.", ("from", "reason", "kind")),
    "block_loop_detected": EventKind(
        "The same block came back too often, so the task is in triage.", ("from", "reason", "kind")
    ),
    "unblocked": EventKind(
        "The task goes on: a person said so, or its question was answered.",
        ("from", "reason", "question"),
    ),
    "retry_scheduled": EventKind(
        "The attempt failed, and the next one waits.", (*_ENDED, "not_before")
    ),
    "gave_up": EventKind(
        "The limit of failures was reached; the outcome's own event comes before.",
        (*_ENDED, "reason", "kind"),
    ),
    "cancelled": EventKind("A person ended the task.", ("from", "reason")),
    "reopened": EventKind("A person took an ended task up again.", ("from", "reason")),
    "archived": EventKind("A person hid the task.", ("from", "reason")),
    "unarchived": EventKind("A person brought the task back.", _MOVED),
    "deleted": EventKind("A task is gone, with all its rows but this one.", ("task", "title")),
    "check_failed": EventKind("The check said no; its output's end is in `error`.", _ENDED),
    "failed": EventKind("A command ended with another exit status than 0.", _ENDED),
    "crashed": EventKind("The worker was killed, or vanished.", _ENDED),
    "timed_out": EventKind("The maximum runtime was over.", _ENDED),
    "goal_budget_spent": EventKind("All goal turns were used.", _ENDED),
    "auth_failed": EventKind("The provider refused the login.", _ENDED),
    "permission_refused": EventKind("The worker's own policy refused what it needed.", _ENDED),
    "spawn_failed": EventKind("Workspace, profile or program could not be had.", _ENDED),
    "protocol_violation": EventKind("An agent left without a verdict.", _ENDED),
    "rate_limited": EventKind("The worker asked to be run later.", (*_ENDED, "not_before")),
    "stale": EventKind("The worker gave no sign of life for too long.", _ENDED),
    "reclaimed": EventKind("The attempt was taken back; nobody's failure.", (*_ENDED, "reason")),
    "superseded": EventKind("The attempt found that it is not wanted any more.", _ENDED),
    "verdict_pending": EventKind("The worker says done, and its check decides.", ("check",)),
    "write_refused": EventKind("A run that is not the open one tried to write.", ("operation",)),
    "assigned": EventKind("The task has another assignee.", ("assignee", "source")),
    "edited": EventKind("Fields of the task were rewritten; each is named with its new value."),
    "commented": EventKind("Somebody wrote a comment.", ("comment",)),
    "asked": EventKind("A worker asks a person.", ("question", "body", "options", "deadline")),
    "answered": EventKind(
        "A question has its answer; by `deadline`: the default that its asker set.",
        ("question", "answer"),
    ),
    "quota_parked": EventKind(
        "A provider account reached its limit, and all its tasks wait.",
        ("account", "until", "rounds", "reason"),
    ),
    "quota_opened": EventKind(
        "The provider answers again; the account's tasks follow one by one.", ("account", "run")
    ),
    "quota_spent": EventKind(
        "An account was tried as often as may be, and its queued tasks are blocked.",
        ("account", "rounds", "blocked", "reason"),
    ),
    "quota_cleared": EventKind("A person lets an account's tasks start now.", ("account",)),
    "heartbeat": EventKind("A worker said what it does now.", ("note",)),
    "attached": EventKind("A file is kept with the task.", ("name", "size")),
    "detached": EventKind("A file was removed from the task.", ("name", "size")),
    "linked": EventKind("One task waits for another; written to both.", ("parent", "child")),
    "unlinked": EventKind("It waits no longer; written to both.", ("parent", "child")),
    "paused": EventKind(
        "A person paused the board, a profile or a task.", ("scope", "name", "reason")
    ),
    "resumed": EventKind("The pause is over.", ("scope", "name")),
    "respawn_guarded": EventKind("A guard holds the task back for a while.", ("guard", "until")),
    "guards_bypassed": EventKind("A person lets the task start in spite of its guards."),
    "undelivered": EventKind(
        "A message about the task was given up; the task's own course is not touched by it.",
        ("delivery", "target", "error"),
    ),
    "schedule_added": EventKind("A person made a schedule.", ("schedule", "words", "zone")),
    "schedule_changed": EventKind(
        "A person edited, paused, resumed or removed a schedule.", ("schedule", "change")
    ),
    "schedule_held": EventKind(
        "A due time of a schedule put no task on the board: skipped, missed, refused, or before it by the clock.",
        ("schedule", "outcome", "due", "reason"),
    ),
    "snapshot": EventKind("Older events were forgotten; this one tells the status.", ("pruned",)),
}

# The kinds that somebody may want to be told of, and those that are told where nobody chose.
NOTIFIABLE: Final = frozenset(
    {
        "created", "completed", "review_requested", "changes_requested", "blocked", "block_loop_detected",
        "asked", "commented", "gave_up", "failed", "crashed", "timed_out", "check_failed", "spawn_failed",
        "goal_budget_spent", "auth_failed", "permission_refused", "cancelled", "reopened", "archived",
        "schedule_held",
    }
)  # fmt: skip
TOLD_UNASKED: Final = (
    "completed",
    "blocked",
    "gave_up",
    "crashed",
    "timed_out",
    "review_requested",
    "block_loop_detected",
)
