"""What one dispatch pass did, and what it left and why; the same for a dry run, which does nothing."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Start:
    """A task that was started, or would be."""

    task: int
    run: int | None
    profile: str | None
    role: str


@dataclass(frozen=True, slots=True)
class End:
    """A run that was settled."""

    task: int
    run: int
    outcome: str | None
    gave_up: bool


@dataclass(frozen=True, slots=True)
class Skipped:
    """What was left in its queue, and why."""

    code: str
    lane: str
    sentence: str
    task: int | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A step of the pass that failed; the other steps went on."""

    step: str
    sentence: str


@dataclass(frozen=True, slots=True)
class DispatchReport:
    """One pass."""

    dry_run: bool = False
    started: list[Start] = field(default_factory=list)
    settled: list[End] = field(default_factory=list)
    reclaimed: list[int] = field(default_factory=list)
    due: list[int] = field(default_factory=list)
    promoted: list[int] = field(default_factory=list)
    assigned: list[int] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether the pass did anything."""
        return bool(
            self.started
            or self.settled
            or self.reclaimed
            or self.due
            or self.promoted
            or self.assigned
        )
