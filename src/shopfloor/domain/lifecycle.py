"""The task's life as one table: which verb may lead from which status to which, and what it does.

`RULES` is the state machine.  The kernel executes it (`kernel/decide.py` picks the row,
`kernel/apply.py` carries it out), the database's trigger refuses every edge that is not in it, the
reference page is printed from it and the model-based tests draw their moves from it.  A status, verb,
guard or effect is added here and nowhere else.

How to read a row: *verb*, by *whom*, from → to, the guards that must all hold, what happens to the
run, the event that is written, the further effects on the row.  The rows of one (verb, by, from) are
tried in order and the first whose guards hold is taken; so an unguarded row is the last of its group.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """Where a task is in its life."""

    TRIAGE = "triage"
    TODO = "todo"
    SCHEDULED = "scheduled"
    READY = "ready"
    RUNNING = "running"
    REVIEW = "review"
    BLOCKED = "blocked"
    DONE = "done"
    CANCELLED = "cancelled"
    ARCHIVED = "archived"


class Verb(StrEnum):
    """What can happen to a task's status."""

    CREATE = "create"
    SPECIFY = "specify"
    DECOMPOSE = "decompose"
    PROMOTE = "promote"
    PROMOTE_MANUAL = "promote_manual"
    SCHEDULE = "schedule"
    COME_DUE = "come_due"
    CLAIM = "claim"
    COMPLETE = "complete"
    REQUEST_REVIEW = "request_review"
    REQUEST_CHANGES = "request_changes"
    BLOCK = "block"
    UNBLOCK = "unblock"
    RELEASE = "release"
    RETRY_LATER = "retry_later"
    GIVE_UP = "give_up"
    DEMOTE = "demote"
    CANCEL = "cancel"
    REOPEN = "reopen"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    DELETE = "delete"


class By(StrEnum):
    """Who asks: the board's own loops, the worker that holds the run, or a person."""

    BOARD = "board"
    WORKER = "worker"
    PERSON = "person"


class Guard(StrEnum):
    """A condition on the task and its facts; `kernel/decide.py` says how each is tested."""

    PARENTS_MET = "parents_met"
    PARENTS_OPEN = "parents_open"
    HOLDS_RUN = "holds_run"
    ROLE_WORKER = "role_worker"
    ROLE_REVIEWER = "role_reviewer"
    PHASE_REVIEW = "phase_review"
    DUE = "due"
    WAITS_FOR_TASK = "waits_for_task"
    WAITS_FOR_PERSON = "waits_for_person"
    LOOP_SPENT = "loop_spent"
    FORCED = "forced"
    NOT_FORCED = "not_forced"
    UNDECOMPOSED = "undecomposed"
    ANSWERED = "answered"
    QUOTA_SPENT = "quota_spent"
    ROUNDS_SPENT = "rounds_spent"
    KEY_FREE = "key_free"
    WANTS_TRIAGE = "wants_triage"
    WANTS_SCHEDULED = "wants_scheduled"
    WANTS_BLOCKED = "wants_blocked"
    WAS_TRIAGE = "was_triage"
    WAS_SCHEDULED = "was_scheduled"
    WAS_REVIEW = "was_review"
    WAS_BLOCKED = "was_blocked"
    WAS_DONE = "was_done"
    WAS_CANCELLED = "was_cancelled"


class Outcome(StrEnum):
    """How an attempt ended."""

    COMPLETED = "completed"
    REVIEW_REQUESTED = "review_requested"
    CHANGES_REQUESTED = "changes_requested"
    BLOCKED = "blocked"
    DEPENDENCY_WAIT = "dependency_wait"
    CHECK_FAILED = "check_failed"
    FAILED = "failed"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    GOAL_BUDGET_SPENT = "goal_budget_spent"
    AUTH_FAILED = "auth_failed"
    PERMISSION_REFUSED = "permission_refused"
    SPAWN_FAILED = "spawn_failed"
    PROTOCOL_VIOLATION = "protocol_violation"
    RATE_LIMITED = "rate_limited"
    STALE = "stale"
    RECLAIMED = "reclaimed"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


