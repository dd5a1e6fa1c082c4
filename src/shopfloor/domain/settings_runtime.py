"""What can be set about containers: the table `[runtime]`."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from shopfloor.domain.words import Words


class Runtimes(NamedTuple):
    """How commands run in containers."""

    engine: Annotated[
        Literal["auto", "podman", "docker"],
        Words("The program that runs containers: the first one found, or this one."),
    ] = "auto"
    idle_timeout_ms: Annotated[
        int,
        Words(
            "How long a container is kept for the next command; 0 makes one for each, which sees its own "
            "scratch workspace alone."
        ),
    ] = 600_000
    arguments: Annotated[
        tuple[str, ...],
        Words('More arguments for each new container, such as `["--network", "none"]`.'),
    ] = ()
