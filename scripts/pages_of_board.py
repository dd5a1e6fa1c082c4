"""The reference pages about a board: its lifecycle, outcomes, events, errors, settings and tables.

The few words that stand here say what no code can; a page that lacks words for something new fails
instead of leaving it out.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec
from page import page, span, table

from shopfloor.domain import (
    events,
    limits,
    settings,
    settings_chat,
    settings_hooks,
    settings_notify,
    settings_runtime,
    settings_web,
)
from shopfloor.domain.errors import BoardError
from shopfloor.domain.lifecycle import (
    EDGES,
    EVENT_IS_OUTCOME,
    RULES,
    Effect,
    Guard,
    Outcome,
    Rule,
    RunEffect,
)
from shopfloor.domain.outcomes import COUNTED, WORKERS_OWN, Case, Counters, Limits, Next, judge
from shopfloor.store import migrate
from shopfloor.store.statements import Dialect, ddl

# What each condition and each effect of the lifecycle's table means.
GUARDS = {
    Guard.PARENTS_MET: "no parent is open, or the task was promoted by force",
    Guard.PARENTS_OPEN: "a parent is open",
    Guard.HOLDS_RUN: "the caller has the number and token of the task's open run",
    Guard.ROLE_WORKER: "that run implements",
    Guard.ROLE_REVIEWER: "that run reviews",
    Guard.PHASE_REVIEW: "the task is under review",
    Guard.DUE: "its time has come",
    Guard.WAITS_FOR_TASK: "the block is of kind dependency",
    Guard.WAITS_FOR_PERSON: "the block is of another kind",
    Guard.LOOP_SPENT: "the same kind of block came back too often without an answer",
    Guard.FORCED: "the person said --force",
    Guard.NOT_FORCED: "nobody promoted it by force",
    Guard.UNDECOMPOSED: "it was not decomposed before",
    Guard.QUOTA_SPENT: "its provider account gave no answer in as many rounds as there may be",
    Guard.ROUNDS_SPENT: "its reviewer has sent it back too often, and no person acted in between",
    Guard.ANSWERED: "the default that its worker set was the answer to its question",
    Guard.KEY_FREE: "no other task holds its idempotency key",
    Guard.WANTS_TRIAGE: "created with --initial-status triage",
    Guard.WANTS_SCHEDULED: "created with a time, or with --initial-status scheduled",
    Guard.WANTS_BLOCKED: "created with --initial-status blocked",
    Guard.WAS_TRIAGE: "archived from triage",
    Guard.WAS_SCHEDULED: "archived from scheduled",
    Guard.WAS_REVIEW: "archived from review",
    Guard.WAS_BLOCKED: "archived from blocked",
    Guard.WAS_DONE: "archived from done",
    Guard.WAS_CANCELLED: "archived from cancelled",
}
EFFECTS = {
    Effect.RESET_FAILURES: "all counts of failures go back to zero",
    Effect.END_STREAKS: "stale ends and ends without a verdict are no longer in a row",
    Effect.SHOW_PROGRESS: "the rate-limited rounds are counted anew",
    Effect.RESET_LOOP: "the count of blocks goes back to zero",
    Effect.COUNT_LOOP: "one more block of this kind",
    Effect.SET_BLOCK: "kind and reason of the block are kept",
    Effect.CLEAR_BLOCK: "they are cleared",
    Effect.SET_DUE: "the time before which it does not start is set, or cleared where there is none",
    Effect.CLEAR_DUE: "that time is cleared",
    Effect.SET_FORCE: "parents do not matter until the task ends, or a person stops it or links it",
    Effect.CLEAR_FORCE: "parents matter again",
    Effect.PHASE_WORK: "the task is to be worked on",
    Effect.PHASE_REVIEW: "the task is to be reviewed",
    Effect.SET_END: "the time of the end is kept",
    Effect.CLEAR_END: "it is cleared",
    Effect.SET_HANDOFF: "summary, result and metadata are kept with the task",
    Effect.REMEMBER: "the status before is kept",
    Effect.FORGET: "it is cleared",
    Effect.MARK_DECOMPOSED: "it cannot be decomposed again",
}
# When an attempt ends like this, in the reader's words.
WHEN = {
    Outcome.COMPLETED: "a command exited 0, or the worker said so",
    Outcome.REVIEW_REQUESTED: "the worker handed the task to a reviewer",
    Outcome.CHANGES_REQUESTED: "the reviewer sent it back",
    Outcome.BLOCKED: "the worker said what it lacks",
    Outcome.DEPENDENCY_WAIT: "the worker waits for another task",
    Outcome.CHECK_FAILED: "the task's check exited with another status than 0",
    Outcome.FAILED: "a command exited with another status than 0 and 75, or an artifact is missing",
    Outcome.CRASHED: "the worker was killed by a signal, or vanished while the host stayed up",
    Outcome.TIMED_OUT: "the maximum runtime was over",
    Outcome.GOAL_BUDGET_SPENT: "an agent used all its goal turns",
    Outcome.AUTH_FAILED: "an agent's provider refused the login",
    Outcome.PERMISSION_REFUSED: "an agent's own policy refused what it needed",
    Outcome.SPAWN_FAILED: "workspace, profile or program could not be had",
    Outcome.PROTOCOL_VIOLATION: "an agent left without a verdict",
    Outcome.RATE_LIMITED: "the worker exited 75: later, please",
    Outcome.STALE: "no sign of life for too long, where a stale timeout is set",
    Outcome.RECLAIMED: "taken back by a person, by a lost lease or a restart of the host, or never started",
    Outcome.SUPERSEDED: "done by hand meanwhile, or the worker found that it is not wanted",
    Outcome.CANCELLED: "a person cancelled the task",
}
# Where a task goes when a person or the worker itself ended the attempt.
GOES_TO = {
    Outcome.COMPLETED: "done",
    Outcome.REVIEW_REQUESTED: "review",
    Outcome.CHANGES_REQUESTED: "ready",
    Outcome.BLOCKED: "blocked; the same again and again: triage",
    Outcome.DEPENDENCY_WAIT: "todo",
    Outcome.SUPERSEDED: "done by hand: done; otherwise its queue",
    Outcome.CANCELLED: "cancelled",
}


def lifecycle() -> str:
    """The states, the picture and the whole table."""
    edges = sorted(EDGES)
    verbs = {
        edge: sorted({rule.verb.value for rule in RULES if (rule.source, rule.target) == edge})
        for edge in edges
    }
    picture = [
        f"    {source.value} --> {target.value}: {', '.join(verbs[source, target])}"
        for source, target in edges
        if "archived" not in (source, target)
    ]
    first = sorted({rule.target.value for rule in RULES if rule.source is None and rule.target})
    rows = [_rule_row(group) for group in _alike(RULES)]
    return page(
        "Lifecycle",
        "The table of `domain/lifecycle.py`: the kernel executes it, the database's trigger refuses every"
        " edge that is not in it, and the model tests draw their moves from it. Rows of the same verb,"
        " caller and status are tried in order; the first whose conditions all hold is taken.",
        f"A task begins as {', '.join(first)}. Archived tasks come back to the status they had; these edges"
        " are left out of the picture.",
        "\n".join(["```mermaid", "stateDiagram-v2", *picture, "```"]),
        "## The table",
        table(("verb", "by", "from", "to", "only if", "the run", "event", "and"), rows),
        "## Conditions",
        table(("only if", "means"), [(one, GUARDS[one]) for one in Guard]),
        "## Effects",
        table(("and", "means"), [(one, EFFECTS[one]) for one in Effect]),
    )


def _alike(rules: Iterable[Rule]) -> list[list[Rule]]:
    """Neighbours that differ in their source alone, as one row."""
    grouped = groupby(rules, key=lambda rule: rule._replace(source=None))
    return [list(group) for _, group in grouped]


def _rule_row(group: Sequence[Rule]) -> tuple[str, ...]:
    rule = group[0]
    sources = ", ".join("(new)" if one.source is None else one.source.value for one in group)
    run = {RunEffect.KEEP: "", RunEffect.GIVEN: "ends as judged", RunEffect.OPEN: "opens"}.get(
        rule.run, f"ends as {rule.run.value}"
    )
    if rule.run is RunEffect.SYNTHETIC:
        run = "one of no length"
    return (
        rule.verb.value,
        rule.by.value,
        sources,
        rule.target.value if rule.target else "gone",
        ", ".join(rule.guards),
        run,
        "the outcome" if rule.event == EVENT_IS_OUTCOME else f"`{rule.event}`",
        ", ".join(rule.effects),
    )


def outcomes() -> str:
    """How an attempt can end, and what follows."""
    rows = [(f"`{one}`", WHEN[one], _counts(one), _goes_to(one)) for one in Outcome]
    return page(
        "Outcomes",
        "Every attempt ends with exactly one of these. What is not the worker's own word is judged by one"
        " function, `judge` of `domain/outcomes.py`; the last column is what it answers with the"
        " default limits. *Its queue* is ready, for a review review, and todo while a parent is open.",
        table(("outcome", "when", "counts to the failure limit", "the task goes to"), rows),
        f"The failure limit is the task's, else its profile's, else the board's, else {limits.FAILURE_LIMIT}."
        " Work and review count separately. A success or a person sets the count back to zero, nothing else.",
    )


def _counts(outcome: Outcome) -> str:
    if outcome is Outcome.GOAL_BUDGET_SPENT:
        return "blocks at once"
    streaks = {
        Outcome.PROTOCOL_VIOLATION: f"own streak, limit {limits.PROTOCOL_VIOLATION_LIMIT}",
        Outcome.STALE: f"own streak, limit {limits.STALE_LIMIT}",
        Outcome.RATE_LIMITED: f"own streak, limit {limits.QUOTA_ROUNDS_LIMIT}",
        Outcome.COMPLETED: "sets it to zero",
    }
    return streaks.get(outcome, "yes" if outcome in COUNTED else "no")


def _goes_to(outcome: Outcome) -> str:
    if outcome in WORKERS_OWN or outcome in GOES_TO:
        return GOES_TO[outcome]
    first = judge(Case(outcome, None, Counters(), Limits()))
    if first.next is Next.GIVE_UP:
        return f"blocked ({first.block_kind})"
    words = "its queue" if first.wait_ms is None else f"its queue, after {span(first.wait_ms)}"
    late = judge(Case(outcome, None, Counters(99, 99, 99, 99), Limits()))
    return f"{words}; at the limit blocked ({late.block_kind})" if late.block_kind else words


def errors() -> str:
    """The tree of errors with what each surface makes of it."""
    rows = [
        (f"`{kind.code}`", above, str(kind.http), str(kind.exit), (kind.__doc__ or "").strip())
        for kind, above in _below(BoardError)
    ]
    return page(
        "Errors",
        "A request ends with its effect, or with one of these and none. The JSON is the same on every"
        ' surface: `{"error": {"code", "message", "detail"}}`. A message says what was tried, what is so, and'
        " what would work.",
        table(("code", "a kind of", "HTTP", "exit", "means"), rows),
        "`shop` also exits 70 after a mistake of its own, 130 when interrupted and 141 when nobody reads its"
        " output.",
    )


def _below(kind: type[BoardError]) -> list[tuple[type[BoardError], str]]:
    above = "" if kind is BoardError else f"`{kind.code}`"
    return [pair for child in kind.__subclasses__() for pair in ((child, above), *_below(child))]


def event_kinds() -> str:
    """Every kind of event with what it carries."""
    after: dict[str, list[str]] = {}
    for rule in RULES:
        if rule.target is not None:
            after.setdefault(rule.event, []).append(rule.target.value)
    rows = [
        (
            f"`{name}`",
            kind.words,
            ", ".join(f"`{field}`" for field in kind.data),
            ", ".join(dict.fromkeys(after.get(name, ()))),
        )
        for name, kind in sorted(events.KINDS.items())
    ]
    return page(
        "Events",
        "Events are append-only and numbered in the order of the commits. Each has the task, the run, the actor,"
        " the time, and `data`; `status` is the task's status from then on, where the event changed it. An"
        " attempt that ended without a verdict writes its outcome's name.",
        table(("kind", "says", "data", "status after it"), rows),
    )


def setting_fields() -> str:
    """Every setting with its default."""
    parts: list[str] = []
    for title, kind in (
        ("[dispatch]", settings.Dispatch),
        ("[profiles.NAME]", settings.Profile),
        ("[planner]", settings.Planner),
        ("[retention]", settings.Retention),
        ("[web]", settings_web.Web),
        ("[runtime]", settings_runtime.Runtimes),
        ("[chat.telegram]", settings_chat.Telegram),
        ("[notify]", settings_notify.Notify),
        ("[sinks.NAME]", settings_notify.Sink),
        ("[hooks.NAME]", settings_hooks.Hook),
    ):
        rows = [_setting(field) for field in settings.fields(kind)]
        words = " ".join((kind.__doc__ or "").split())
        parts += [f"## {title}", words, table(("setting", "default", "what"), rows)]
    return page(
        "Settings",
        "`config.toml` in the home is read again when it changes. An unknown setting is refused with the"
        " nearest known one. Durations are written as `90s`, `10m`, `1h30m` or `2d`; a plain number is seconds."
        " `[boards.NAME]` overrides `[dispatch]` for one board; `labels` is a list of words about this host.",
        *parts,
        "## Environment",
        table(
            ("variable", "what"),
            (
                ("`SHOPFLOOR_HOME`", "the home, instead of the user's data folder"),
                ("`SHOPFLOOR_BOARD`", "the board that commands use where none is named"),
                (
                    "`SHOPFLOOR_HOST`",
                    "this machine's name on shared boards, instead of its node name",
                ),
                (
                    "`SHOPFLOOR_URL`, `SHOPFLOOR_URL_TOKEN`",
                    "the address of boards on another machine, and the token for it; as `--url` and `--token`",
                ),
                (
                    "`SHOPFLOOR_TASK`, `_RUN`, `_TOKEN`",
                    "set by the dispatcher for workers; never by hand",
                ),
                (
                    "`NO_COLOR`, `FORCE_COLOR`",
                    "no colours, or colours also where the output is no terminal",
                ),
            ),
        ),
    )


def _setting(field: settings.Field) -> tuple[str, str, str]:
    unset = field.unset or ""
    if field.name.endswith("_ms"):
        default = unset if field.default is None else span(field.default)
        return f"`{field.name.removesuffix('_ms')}`", default, field.words
    return f"`{field.name}`", unset if field.default is None else _shown(field.default), field.words


def _shown(value: object) -> str:
    return "empty" if value in ("", (), {}) else f"`{msgspec.json.encode(value).decode()}`"


def schema() -> str:
    """The tables, as each database gets them."""
    parts: list[str] = []
    dialects: tuple[tuple[str, Dialect], ...] = (("SQLite", "sqlite"), ("PostgreSQL", "postgres"))
    for title, dialect in dialects:
        text = "\n".join(ddl(step.text, dialect).strip() for step in migrate.steps())
        parts += [f"## {title}", f"```sql\n{text}\n```"]
    return page(
        "Schema",
        "What the schema steps of `store/migrations` make, in both databases. Read it freely; write through"
        " `shop` only. Times are milliseconds since the epoch in UTC, lists and mappings are JSON text.",
        *parts,
    )
