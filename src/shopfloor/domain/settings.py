"""What can be set, with its defaults; `shopfloor.config` reads it in.

Every field has its unit in its name, and its words beside it: the reference page is made from both.
A field that ends in `_ms` may be given as a duration without that ending (`max_runtime = "10m"`).
`None` for a profile's cap means "not capped".

Plain tuples, because every command without a daemon makes them; the annotations are read by who needs
the words or the types (`fields`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, get_type_hints

from shopfloor.domain import limits
from shopfloor.domain.settings_chat import Telegram
from shopfloor.domain.settings_hooks import Hook
from shopfloor.domain.settings_notify import Notify, Sink
from shopfloor.domain.settings_runtime import Runtimes
from shopfloor.domain.settings_web import Web
from shopfloor.domain.words import Words


class Field(NamedTuple):
    """One thing that can be set."""

    name: str
    type: Any
    default: Any
    words: str
    unset: str | None


class Profile(NamedTuple):
    """A named way to run a worker."""

    name: str
    kind: Annotated[
        Literal["command", "cli", "acp"],
        Words(
            "A plain `command`, whose exit status is the verdict, or an agent program: `cli`, or `acp` where it "
            "speaks the Agent Client Protocol. A preset says it by itself."
        ),
    ] = "command"
    preset: Annotated[
        str | None,
        Words("The agent program's preset, see [Presets](presets.md).", "none; a plain command"),
    ] = None
    program: Annotated[
        str | None,
        Words("The agent program's path, if it is not found by its name.", "the preset's"),
    ] = None
    description: Annotated[str, Words("For people, and for who picks a profile for a task.")] = ""
    argv: Annotated[
        tuple[str, ...],
        Words(
            "A command: the program and its arguments, required. An agent: arguments beside the preset's."
        ),
    ] = ()
    model: Annotated[
        str | None, Words("The model; a task's own goes first.", "the program's own choice")
    ] = None
    provider: Annotated[
        str | None,
        Words("The model's provider, for programs that ask for it.", "the program's own choice"),
    ] = None
    account: Annotated[
        str | None,
        Words(
            "Whose quota its runs use: profiles with the same account wait together.",
            "the profile's name",
        ),
    ] = None
    skills: Annotated[tuple[str, ...], Words("Skills that each of its workers is pointed to.")] = ()
    required_skills: Annotated[
        tuple[str, ...], Words("Skills that a task must name for this profile to be chosen for it.")
    ] = ()
    permissions: Annotated[
        Literal["auto", "ask", "refuse"],
        Words(
            "What the program may do unasked: all that its task needs, what a person allows (`acp` only), or only "
            "what it allows itself."
        ),
    ] = "auto"
    orchestrator: Annotated[bool, Words("Its workers get the tools that route tasks.")] = False
    workdir: Annotated[
        str | None, Words("The folder its workers start in, below the workspace.", "the workspace")
    ] = None
    max_turns: Annotated[
        int | None,
        Words("The program's own limit of steps within one prompt.", "the program's own"),
    ] = None
    reminders: Annotated[
        int, Words("How often an agent that ended without a verdict is asked for one, at most 2.")
    ] = 2
    quota_wait_ms: Annotated[
        int,
        Words(
            "How long a run waits for its provider's limit to end before it gives its slot back."
        ),
    ] = limits.QUOTA_WAIT_S * 1000
    tokens_per_run: Annotated[int | None, Words("Tokens that one run may use.", "no limit")] = None
    cost_per_run: Annotated[float | None, Words("US dollars that one run may use.", "no limit")] = (
        None
    )
    tokens_per_day: Annotated[
        int | None, Words("Tokens that all its runs may use in a day.", "no limit")
    ] = None
    cost_per_day: Annotated[
        float | None, Words("US dollars that all its runs may use in a day.", "no limit")
    ] = None
    pass_env: Annotated[
        tuple[str, ...],
        Words(
            "Names of variables that its workers get from the dispatcher's own environment; their values are "
            "masked in logs."
        ),
    ] = ()
    env: Annotated[
        Mapping[str, str], Words("Variables of its workers, beside the few that all get.")
    ] = MappingProxyType({})
    secrets: Annotated[
        tuple[str, ...], Words("Names in `env` whose values `shop profile` keeps to itself.")
    ] = ()
    runtime: Annotated[
        str | None,
        Words(
            "Where a command runs: `host`, or `container:IMAGE`; a task's own word goes first.",
            "the host",
        ),
    ] = None
    mounts: Annotated[
        tuple[str, ...],
        Words(
            "What its containers see: `/path`, `/host:/inside` or `/host:/inside:ro`, beside the workspace."
        ),
    ] = ()
    memory: Annotated[
        str | None, Words("At most so much memory in a container, such as `512m`.", "no limit")
    ] = None
    cpus: Annotated[
        float | None,
        Words("At most so many processors in a container, such as 1.5.", "no limit"),
    ] = None
    pids: Annotated[int | None, Words("At most so many processes in a container.", "no limit")] = (
        None
    )
    cap: Annotated[
        int | None,
        Words(
            'At most so many runs at once; 0 or `"none"` is no cap, with a warning.', "not capped"
        ),
    ] = None
    max_runtime_ms: Annotated[
        int | None,
        Words("Stop an attempt after so long; a task's own limit goes first.", "no limit"),
    ] = None
    failure_limit: Annotated[
        int | None, Words("Failures in a row after which a task is given up.", "the board's")
    ] = None
    backoff_ms: Annotated[
        int | None,
        Words(
            "How long the first retry waits; each further one twice as long, at most an hour.",
            "retries start at once",
        ),
    ] = None
    grace_ms: Annotated[int, Words("The time between SIGTERM and SIGKILL.")] = limits.STOP_GRACE_MS
    leave_grace_ms: Annotated[int, Words("How long a worker may live on after its verdict.")] = (
        limits.LEAVE_GRACE_MS
    )
    stale_timeout_ms: Annotated[
        int,
        Words(
            "End a run after so long if it gave no sign of life within `heartbeat_timeout`; 0 is never. An "
            "agent's is 4 h where none is set."
        ),
    ] = 0

    @property
    def is_agent(self) -> bool:
        """Whether its workers are agents, whose exit status proves nothing."""
        return self.kind != "command"


class Dispatch(NamedTuple):
    """How a board's tasks are started and how their ends are judged.

    `cap` counts the whole board; `host_cap` this host alone: 0 is no cap, and unset it is what the
    machine takes safely.
    """

    cap: Annotated[
        int | None,
        Words(
            'At most so many runs at once on the board; 0 or `"none"` is no cap, with a warning.',
            "what `host_cap` says",
        ),
    ] = None
    host_cap: Annotated[
        int | None,
        Words(
            "At most so many runs at once on this host; 0 is no cap.",
            "by cores and memory, if `cap` is unset too",
        ),
    ] = None
    default_assignee: Annotated[
        str | None,
        Words(
            "The profile that takes ready tasks without assignee and command.",
            "they wait, as `unassigned`",
        ),
    ] = None
    review: Annotated[
        Literal["profile", "person"], Words("Who reviews: the profile `reviewer`, or a person.")
    ] = "profile"
    reviewer: Annotated[str | None, Words("The profile that reviews.", "a person reviews")] = None
    review_rounds_limit: Annotated[
        int,
        Words(
            "How often the reviewer may send a task back, since a person last acted on it, before it is blocked."
        ),
    ] = limits.REVIEW_ROUNDS_LIMIT
    failure_limit: Annotated[
        int,
        Words(
            "Failures in a row after which a task is given up; a task's and a profile's limit go first."
        ),
    ] = limits.FAILURE_LIMIT
    block_recurrence_limit: Annotated[
        int,
        Words("Blocks of the same kind, without an answer, after which the next goes to triage."),
    ] = limits.BLOCK_RECURRENCE_LIMIT
    quota_rounds_limit: Annotated[
        int, Words("Rate-limited attempts in a row after which a task is blocked.")
    ] = limits.QUOTA_ROUNDS_LIMIT
    rate_limit_cooldown_ms: Annotated[int, Words("How long a task waits after exit status 75.")] = (
        limits.RATE_LIMIT_COOLDOWN_MS
    )
    recent_success_ms: Annotated[
        int,
        Words(
            "How long a task that completed is kept from starting again, unless a person touched it."
        ),
    ] = limits.RECENT_SUCCESS_MS
    heartbeat_timeout_ms: Annotated[
        int, Words("How long a run may be silent once its stale timeout is over.")
    ] = limits.HEARTBEAT_TIMEOUT_MS
    guard_active_pr: Annotated[
        bool, Words("Hold a task back while a comment of the last day links a pull request.")
    ] = False
    check_runtime_ms: Annotated[int, Words("How long a task's check may take.")] = (
        limits.CHECK_RUNTIME_MS
    )
    tokens_per_day: Annotated[
        int | None,
        Words("Tokens that all agents of the board may use in a day (UTC).", "no limit"),
    ] = None
    cost_per_day: Annotated[
        float | None,
        Words("US dollars that all agents of the board may use in a day (UTC).", "no limit"),
    ] = None
    lease_ms: Annotated[
        int | None,
        Words(
            "How long a run is this host's without being renewed.",
            "15 min on SQLite, 60 s on PostgreSQL",
        ),
    ] = None
    poll_ms: Annotated[
        int, Words("How long the dispatcher sleeps at most when nothing wakes it.")
    ] = limits.POLL_FLOOR_MS


class Retention(NamedTuple):
    """How long what ended is kept, in days; 0 keeps for ever."""

    events_days: Annotated[int, Words("`shop gc` forgets older events of ended tasks.")] = 0
    logs_days: Annotated[int, Words("`shop gc` deletes older logs.")] = 0


class Planner(NamedTuple):
    """The model that plans and judges; without this table nothing calls one."""

    provider: Annotated[
        str, Words("Who serves the model: `openai`, `anthropic`, `google` and others.")
    ] = ""
    model: Annotated[str, Words("The model's name. Required.")] = ""
    base_url: Annotated[
        str | None, Words("An address that speaks the provider's protocol.", "the provider's own")
    ] = None
    api_key_env: Annotated[
        str | None,
        Words("The variable of `shop up`'s environment that holds the key.", "the provider's"),
    ] = None
    timeout_ms: Annotated[int, Words("How long one call may take.")] = limits.PLANNER_TIMEOUT_MS
    auto_decompose: Annotated[bool, Words("Decompose tasks in triage without being asked.")] = False
    per_pass: Annotated[int, Words("At most so many are decomposed in one pass.")] = (
        limits.PLANNED_PER_PASS
    )
    attempts_per_task: Annotated[
        int, Words("Calls for one task by itself after which a person is needed.")
    ] = limits.PLANNING_ATTEMPTS
    max_tokens: Annotated[int, Words("The longest answer of one call.")] = limits.PLANNER_TOKENS_MAX


class Settings(NamedTuple):
    """All settings that one board sees."""

    dispatch: Dispatch = Dispatch()
    retention: Retention = Retention()
    profiles: Mapping[str, Profile] = MappingProxyType({})
    planner: Planner | None = None
    web: Web = Web()
    telegram: Telegram | None = None
    notify: Notify = Notify()
    sinks: Mapping[str, Sink] = MappingProxyType({})
    runtime: Runtimes = Runtimes()
    hooks: Mapping[str, Hook] = MappingProxyType({})
    labels: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def fields(kind: Any) -> list[Field]:
    """What can be set in one table of the configuration, in the order of the reference page."""
    found = []
    for name, hint in get_type_hints(kind, include_extras=True).items():
        said = [note for note in getattr(hint, "__metadata__", ()) if isinstance(note, Words)]
        if said:
            found.append(Field(name, hint, kind._field_defaults[name], *said[0]))
    return found


def durations(kind: Any) -> dict[str, str]:
    """The fields that are durations, by the names that they have without their unit."""
    names = (field.name for field in fields(kind))
    return {name.removesuffix("_ms"): name for name in names if name.endswith("_ms")}
