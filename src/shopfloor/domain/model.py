"""The rows of a board, as the database holds them.

A row is a tuple with names: the fields stand in the order of the table's columns, so that a row
of `SELECT *` becomes a `Task` without a copy per field (a test compares the two).  Times are
milliseconds since the epoch in UTC; lists and mappings travel as JSON text and are opened by those
who need them.
"""

from typing import NamedTuple, NewType

TaskId = NewType("TaskId", int)
RunId = NewType("RunId", int)


class Task(NamedTuple):
    """A unit of work."""

    id: int
    rev: int
    status: str
    phase: str
    title: str
    body: str
    assignee: str | None
    priority: int
    tenant: str | None
    creator: str
    session_id: str | None
    skills: str
    model: str | None
    provider: str | None
    template_id: str | None
    step_key: str | None
    origin_id: int | None
    idempotency_key: str | None
    command: str | None
    check_command: str | None
    artifacts: str
    start_after: str
    max_runtime_ms: int | None
    max_attempts: int | None
    backoff: str | None
    goal: int
    goal_turns: int | None
    workspace_kind: str
    workspace_path: str | None
    branch: str | None
    not_before: int | None
    forced_at: int | None
    decomposed_at: int | None
    current_run: int | None
    attempts: int
    failures_work: int
    failures_review: int
    violations: int
    stale_streak: int
    quota_rounds: int
    block_kind: str | None
    block_reason: str | None
    loop_kind: str | None
    loop_count: int
    archived_from: str | None
    last_error: str | None
    summary: str | None
    result: str | None
    metadata: str | None
    created_at: int
    changed_at: int
    touched_at: int
    started_at: int | None
    ended_at: int | None
    succeeded_at: int | None
    lane: str


class Run(NamedTuple):
    """One attempt at a task.  It has two ends: the ledger's (`ended_at`) and the processes' (`gone_at`)."""

    id: int
    task_id: int
    role: str
    attempt: int
    profile: str | None
    host: str
    boot_id: str | None
    pid: int | None
    pid_start: int | None
    token: str
    lease_until: int | None
    claimed_at: int
    started_at: int | None
    heartbeat_at: int | None
    heartbeat_note: str | None
    workspace: str | None
    pending: str | None
    outcome: str | None
    error: str | None
    summary: str | None
    result: str | None
    metadata: str | None
    exit_code: int | None
    exit_signal: int | None
    exit_record: str | None
    usage: str | None
    session_id: str | None
    ended_at: int | None
    gone_at: int | None


class Holder(NamedTuple):
    """Of a run only what a verb has to know of the one that holds its task."""

    id: int
    task_id: int
    role: str
    host: str
    token: str
    workspace: str | None
    heartbeat_note: str | None
    ended_at: int | None


class Event(NamedTuple):
    """What changed, when, by whom, in which run; `status` is the task's status after it, if it changed."""

    id: int
    task_id: int | None
    run_id: int | None
    kind: str
    status: str | None
    actor: str
    at: int
    data: str


class Link(NamedTuple):
    """The child waits for the parent, unless the link was waived."""

    parent_id: int
    child_id: int
    created_at: int
    waived_at: int | None


class Comment(NamedTuple):
    """What somebody wrote for the next worker."""

    id: int
    task_id: int
    run_id: int | None
    author: str
    body: str
    created_at: int


class Attachment(NamedTuple):
    """A file kept with a task; its bytes lie below the board's attachments folder."""

    id: int
    task_id: int
    run_id: int | None
    name: str
    size: int
    sha256: str
    creator: str
    created_at: int


class Hold(NamedTuple):
    """Why something does not start: a pause, a cap or a guard, with its reason."""

    scope: str
    name: str
    code: str
    since: int
    until: int | None
    reason: str
    actor: str


class Host(NamedTuple):
    """A machine that runs a dispatcher against this board."""

    name: str
    boot_id: str
    pid: int
    pid_start: int
    version: str
    labels: str
    started_at: int
    seen_at: int
    left_at: int | None


class Question(NamedTuple):
    """What a worker asks a person; without an `answer` it was closed, or is still open."""

    id: int
    task_id: int
    run_id: int | None
    kind: str
    body: str
    options: str
    default_answer: str | None
    deadline: int | None
    asked_at: int
    asked_by: str
    answer: str | None
    answered_at: int | None
    answered_by: str | None


class Spend(NamedTuple):
    """What a run has used so far."""

    run_id: int
    task_id: int
    profile: str | None
    account: str | None
    model: str | None
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_micros: int | None
    at: int


class LastWords(NamedTuple):
    """What an agent's runner reported of its run's end: the table `report`."""

    run_id: int
    ending: str | None
    sentence: str | None
    next_step: str | None
    text: str | None
    turns: int
    reminders: int


class Budget(NamedTuple):
    """The limits of one task over all its attempts."""

    task_id: int
    tokens: int | None
    cost_micros: int | None


class Runtime(NamedTuple):
    """Where a task says that its command runs: `host` or `container:IMAGE`; `mounts` is a JSON list."""

    task_id: int
    runtime: str
    mounts: str
    memory_bytes: int | None
    cpu_millis: int | None
    pids: int | None


class Quota(NamedTuple):
    """A provider account that reached its limit."""

    account: str
    state: str
    since: int
    until: int
    rounds: int
    probe_run: int | None
    reason: str
    opened_at: int | None


class Subscription(NamedTuple):
    """A target that wants to hear of some kinds of events of something; `kinds` are separated by spaces."""

    id: int
    target: str
    about: str
    kinds: str
    files: int
    creator: str
    created_at: int
    quiet_until: int
    ended_at: int | None
    ended_why: str | None


class Delivery(NamedTuple):
    """One event for one target; the row that carries a message has its text, and its sends."""

    id: int
    subscription_id: int | None
    event_id: int | None
    task_id: int | None
    kind: str
    title: str
    words: str
    target: str
    files: int
    created_at: int
    state: str
    fresh: int
    next_at: int
    tries: int
    sends: int
    holder: str | None
    lease_until: int | None
    carried_by: int | None
    message: str | None
    error: str | None
    ended_at: int | None


class Receipt(NamedTuple):
    """What one ended attempt was, chained to the receipt before it; `body` is the receipt itself."""

    seq: int
    run_id: int
    task_id: int
    at: int
    previous: str
    hash: str
    body: str
    key: str | None
    signature: str | None


class HookState(NamedTuple):
    """How far a user's hook has got on a host, and how it went."""

    host: str
    name: str
    last_event: int
    done: int
    failed: int
    skipped: int
    last_at: int | None
    last_error: str | None
    last_error_at: int | None


class Schedule(NamedTuple):
    """What puts a task on the board each time it is due."""

    id: int
    name: str
    words: str
    kind: str
    expression: str
    zone: str
    anchor: int
    request: str
    overlap: str
    missed: str
    window_ms: int
    jitter_ms: int
    ends_at: int | None
    firings_max: int | None
    keep: int
    keep_ms: int | None
    fired: int
    settled_until: int
    next_due: int | None
    next_at: int | None
    paused_at: int | None
    paused_by: str | None
    clock_at: int
    creator: str
    created_at: int
    changed_at: int


class Firing(NamedTuple):
    """One due time of a schedule, and what came of it."""

    schedule_id: int
    due_at: int
    at: int
    outcome: str
    number: int | None
    times: int
    task_id: int | None
    by_hand: str | None
    reason: str | None
    dropped_at: int | None
