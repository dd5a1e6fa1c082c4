"""Profiles: the named ways to run a worker, as this host's configuration has them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from shopfloor.domain import limits
from shopfloor.domain.errors import BadConfiguration, Conflict, GuardFailed, Invalid, NotFound
from shopfloor.domain.settings import Profile
from shopfloor.ops.context import Around, Context
from shopfloor.ops.pages import Paged, page
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result
from shopfloor.store import events, holds, runs
from shopfloor.store.db import Tx

PAUSES = ("paused", "profile_paused")
Name = Annotated[
    str, Arg("The profile's name.", positional=True, min_length=1, max_length=limits.NAME_CHARS_MAX)
]


class ProfileView(Result, frozen=True):
    """A profile and how many of its runs hold a slot now; the values of secrets are not shown."""

    name: str
    kind: str
    preset: str | None
    description: str
    model: str | None
    account: str | None
    permissions: str | None
    skills: list[str]
    argv: list[str]
    env: dict[str, str]
    cap: int | None
    max_runtime_ms: int | None
    failure_limit: int | None
    running: int
    paused: str | None


def _view(ctx: Context, profile: Profile) -> ProfileView:
    running = sum(count for name, _host, count in runs.slots(ctx.tx) if name == profile.name)
    paused = [hold for hold in holds.of(ctx.tx, "lane", profile.name) if hold.code in PAUSES]
    agent = profile.is_agent
    return ProfileView(
        profile.name,
        profile.kind,
        profile.preset,
        profile.description,
        profile.model,
        (profile.account or profile.name) if agent else None,
        profile.permissions if agent else None,
        list(profile.skills),
        list(profile.argv),
        {name: "***" if name in profile.secrets else value for name, value in profile.env.items()},
        profile.cap,
        profile.max_runtime_ms,
        profile.failure_limit,
        running,
        (paused[0].reason or "it is paused") if paused else None,
    )


@operation(
    "profile.list",
    "GET /api/v1/profiles",
    command="profile list",
    kind="read",
    role="anyone",
    tools=("orchestrator",),
    when=(
        "Use it before you choose whom a task is for: the description says what each is good at."
    ),
)
def list_profiles(ctx: Context, req: Paged) -> list[ProfileView]:
    """List the profiles that this host can run."""
    found = page(ctx.settings.profiles.values(), req, lambda one: one.name)
    return [_view(ctx, profile) for profile in found]


class OneProfile(Request, frozen=True):
    """Which profile."""

    name: Name


@operation(
    "profile.show",
    "GET /api/v1/profiles/{name}",
    command="profile show",
    kind="read",
    role="anyone",
    errors=(NotFound,),
)
def show_profile(ctx: Context, req: OneProfile) -> ProfileView:
    """Show one profile."""
    profile = ctx.settings.profiles.get(req.name)
    if profile is None:
        raise NotFound(f"there is no profile {req.name!r}; `shop profile list` shows what there is")
    return _view(ctx, profile)


class AddProfile(Request, frozen=True, kw_only=True):
    """A profile of an agent program; what is left out is the program's own choice."""

    name: Name
    preset: Annotated[str, Arg("The program's preset, such as claude or codex.")]
    model: Annotated[str | None, Arg("The model.")] = None
    provider: Annotated[str | None, Arg("The model's provider.")] = None
    program: Annotated[str | None, Arg("The program's path, if it is not in PATH.")] = None
    description: Annotated[str | None, Arg("What it is good for; used to choose it.")] = None
    account: Annotated[str | None, Arg("The account whose quota it uses.")] = None
    permissions: Annotated[
        Literal["auto", "ask", "refuse"] | None, Arg("What the program may do unasked.")
    ] = None
    cap: Annotated[Annotated[int, Meta(ge=1)] | None, Arg("At most so many runs at once.")] = None
    skills: Annotated[list[str], Arg("A skill for its workers.", flag="--skill")] = field(
        default_factory=list
    )
    argv: Annotated[list[str], Arg("A further argument.", flag="--arg")] = field(
        default_factory=list
    )
    pass_env: Annotated[
        list[str], Arg("A variable of `shop up` that its workers get.", flag="--pass-env")
    ] = field(default_factory=list)


