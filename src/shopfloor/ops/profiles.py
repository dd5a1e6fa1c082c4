"""Profiles: the named ways to run a worker, as this host's configuration has them."""

from __future__ import annotations

from typing import Annotated

from shopfloor.domain.errors import NotFound
from shopfloor.domain.settings import Profile
from shopfloor.ops.context import Context
from shopfloor.ops.dispatch import NoArguments
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result
from shopfloor.store import runs


class ProfileView(Result, frozen=True):
    """A profile and how many of its runs hold a slot now; the values of secrets are not shown."""

    name: str
    kind: str
    description: str
    argv: list[str]
    env: dict[str, str]
    cap: int | None
    max_runtime_ms: int | None
    failure_limit: int | None
    running: int


def _view(ctx: Context, profile: Profile) -> ProfileView:
    running = sum(count for name, _host, count in runs.slots(ctx.tx) if name == profile.name)
    return ProfileView(
        profile.name,
        profile.kind,
        profile.description,
        list(profile.argv),
        {name: "***" if name in profile.secrets else value for name, value in profile.env.items()},
        profile.cap,
        profile.max_runtime_ms,
        profile.failure_limit,
        running,
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
def list_profiles(ctx: Context, req: NoArguments) -> list[ProfileView]:  # noqa: ARG001 - every operation has one
    """List the profiles that this host can run."""
    return [_view(ctx, profile) for profile in ctx.settings.profiles.values()]


class OneProfile(Request, frozen=True):
    """Which profile."""

    name: Annotated[str, Arg("The profile's name.", positional=True, min_length=1)]


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