class RunEffect(StrEnum):
    """What a rule does to the task's run."""

    KEEP = "keep"
    OPEN = "open"
    SYNTHETIC = "synthetic"  # a zero-length run that keeps the words of who closed the task by hand
    GIVEN = "given"  # closed with the outcome that the settling decided
    COMPLETED = "completed"
    REVIEW_REQUESTED = "review_requested"
    CHANGES_REQUESTED = "changes_requested"
    BLOCKED = "blocked"
    DEPENDENCY_WAIT = "dependency_wait"
    RECLAIMED = "reclaimed"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


class Effect(StrEnum):
    """What else a rule does to the row; each is implemented once, in `kernel/apply.py`."""

    RESET_FAILURES = "reset_failures"
    END_STREAKS = "end_streaks"  # an end of another kind came in between
    SHOW_PROGRESS = "show_progress"  # the worker had something to say, so the quota is no obstacle
    RESET_LOOP = "reset_loop"
    COUNT_LOOP = "count_loop"
    SET_BLOCK = "set_block"
    CLEAR_BLOCK = "clear_block"
    SET_DUE = "set_due"
    CLEAR_DUE = "clear_due"
    SET_FORCE = "set_force"
    CLEAR_FORCE = "clear_force"
    PHASE_WORK = "phase_work"
    PHASE_REVIEW = "phase_review"
    SET_END = "set_end"
    CLEAR_END = "clear_end"
    SET_HANDOFF = "set_handoff"
    REMEMBER = "remember"  # archived_from is the status before
    FORGET = "forget"
    MARK_DECOMPOSED = "mark_decomposed"


class Rule(NamedTuple):
    """One edge of the lifecycle."""

    verb: Verb
    by: By
    source: Status | None
    target: Status | None
    guards: tuple[Guard, ...]
    run: RunEffect
    event: str
    effects: tuple[Effect, ...]


S, V, G, R, E = Status, Verb, Guard, RunEffect, Effect
BOARD, WORKER, PERSON = By.BOARD, By.WORKER, By.PERSON

IDLE = (S.TRIAGE, S.TODO, S.SCHEDULED, S.READY, S.REVIEW, S.BLOCKED)
OPEN = (*IDLE, S.RUNNING)
ENDED = (S.DONE, S.CANCELLED)
EVENT_IS_OUTCOME = "(the outcome)"


class Row(NamedTuple):
    """Rules that differ only in the status that they lead from: one line of the table below."""

    verb: Verb
    by: By
    sources: tuple[Status | None, ...]
    target: Status | None
    guards: tuple[Guard, ...]
    run: RunEffect
    event: str
    effects: tuple[Effect, ...] = ()

    def rules(self) -> list[Rule]:
        """The line's rules, one for each status."""
        rest = self[3:]
        return [Rule(self.verb, self.by, source, *rest) for source in self.sources]


_ENDS = (
    E.RESET_FAILURES,
    E.RESET_LOOP,
    E.CLEAR_BLOCK,
    E.CLEAR_DUE,
    E.CLEAR_FORCE,
    E.SET_END,
    E.SET_HANDOFF,
)
_FREED = (E.RESET_FAILURES, E.CLEAR_BLOCK, E.CLEAR_DUE)
_ANSWERED = (E.CLEAR_BLOCK, E.CLEAR_DUE)
_BLOCKS = (E.SET_BLOCK, E.CLEAR_DUE)
_STOPS = (E.SET_BLOCK, E.CLEAR_DUE, E.CLEAR_FORCE)
_DROPS = (E.CLEAR_BLOCK, E.CLEAR_DUE, E.CLEAR_FORCE, E.SET_END)
_AGAIN = (E.RESET_FAILURES, E.CLEAR_END, E.PHASE_WORK)
_SHAPED = (E.CLEAR_BLOCK, E.RESET_LOOP)
_SAID = (E.END_STREAKS, E.SHOW_PROGRESS)
_TAKEN = (E.END_STREAKS,)
_MINE = (G.HOLDS_RUN,)
_ASKS = (G.WAITS_FOR_PERSON,)
_REVIEWER = (G.HOLDS_RUN, G.ROLE_REVIEWER)

