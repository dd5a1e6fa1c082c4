"""What can be set for hooks: a table `[hooks.NAME]` each, with its words.

The same rules hold as for `settings.py`, which names the table.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, NamedTuple

from shopfloor.domain.words import Words


class Hook(NamedTuple):
    """A program of yours that is run for each event that it wants, after the event's commit.

    It gets the event as JSON on its standard input; see [Hooks](../guides/hooks.md).
    """

    name: str
    events: Annotated[
        tuple[str, ...],
        Words("The [kinds of events](events.md) that it is run for; an empty list is every kind."),
    ] = ()
    command: Annotated[
        tuple[str, ...], Words("The program and its arguments. Either this or `python`.")
    ] = ()
    python: Annotated[
        str | None,
        Words(
            "A function that is called with the event: `module:function`, or the name of an entry point of the "
            "group `shopfloor.hooks`. Modules are also looked for in the home's folder `hooks`.",
            "none; `command` says what is run",
        ),
    ] = None
    timeout_ms: Annotated[int, Words("How long one run may take.")] = 30_000
    retries: Annotated[
        int,
        Words(
            "How often a run that failed is tried again for its event, at most 5 times: after a second, then "
            "5, 25 and 60. Later events wait for it."
        ),
    ] = 0
    pass_env: Annotated[
        tuple[str, ...], Words("Names of variables that it gets from the environment of `shop up`.")
    ] = ()
    env: Annotated[Mapping[str, str], Words("Variables beside the few that workers get, too.")] = (
        MappingProxyType({})
    )
    behind_max: Annotated[
        int,
        Words(
            "When more events than this wait for it, the oldest are skipped, which is counted and said."
        ),
    ] = 10_000
