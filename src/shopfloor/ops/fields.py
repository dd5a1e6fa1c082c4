"""Fields that several requests and answers have, and what their values must be."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from shopfloor.domain import limits
from shopfloor.domain.errors import Invalid
from shopfloor.ops.schema import Arg, Result, text

BACKOFF_MS_MAX = 100 * 365 * 86_400_000
Id = Annotated[int, Arg("The task's number.", positional=True, ge=1)]
Title = Annotated[
    str,
    Arg("What is to be done, in one line.", positional=True, max_length=limits.TITLE_CHARS_MAX),
]
Assignee = Annotated[
    Annotated[str, Meta(max_length=limits.NAME_CHARS_MAX)] | None,
    Arg("The profile that works on it."),
]
Priority = Annotated[
    int, Arg("Higher goes first.", ge=-limits.PRIORITY_MAX, le=limits.PRIORITY_MAX)
]

RuntimeName = Annotated[
    str | None, Arg("Where it runs: `host`, or `container:IMAGE`; else as its profile says.")
]
Mounts = Annotated[
    list[str],
    Arg(
        "A folder that a container sees: /path, /host:/inside or /host:/inside:ro.", flag="--mount"
    ),
]
Memory = Annotated[str | None, Arg("At most so much memory in a container, such as 512m.")]
Cpus = Annotated[
    Annotated[float, Meta(gt=0, le=10_000)] | None,
    Arg("At most so many processors in a container, such as 1.5."),
]
Pids = Annotated[
    Annotated[int, Meta(gt=0, le=limits.COUNT_MAX)] | None,
    Arg("At most so many processes in a container."),
]


class Command(Result, frozen=True, omit_defaults=True):
    """An explicit command: its words, extra environment, and directory below the workspace."""

    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)
    cwd: str | None = None


class Backoff(Result, frozen=True):
    """How long a retry waits: `base_ms` after the first failure, `factor` times as long each time."""

    base_ms: Annotated[int, Meta(ge=0, le=BACKOFF_MS_MAX)]
    factor: Annotated[float, Meta(ge=1, le=1_000)] = 2.0
    max_ms: Annotated[int, Meta(ge=0, le=BACKOFF_MS_MAX)] = 3_600_000


def workspace(words_given: str) -> tuple[str, str | None]:
    """The kind and the path of a workspace; raises Invalid for a relative path."""
    kind, _, path = words_given.partition(":")
    if kind not in ("scratch", "dir", "worktree") or (kind == "scratch" and path):
        raise Invalid(
            f"{words_given!r} is no workspace; use scratch, dir:/absolute/path, worktree or worktree:/absolute/path"
        )
    if path and not path.startswith("/"):
        raise Invalid(
            f"the workspace {words_given!r} is not absolute; write {kind}:/the/whole/path"
        )
    return kind, path or None


def title_of(given: str, what: str = "a task") -> str:
    """The title in one line; raises Invalid for none."""
    lines = [line.strip() for line in given.splitlines()]
    title = " ".join(line for line in lines if line)
    if not title:
        raise Invalid(f"{what} needs a title that says what is to be done")
    return title


def words(argv: list[str]) -> list[str]:
    """The words of a command; raises Invalid for none, or for one that no program can be given."""
    if not argv or not argv[0]:
        raise Invalid("a command needs at least the name of a program")
    if any("\0" in word for word in argv):
        raise Invalid("a command's word cannot hold a NUL character")
    within("the command", "".join(argv), limits.COMMAND_BYTES_MAX)
    return argv


def command(given: Command) -> str:
    """The command as its column holds it."""
    words(given.argv)
    for name in given.env:
        if not name or "=" in name or "\0" in name or name.startswith("SHOPFLOOR_"):
            raise Invalid(f"{name!r} cannot be set in a command's environment; choose another name")
    return text(given)


def within(what: str, given: str, most: int) -> None:
    size = len(given.encode(errors="surrogatepass"))
    if size > most:
        raise Invalid(
            f"{what} has {size} bytes, and at most {most} are taken; attach it as a file instead"
        )