# fmt: off
RULES: tuple[Rule, ...] = tuple(rule for row in (
    #   verb              by      from                 to            only if                               run                  event              and
    Row(V.CREATE,         PERSON, (None,),             S.TRIAGE,     (G.WANTS_TRIAGE,),                    R.KEEP,              "created"),
    Row(V.CREATE,         PERSON, (None,),             S.BLOCKED,    (G.WANTS_BLOCKED,),                   R.KEEP,              "created",         (E.SET_BLOCK,)),
    Row(V.CREATE,         PERSON, (None,),             S.SCHEDULED,  (G.WANTS_SCHEDULED,),                 R.KEEP,              "created",         (E.SET_DUE,)),
    Row(V.CREATE,         PERSON, (None,),             S.READY,      (G.PARENTS_MET,),                     R.KEEP,              "created"),
    Row(V.CREATE,         PERSON, (None,),             S.TODO,       (),                                   R.KEEP,              "created"),

    Row(V.SPECIFY,        PERSON, (S.TRIAGE,),         S.TODO,       (),                                   R.KEEP,              "specified",       _SHAPED),
    Row(V.DECOMPOSE,      PERSON, (S.TRIAGE,),         S.TODO,       (G.UNDECOMPOSED,),                    R.KEEP,              "decomposed",      (*_SHAPED, E.MARK_DECOMPOSED)),

    Row(V.PROMOTE,        BOARD,  (S.TODO,),           S.REVIEW,     (G.PHASE_REVIEW, G.PARENTS_MET),      R.KEEP,              "promoted"),
    Row(V.PROMOTE,        BOARD,  (S.TODO,),           S.READY,      (G.PARENTS_MET,),                     R.KEEP,              "promoted"),
    Row(V.PROMOTE_MANUAL, PERSON, (S.TODO, S.BLOCKED, S.SCHEDULED), S.READY, (G.FORCED,),                  R.KEEP,              "promoted_manual", (*_FREED, E.PHASE_WORK, E.SET_FORCE)),
    Row(V.PROMOTE_MANUAL, PERSON, (S.TODO, S.BLOCKED, S.SCHEDULED), S.READY, (G.PARENTS_MET,),             R.KEEP,              "promoted_manual", (*_FREED, E.PHASE_WORK)),
    Row(V.DEMOTE,         BOARD,  (S.READY,),          S.TODO,       (G.PARENTS_OPEN, G.NOT_FORCED),       R.KEEP,              "demoted"),

    Row(V.SCHEDULE,       PERSON, (S.TRIAGE, S.TODO, S.READY, S.BLOCKED), S.SCHEDULED, (),                 R.KEEP,              "scheduled",       (E.CLEAR_BLOCK, E.SET_DUE)),
    Row(V.SCHEDULE,       PERSON, (S.RUNNING,),        S.SCHEDULED,  (),                                   R.RECLAIMED,         "scheduled",       (*_TAKEN, E.SET_DUE)),
    Row(V.COME_DUE,       BOARD,  (S.SCHEDULED,),      S.REVIEW,     (G.DUE, G.PHASE_REVIEW),              R.KEEP,              "due",             (E.CLEAR_DUE,)),
    Row(V.COME_DUE,       BOARD,  (S.SCHEDULED,),      S.READY,      (G.DUE, G.PARENTS_MET),               R.KEEP,              "due",             (E.CLEAR_DUE,)),
    Row(V.COME_DUE,       BOARD,  (S.SCHEDULED,),      S.TODO,       (G.DUE,),                             R.KEEP,              "due",             (E.CLEAR_DUE,)),

    Row(V.CLAIM,          BOARD,  (S.READY,),          S.RUNNING,    (G.PARENTS_MET,),                     R.OPEN,              "claimed",         (E.CLEAR_DUE, E.PHASE_WORK)),
    Row(V.CLAIM,          BOARD,  (S.REVIEW,),         S.RUNNING,    (),                                   R.OPEN,              "claimed",         (E.CLEAR_DUE,)),

    Row(V.COMPLETE,       WORKER, (S.RUNNING,),        S.DONE,       _MINE,                                R.COMPLETED,         "completed",       _ENDS),
    Row(V.COMPLETE,       PERSON, (S.RUNNING,),        S.DONE,       (),                                   R.SUPERSEDED,        "completed",       _ENDS),
    Row(V.COMPLETE,       PERSON, IDLE,                S.DONE,       (),                                   R.SYNTHETIC,         "completed",       _ENDS),
    Row(V.REQUEST_REVIEW, WORKER, (S.RUNNING,),        S.REVIEW,     (G.HOLDS_RUN, G.ROLE_WORKER),         R.REVIEW_REQUESTED,  "review_requested", (*_SAID, E.PHASE_REVIEW, E.SET_HANDOFF)),
    Row(V.REQUEST_CHANGES, WORKER, (S.RUNNING,),       S.READY,      (*_REVIEWER, G.PARENTS_MET),          R.CHANGES_REQUESTED, "changes_requested", (*_SAID, E.PHASE_WORK)),
    Row(V.REQUEST_CHANGES, WORKER, (S.RUNNING,),       S.TODO,       _REVIEWER,                            R.CHANGES_REQUESTED, "changes_requested", (*_SAID, E.PHASE_WORK)),
    Row(V.REQUEST_CHANGES, PERSON, (S.REVIEW,),        S.READY,      (G.PARENTS_MET,),                     R.KEEP,              "changes_requested", (E.PHASE_WORK,)),
    Row(V.REQUEST_CHANGES, PERSON, (S.REVIEW,),        S.TODO,       (),                                   R.KEEP,              "changes_requested", (E.PHASE_WORK,)),

    Row(V.BLOCK,          WORKER, (S.RUNNING,),        S.TODO,       (G.HOLDS_RUN, G.WAITS_FOR_TASK, G.PARENTS_OPEN), R.DEPENDENCY_WAIT, "dependency_wait", (*_SAID, E.CLEAR_FORCE)),
    Row(V.BLOCK,          WORKER, (S.RUNNING,),        S.TRIAGE,     (*_MINE, *_ASKS, G.LOOP_SPENT),        R.BLOCKED,           "block_loop_detected", (*_SAID, E.SET_BLOCK, E.COUNT_LOOP, E.PHASE_WORK)),
    Row(V.BLOCK,          WORKER, (S.RUNNING,),        S.BLOCKED,    (*_MINE, *_ASKS),                     R.BLOCKED,           "blocked",         (*_SAID, *_BLOCKS, E.COUNT_LOOP)),
    Row(V.BLOCK,          PERSON, (S.RUNNING,),        S.TODO,       (G.WAITS_FOR_TASK, G.PARENTS_OPEN),   R.RECLAIMED,         "dependency_wait", (*_TAKEN, E.CLEAR_FORCE)),
    Row(V.BLOCK,          PERSON, (S.RUNNING,),        S.BLOCKED,    _ASKS,                                R.RECLAIMED,         "blocked",         (*_TAKEN, *_STOPS)),
    Row(V.BLOCK,          PERSON, (S.READY, S.TODO, S.REVIEW), S.BLOCKED, _ASKS,                           R.SYNTHETIC,         "blocked",         _STOPS),
    Row(V.BLOCK,          BOARD,  (S.READY, S.REVIEW), S.BLOCKED,    (G.QUOTA_SPENT,),                     R.KEEP,              "blocked",         _BLOCKS),
    Row(V.BLOCK,          BOARD,  (S.READY, S.TODO),   S.BLOCKED,    (G.ROUNDS_SPENT,),                    R.KEEP,              "blocked",         _BLOCKS),
    Row(V.UNBLOCK,        PERSON, (S.BLOCKED, S.SCHEDULED), S.REVIEW, (G.PHASE_REVIEW,),                   R.KEEP,              "unblocked",       _FREED),
    Row(V.UNBLOCK,        PERSON, (S.BLOCKED, S.SCHEDULED), S.READY, (G.PARENTS_MET,),                     R.KEEP,              "unblocked",       _FREED),
    Row(V.UNBLOCK,        PERSON, (S.BLOCKED, S.SCHEDULED), S.TODO,  (),                                   R.KEEP,              "unblocked",       _FREED),
    Row(V.UNBLOCK,        BOARD,  (S.BLOCKED,),        S.REVIEW,     (G.ANSWERED, G.PHASE_REVIEW),         R.KEEP,              "unblocked",       _ANSWERED),
    Row(V.UNBLOCK,        BOARD,  (S.BLOCKED,),        S.READY,      (G.ANSWERED, G.PARENTS_MET),          R.KEEP,              "unblocked",       _ANSWERED),
    Row(V.UNBLOCK,        BOARD,  (S.BLOCKED,),        S.TODO,       (G.ANSWERED,),                        R.KEEP,              "unblocked",       _ANSWERED),

    Row(V.RELEASE,        BOARD,  (S.RUNNING,),        S.REVIEW,     (*_MINE, G.PHASE_REVIEW),            R.GIVEN,             EVENT_IS_OUTCOME,  (E.SET_DUE,)),
    Row(V.RELEASE,        BOARD,  (S.RUNNING,),        S.READY,      (*_MINE, G.PARENTS_MET),              R.GIVEN,             EVENT_IS_OUTCOME,  (E.SET_DUE,)),
    Row(V.RELEASE,        BOARD,  (S.RUNNING,),        S.TODO,       _MINE,                                R.GIVEN,             EVENT_IS_OUTCOME,  (E.SET_DUE,)),
    Row(V.RELEASE,        PERSON, (S.RUNNING,),        S.REVIEW,     (G.PHASE_REVIEW,),                    R.RECLAIMED,         "reclaimed",       _TAKEN),
    Row(V.RELEASE,        PERSON, (S.RUNNING,),        S.READY,      (G.PARENTS_MET,),                     R.RECLAIMED,         "reclaimed",       _TAKEN),
    Row(V.RELEASE,        PERSON, (S.RUNNING,),        S.TODO,       (),                                   R.RECLAIMED,         "reclaimed",       _TAKEN),
    Row(V.RETRY_LATER,    BOARD,  (S.RUNNING,),        S.SCHEDULED,  _MINE,                                R.GIVEN,             "retry_scheduled", (E.SET_DUE,)),
    Row(V.GIVE_UP,        BOARD,  (S.RUNNING,),        S.BLOCKED,    _MINE,                                R.GIVEN,             "gave_up",         _BLOCKS),

    Row(V.CANCEL,         PERSON, (S.RUNNING,),        S.CANCELLED,  (),                                   R.CANCELLED,         "cancelled",       _DROPS),
    Row(V.CANCEL,         PERSON, IDLE,                S.CANCELLED,  (),                                   R.KEEP,              "cancelled",       _DROPS),
    Row(V.REOPEN,         PERSON, ENDED,               S.READY,      (G.PARENTS_MET,),                     R.KEEP,              "reopened",        _AGAIN),
    Row(V.REOPEN,         PERSON, ENDED,               S.TODO,       (),                                   R.KEEP,              "reopened",        _AGAIN),
    Row(V.ARCHIVE,        PERSON, (S.RUNNING,),        S.ARCHIVED,   (),                                   R.RECLAIMED,         "archived",        (*_TAKEN, E.REMEMBER)),
    Row(V.ARCHIVE,        PERSON, (*IDLE, *ENDED),     S.ARCHIVED,   (),                                   R.KEEP,              "archived",        (E.REMEMBER,)),
    Row(V.UNARCHIVE,      PERSON, (S.ARCHIVED,),       S.TRIAGE,     (G.KEY_FREE, G.WAS_TRIAGE),           R.KEEP,              "unarchived",      (E.FORGET,)),
    Row(V.UNARCHIVE,      PERSON, (S.ARCHIVED,),       S.SCHEDULED,  (G.KEY_FREE, G.WAS_SCHEDULED),        R.KEEP,              "unarchived",      (E.FORGET,)),
    Row(V.UNARCHIVE,      PERSON, (S.ARCHIVED,),       S.BLOCKED,    (G.KEY_FREE, G.WAS_BLOCKED),          R.KEEP,              "unarchived",      (E.FORGET,)),
    Row(V.UNARCHIVE,      PERSON, (S.ARCHIVED,),       S.DONE,       (G.KEY_FREE, G.WAS_DONE),             R.KEEP,              "unarchived",      (E.FORGET,)),
    Row(V.UNARCHIVE,      PERSON, (S.ARCHIVED,),       S.CANCELLED,  (G.KEY_FREE, G.WAS_CANCELLED),        R.KEEP,              "unarchived",      (E.FORGET,)),
    Row(V.UNARCHIVE,      PERSON, (S.ARCHIVED,),       S.REVIEW,     (G.KEY_FREE, G.WAS_REVIEW),           R.KEEP,              "unarchived",      (E.FORGET,)),
    Row(V.UNARCHIVE,      PERSON, (S.ARCHIVED,),       S.REVIEW,     (G.KEY_FREE, G.PHASE_REVIEW, G.PARENTS_MET), R.KEEP,       "unarchived",      (E.FORGET,)),
    Row(V.UNARCHIVE,      PERSON, (S.ARCHIVED,),       S.READY,      (G.KEY_FREE, G.PARENTS_MET),          R.KEEP,              "unarchived",      (E.FORGET,)),
    Row(V.UNARCHIVE,      PERSON, (S.ARCHIVED,),       S.TODO,       (G.KEY_FREE,),                        R.KEEP,              "unarchived",      (E.FORGET,)),
    Row(V.DELETE,         PERSON, (*IDLE, *ENDED, S.ARCHIVED), None, (),                                   R.KEEP,              "deleted"),
) for rule in row.rules())
# fmt: on

