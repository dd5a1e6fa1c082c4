"""Short words for tests about subscriptions and messages: subscribe, finish a task, take, say what came of it."""

from __future__ import annotations

from typing import Any

from shopfloor.domain.model import Delivery
from shopfloor.domain.notices import Sent
from shopfloor.kernel import deliveries as sending
from shopfloor.kernel.deliveries import Sender
from tests.support.board import BoardHandle

HOOK = "webhook:http://127.0.0.1:9/hook"
OTHER = "desktop:"
# When what was told just now may be sent.
SOON = 1_000


def subscribed(board: BoardHandle, target: str = HOOK, **args: Any) -> int:
    """Subscribe a target; the subscription's number."""
    return int(board.ask("subscription.add", target=target, **args).id)


def told(board: BoardHandle, **args: Any) -> list[Any]:
    """The deliveries, oldest first."""
    found: list[Any] = board.ask("delivery.list", limit=1_000, **args).items[::-1]
    return found


def kinds(board: BoardHandle, **args: Any) -> list[tuple[int, str]]:
    """What was told of which task."""
    return [(one.task, one.kind) for one in told(board, **args)]


def take(board: BoardHandle, target: str = HOOK) -> Delivery | None:
    """The next message for a target as its sender gets it, or None."""
    sender = Sender("here", 120_000, "floor", "http://x", lambda: "key")
    return board.write(lambda tx: sending.take(tx, sender, target))


def came(board: BoardHandle, row: Delivery, **what: Any) -> bool:
    """Write down what came of a send."""
    return board.write(lambda tx: sending.record(tx, row.id, row.sends, Sent(**what)))


def state(board: BoardHandle, number: int) -> Any:
    """One delivery as it is now."""
    return next(one for one in told(board) if one.id == number)


def finish(board: BoardHandle, task: int) -> None:
    """Complete a task by hand."""
    board.ask("task.complete", id=task, summary="all done\nand more")
