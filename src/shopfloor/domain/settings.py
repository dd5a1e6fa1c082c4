"""What can be set, as frozen dataclasses with their defaults; `shopfloor.config` reads them in.

Every field has its unit in its name, and its words beside it: the reference page is made from both.
A field that ends in `_ms` may be given as a duration without that ending (`max_runtime = "10m"`).
`None` for a profile's cap means "not capped".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from shopfloor.domain import limits

T = TypeVar("T")


def setting(words: str, default: T, *, unset: str | None = None) -> T:
    """A field with its words; `unset` says what holds where None is the default."""
    found: Any = field(default=default, metadata={"words": words, "unset": unset})
    return found  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Profile:
    """A named way to run a worker."""

    name: str
    kind: Literal["command", "cli", "acp"] = setting(
        "A plain `command`, whose exit status is the verdict, or an agent program: `cli`, or `acp` where it "
        "speaks the Agent Client Protocol. A preset says it by itself.",
        "command",
    )
    preset: str | None = setting(
        "The agent program's preset, see [Presets](presets.md).",
        None,
        unset="none; a plain command",
    )
    program: str | None = setting(
        "The agent program's path, if it is not found by its name.", None, unset="the preset's"
    )
    description: str = setting("For people, and for who picks a profile for a task.", "")
    argv: tuple[str, ...] = setting(
        "A command: the program and its arguments, required. An agent: arguments beside the preset's.",
        (),
    )
    model: str | None = setting(
        "The model; a task's own goes first.", None, unset="the program's own choice"
    )
    provider: str | None = setting(
        "The model's provider, for programs that ask for it.",
        None,
        unset="the program's own choice",
    )
    account: str | None = setting(
        "Whose quota its runs use: profiles with the same account wait together.",
        None,
        unset="the profile's name",
    )
    skills: tuple[str, ...] = setting("Skills that each of its workers is pointed to.", ())
    required_skills: tuple[str, ...] = setting(
        "Skills that a task must name for this profile to be chosen for it.", ()
    )
    permissions: Literal["auto", "ask", "refuse"] = setting(
        "What the program may do unasked: all that its task needs, what a person allows (`acp` only), or only "
        "what it allows itself.",
        "auto",
    )
    orchestrator: bool = setting("Its workers get the tools that route tasks.", False)
    workdir: str | None = setting(
        "The folder its workers start in, below the workspace.", None, unset="the workspace"
    )
    max_turns: int | None = setting(
        "The program's own limit of steps within one prompt.", None, unset="the program's own"
    )
    reminders: int = setting(
        "How often an agent that ended without a verdict is asked for one, at most 2.", 2
    )
    quota_wait_ms: int = setting(
        "How long a run waits for its provider's limit to end before it gives its slot back.",
        limits.QUOTA_WAIT_S * 1000,
    )
    tokens_per_run: int | None = setting("Tokens that one run may use.", None, unset="no limit")
    cost_per_run: float | None = setting("US dollars that one run may use.", None, unset="no limit")
    tokens_per_day: int | None = setting(
        "Tokens that all its runs may use in a day.", None, unset="no limit"
    )
    cost_per_day: float | None = setting(
        "US dollars that all its runs may use in a day.", None, unset="no limit"
    )
    pass_env: tuple[str, ...] = setting(
        "Names of variables that its workers get from the dispatcher's own environment; their values are "
        "masked in logs.",
        (),
    )
    env: dict[str, str] = field(
        default_factory=dict,
        metadata={"words": "Variables of its workers, beside the few that all get.", "unset": None},
    )
    secrets: tuple[str, ...] = setting(
        "Names in `env` whose values `shop profile` keeps to itself.", ()
    )
    cap: int | None = setting(
        'At most so many runs at once; 0 or `"none"` is no cap, with a warning.',
        None,
        unset="not capped",
    )
    max_runtime_ms: int | None = setting(
        "Stop an attempt after so long; a task's own limit goes first.", None, unset="no limit"
    )
    failure_limit: int | None = setting(
        "Failures in a row after which a task is given up.", None, unset="the board's"
    )
    backoff_ms: int | None = setting(
        "How long the first retry waits; each further one twice as long, at most an hour.",
        None,
        unset="retries start at once",
    )
    grace_ms: int = setting("The time between SIGTERM and SIGKILL.", limits.STOP_GRACE_MS)
    leave_grace_ms: int = setting(
        "How long a worker may live on after its verdict.", limits.LEAVE_GRACE_MS
    )
    stale_timeout_ms: int = setting(
        "End a run after so long if it gave no sign of life within `heartbeat_timeout`; 0 is never. An "
        "agent's is 4 h where none is set.",
        0,
    )

    @property
    def is_agent(self) -> bool:
        """Whether its workers are agents, whose exit status proves nothing."""
        return self.kind != "command"


@dataclass(frozen=True, slots=True)
class Dispatch:
    """How a board's tasks are started and how their ends are judged.

    `cap` counts the whole board; `host_cap` this host alone: 0 is no cap, and unset it is what the
    machine takes safely.
    """

    cap: int | None = setting(
        'At most so many runs at once on the board; 0 or `"none"` is no cap, with a warning.',
        None,
        unset="what `host_cap` says",
    )
    host_cap: int | None = setting(
        "At most so many runs at once on this host; 0 is no cap.",
        None,
        unset="by cores and memory, if `cap` is unset too",
    )
    default_assignee: str | None = setting(
        "The profile that takes ready tasks without assignee and command.",
        None,
        unset="they wait, as `unassigned`",
    )
    review: Literal["profile", "person"] = setting(
        "Who reviews: the profile `reviewer`, or a person.", "profile"
    )
    reviewer: str | None = setting("The profile that reviews.", None, unset="a person reviews")
    failure_limit: int = setting(
        "Failures in a row after which a task is given up; a task's and a profile's limit go first.",
        limits.FAILURE_LIMIT,
    )
    block_recurrence_limit: int = setting(
        "Blocks of the same kind, without an answer, after which the next goes to triage.",
        limits.BLOCK_RECURRENCE_LIMIT,
    )
    quota_rounds_limit: int = setting(
        "Rate-limited attempts in a row after which a task is blocked.", limits.QUOTA_ROUNDS_LIMIT
    )
    rate_limit_cooldown_ms: int = setting(
        "How long a task waits after exit status 75.", limits.RATE_LIMIT_COOLDOWN_MS
    )
    recent_success_ms: int = setting(
        "How long a task that completed is kept from starting again, unless a person touched it.",
        limits.RECENT_SUCCESS_MS,
    )
    heartbeat_timeout_ms: int = setting(
        "How long a run may be silent once its stale timeout is over.", limits.HEARTBEAT_TIMEOUT_MS
    )
    guard_active_pr: bool = setting(
        "Hold a task back while a comment of the last day links a pull request.",
        False,
    )
    check_runtime_ms: int = setting("How long a task's check may take.", limits.CHECK_RUNTIME_MS)
    lease_ms: int | None = setting(
        "How long a run is this host's without being renewed.",
        None,
        unset="15 min on SQLite, 60 s on PostgreSQL",
    )
    poll_ms: int = setting(
        "How long the dispatcher sleeps at most when nothing wakes it.", limits.POLL_FLOOR_MS
    )


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what ended is kept, in days; 0 keeps for ever."""

    events_days: int = setting("`shop gc` forgets older events of ended tasks.", 0)
    logs_days: int = setting("`shop gc` deletes older logs.", 0)


@dataclass(frozen=True, slots=True)
class Planner:
    """The model that plans and judges; without this table nothing calls one."""

    provider: str = setting("Who serves the model: `openai`, `anthropic`, `google` and others.", "")
    model: str = setting("The model's name. Required.", "")
    base_url: str | None = setting(
        "An address that speaks the provider's protocol.", None, unset="the provider's own"
    )
    api_key_env: str | None = setting(
        "The variable of `shop up`'s environment that holds the key.", None, unset="the provider's"
    )
    timeout_ms: int = setting("How long one call may take.", limits.PLANNER_TIMEOUT_MS)
    auto_decompose: bool = setting("Decompose tasks in triage without being asked.", False)
    per_pass: int = setting("At most so many are decomposed in one pass.", limits.PLANNED_PER_PASS)
    attempts_per_task: int = setting(
        "Calls for one task by itself after which a person is needed.", limits.PLANNING_ATTEMPTS
    )
    max_tokens: int = setting("The longest answer of one call.", limits.PLANNER_TOKENS_MAX)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings that one board sees."""

    dispatch: Dispatch = Dispatch()
    retention: Retention = Retention()
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    planner: Planner | None = None
    labels: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