EDGES: frozenset[tuple[Status, Status]] = frozenset(
    (rule.source, rule.target)
    for rule in RULES
    if rule.source is not None and rule.target is not None
)
INITIAL: frozenset[Status] = frozenset(
    rule.target for rule in RULES if rule.source is None and rule.target is not None
)

_BY_VERB_AND_SOURCE: dict[tuple[Verb, By, str | None], tuple[Rule, ...]] = {}
for _rule in RULES:
    _place = (_rule.verb, _rule.by, _rule.source)
    _BY_VERB_AND_SOURCE[_place] = (*_BY_VERB_AND_SOURCE.get(_place, ()), _rule)


def rules_for(verb: Verb, by: By, source: str | None) -> tuple[Rule, ...]:
    """The rows for one verb from one status, in the order in which they are tried."""
    return _BY_VERB_AND_SOURCE.get((verb, by, source), ())


def sources_of(verb: Verb, by: By) -> tuple[Status, ...]:
    """The statuses from which a verb has an edge, in the order of the table."""
    found = (rule.source for rule in RULES if rule.verb is verb and rule.by is by)
    return tuple(dict.fromkeys(source for source in found if source is not None))


def verbs_for(status: Status, by: By) -> tuple[Verb, ...]:
    """The verbs that a caller may try on a task in this status: what a menu shows."""
    found = (rule.verb for rule in RULES if rule.source is status and rule.by is by)
    return tuple(dict.fromkeys(found))