@operation(
    "profile.add",
    "POST /api/v1/profiles",
    command="profile add",
    kind="around",
    errors=(Invalid, Conflict, NotFound, BadConfiguration),
    admin=True,
)
def add_profile(ctx: Around, req: AddProfile) -> ProfileView:
    """Write a profile of an agent program into this host's configuration.

    The rest of the file stays as it is.  `shop profile check` tries it.
    """
    given: dict[str, Any] = {
        "preset": req.preset,
        "program": req.program,
        "description": req.description,
        "model": req.model,
        "provider": req.provider,
        "account": req.account,
        "permissions": req.permissions,
        "cap": req.cap,
        "skills": req.skills or None,
        "argv": req.argv or None,
        "pass_env": req.pass_env or None,
    }
    table = {name: value for name, value in given.items() if value is not None}
    ctx.service.profiles().add(req.name, table)
    return _shown(ctx, req.name)


class DescribeProfile(Request, frozen=True, kw_only=True):
    """What a profile is good for."""

    name: Name
    words: Annotated[
        str,
        Arg(
            "What it is good for, in a sentence.",
            positional=True,
            max_length=limits.REASON_CHARS_MAX,
        ),
    ]


@operation(
    "profile.describe",
    "POST /api/v1/profiles/{name}/describe",
    command="profile describe",
    kind="around",
    errors=(NotFound, Invalid, BadConfiguration),
    admin=True,
)
def describe_profile(ctx: Around, req: DescribeProfile) -> ProfileView:
    """Say what a profile is good for: people and planners choose by it."""
    _find(ctx, req.name)
    ctx.service.profiles().describe(req.name, req.words)
    return _shown(ctx, req.name)


class LookedAt(Result, frozen=True):
    """What was looked at, whether it is well, and what is so or what to do."""

    what: str
    well: bool
    sentence: str


class ProfileCheck(Result, frozen=True):
    """What a trial of a profile showed; `resumed` says that a pause of the board's own was ended."""

    name: str
    well: bool
    resumed: bool
    findings: list[LookedAt]


@operation(
    "profile.check",
    "POST /api/v1/profiles/{name}/check",
    command="profile check",
    kind="around",
    errors=(NotFound, Invalid, GuardFailed),
)
def check_profile(ctx: Around, req: OneProfile) -> ProfileCheck:
    """Start a profile's agent program with a trivial task, and say what is missing.

    It calls the program's model once or twice and touches no task.  Where all is well, a pause that a
    refused login or permission caused ends.
    """
    looked = ctx.service.profiles().check(_find(ctx, req.name))
    well = all(one.well for one in looked)
    resumed = well and bool(ctx.service.database.write(lambda tx: _resume(tx, ctx, req.name)))
    return ProfileCheck(req.name, well, resumed, [LookedAt(*one) for one in looked])


def _resume(tx: Tx, ctx: Around, name: str) -> bool:
    """End the pause that the board itself made; a person's stays."""
    if not holds.drop(tx, "lane", name, "profile_paused"):
        return False
    data: dict[str, object] = {"scope": "lane", "name": name}
    events.append(tx, "resumed", task_id=None, actor=ctx.caller.name, data=data)
    return True


def _find(ctx: Around, name: str) -> Profile:
    profile = ctx.service.settings().profiles.get(name)
    if profile is None:
        raise NotFound(f"there is no profile {name!r}; `shop profile list` shows what there is")
    return profile


def _shown(ctx: Around, name: str) -> ProfileView:
    """The profile as the configuration has it now."""
    profile = ctx.service.reread().profiles[name]

    def view(tx: Tx) -> ProfileView:
        return _view(Context(tx, ctx.caller, ctx.settings, ctx.service), profile)

    return ctx.read(view)
