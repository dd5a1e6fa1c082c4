"""Orders in containers, in the words of their tests; `home` is one whose daemon finds an engine."""

from __future__ import annotations

from typing import Any

from tests.support.home import Home
from tests.support.waiting import eventually

LIMIT_S = 120.0


def enqueue(
    home: Home, *argv: str, image: str = "box", env: dict[str, str] | None = None, **args: Any
) -> int:
    """Put a command on the board that runs in a container; its number."""
    command = {"argv": list(argv)} | ({"env": env} if env else {})
    asked = {"command": command, "runtime": f"container:{image}", **args}
    return int(home.ask("order.enqueue", **asked)["order"]["id"])


def show(home: Home, order: int) -> Any:
    """The order with its attempts."""
    return home.ask("order.show", id=order)


def over(home: Home, order: int) -> Any:
    """Wait for the order's end; the order as it is then."""

    def found() -> Any:
        shown = show(home, order)
        gone = all(run["gone_at"] for run in shown["attempts"])
        return shown if shown["exit_status"] is not None and gone else None

    return eventually(found, limit_s=LIMIT_S)


def log(home: Home, order: int) -> str:
    """What the order's attempts have printed."""
    return str(home.ask("task.log", id=order)["text"])


def running(home: Home, order: int) -> None:
    """Wait until the order's command has begun, which says so."""
    eventually(lambda: "begun" in log(home, order), limit_s=LIMIT_S)


def container_of(home: Home, order: int) -> str:
    """The container of the order's last attempt."""
    return str(show(home, order)["attempts"][0]["exit_record"]["container"])


def receipt(home: Home, run: int) -> Any:
    """What the receipt of an attempt says."""
    return home.ask("receipt.show", run=run)["receipt"]
