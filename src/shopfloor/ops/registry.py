"""The registry: every operation once, with its name, its route, who may ask, and its types.

The command line, the REST API and the tools are loops over `REGISTRY`.  An operation is one of three
kinds: `write` runs in one transaction and is answered after its commit, `read` sees a snapshot, and
`around` works outside a transaction because it touches files, other boards or the dispatcher; it
opens its transactions through the context that it is given.  One that seldom has something to do
outside also has a `direct` way: all of it in one transaction, or a Detour where that will not do.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal, NamedTuple, TypeVar

from shopfloor.domain.errors import BoardError, NotFound

Role = Literal["anyone", "worker", "person"]
Audience = Literal["worker", "reviewer", "orchestrator"]
Kind = Literal["write", "read", "around"]
F = TypeVar("F", bound=Callable[..., Any])


class Operation(NamedTuple):
    """One thing that may be asked."""

    name: str
    route: str
    kind: Kind
    role: Role
    request: type[Any]
    result: type[Any]
    run: Callable[..., Any]
    errors: tuple[type[BoardError], ...]
    many: bool
    single: tuple[str, ...]
    command: str
    tools: frozenset[Audience]
    when: str
    direct: Callable[..., Any] | None = None
    admin: bool = False
    home: bool = False

    @property
    def writes(self) -> bool:
        """Whether it changes anything; who may only look has the others."""
        return not self.route.startswith("GET ")

    @property
    def doc(self) -> str:
        """What the operation does, in the user's words: its function's docstring."""
        return (self.run.__doc__ or "").strip()


REGISTRY: dict[str, Operation] = {}

# Where the operations of each noun are.  A module is loaded when one of its noun is asked for that the
# modules before it do not have, so the list of tasks, which needs no verb, comes first.
MODULES: dict[str, tuple[str, ...]] = {
    "task": (
        "shopfloor.ops.lists",
        "shopfloor.ops.tasks",
        "shopfloor.ops.moves",
        "shopfloor.ops.plans",
        "shopfloor.ops.planning",
        "shopfloor.ops.notes",
        "shopfloor.ops.files",
        "shopfloor.ops.agents",
        "shopfloor.ops.questions",
        "shopfloor.ops.graph",
        "shopfloor.ops.cards",
    ),
    "quota": ("shopfloor.ops.quotas",),
    "usage": ("shopfloor.ops.usage",),
    "question": ("shopfloor.ops.questions",),
    "run": (
        "shopfloor.ops.runs",
        "shopfloor.ops.progress",
        "shopfloor.ops.scope",
        "shopfloor.ops.timeline",
    ),
    "dispatch": ("shopfloor.ops.dispatch",),
    "board": (
        "shopfloor.ops.boards",
        "shopfloor.ops.needs",
        "shopfloor.ops.lifecycle",
        "shopfloor.ops.settings",
    ),
    "order": ("shopfloor.ops.order_lists", "shopfloor.ops.orders", "shopfloor.ops.order_wait"),
    "event": ("shopfloor.ops.events",),
    "stats": ("shopfloor.ops.stats", "shopfloor.ops.history"),
    "diagnostics": ("shopfloor.ops.diagnostics",),
    "admin": ("shopfloor.ops.admin",),
    "subscription": ("shopfloor.ops.notify",),
    "delivery": ("shopfloor.ops.deliveries",),
    "ledger": ("shopfloor.ops.export",),
    "hook": ("shopfloor.ops.hooks",),
    "receipt": ("shopfloor.ops.receipts", "shopfloor.ops.receipt_check"),
    "schedule": ("shopfloor.ops.schedules", "shopfloor.ops.schedule_edit"),
    "profile": ("shopfloor.ops.profiles",),
    "token": ("shopfloor.ops.tokens",),
}


def operation(
    name: str,
    route: str,
    *,
    command: str,
    kind: Kind = "write",
    role: Role = "person",
    errors: tuple[type[BoardError], ...] = (),
    many: bool = False,
    single: tuple[str, ...] = (),
    tools: tuple[Audience, ...] = (),
    when: str = "",
    direct: Callable[..., Any] | None = None,
    admin: bool = False,
    home: bool = False,
) -> Callable[[F], F]:
    """Register a function as an operation; its annotations name the request and the result.

    `command` is how the command line calls it (`board create`), empty for what only programs ask;
    `many` lets a caller name several ids, each of which succeeds or fails by itself, but for fields
    that belong to a `single` task.  `direct` does the same as an `around` operation where one
    transaction is enough.

    `tools` names the agents that have the operation as a tool, and `when` tells a model when to use it.
    What only people may ask is given to orchestrators alone: they then ask in their run's name.

    `admin` is what over the network only an administrator may ask: who is at this machine may anyway.
    `home` is what needs no board's ledger, so that it is answered whatever is wrong with the usual board.
    """

    def register(run: F) -> F:
        assert name not in REGISTRY, name
        assert run.__doc__, f"{name} has no docstring, and that is its documentation"
        hints = run.__annotations__
        module = import_module(run.__module__)
        request = getattr(module, hints["req"])
        result = eval(hints["return"], vars(module))  # noqa: S307 - our own annotation
        REGISTRY[name] = Operation(
            name,
            route,
            kind,
            role,
            request,
            result,
            run,
            errors,
            many,
            single,
            command,
            frozenset(tools),
            when,
            direct,
            admin,
            home,
        )
        return run

    return register


def find(name: str) -> Operation:
    """The operation of that name, loading its module when it is asked for first; raises NotFound."""
    known = REGISTRY.get(name)
    if known is not None:
        return known
    for module in MODULES.get(name.partition(".")[0], ()):
        if name in REGISTRY:
            break
        import_module(module)
    if name not in REGISTRY:
        raise NotFound(f"there is no operation {name!r}; `shop help` lists the commands")
    return REGISTRY[name]


def everything() -> dict[str, Operation]:
    """All operations, in the order of the modules, whichever was loaded first."""
    places = [module for modules in MODULES.values() for module in modules]
    for place in places:
        import_module(place)
    in_order = sorted(REGISTRY.values(), key=lambda op: places.index(op.run.__module__))
    return {op.name: op for op in in_order}
