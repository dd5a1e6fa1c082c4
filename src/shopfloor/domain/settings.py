"""What can be set, as frozen dataclasses with their defaults; `shopfloor.config` reads them in.

Every field has its unit in its name.  `None` for a profile's cap means "not capped".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shopfloor.domain import limits


@dataclass(frozen=True, slots=True)
class Profile:
    """A named way to run a worker."""

    name: str
    kind: Literal["command"] = "command"
    description: str = ""
    argv: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    cap: int | None = None
    max_runtime_ms: int | None = None
    failure_limit: int | None = None
    backoff_ms: int | None = None
    grace_ms: int = limits.STOP_GRACE_MS
    leave_grace_ms: int = limits.LEAVE_GRACE_MS
    stale_timeout_ms: int = 0


@dataclass(frozen=True, slots=True)
class Dispatch:
    """How a board's tasks are started and how their ends are judged.

    `cap` counts the whole board; `host_cap` this host alone: 0 is no cap, and unset it is what the
    machine takes safely.
    """

    cap: int | None = None
    host_cap: int | None = None
    default_assignee: str | None = None
    review: Literal["profile", "person"] = "profile"
    reviewer: str | None = None
    failure_limit: int = limits.FAILURE_LIMIT
    block_recurrence_limit: int = limits.BLOCK_RECURRENCE_LIMIT
    quota_rounds_limit: int = limits.QUOTA_ROUNDS_LIMIT
    rate_limit_cooldown_ms: int = limits.RATE_LIMIT_COOLDOWN_MS
    recent_success_ms: int = limits.RECENT_SUCCESS_MS
    stale_timeout_ms: int = limits.STALE_TIMEOUT_MS
    heartbeat_timeout_ms: int = limits.HEARTBEAT_TIMEOUT_MS
    guard_active_pr: bool = False
    check_runtime_ms: int = limits.CHECK_RUNTIME_MS
    lease_ms: int | None = None
    poll_ms: int = limits.POLL_FLOOR_MS


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what ended is kept, in days; 0 keeps for ever."""

    events_days: int = 0
    logs_days: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings that one board sees."""

    dispatch: Dispatch = Dispatch()
    retention: Retention = Retention()
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
