"""What is answered when an agent program asks for permission: by the profile's policy.

`auto` allows it, `refuse` refuses it, and `ask` puts the program's own options before a person, as a
question on the board, and waits for the answer.  The board's own tools are always allowed.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from shopfloor.domain.errors import BoardError
from shopfloor.runners.ledger import Ledger
from shopfloor.runners.signs import short

ALLOWED = ("allow_once", "allow_always")
REFUSED = ("reject_once", "reject_always")
LOOK_S = 2.0
DOOR_AWAY_S = 1.0
BOARD_TOOLS = ("task_", "board")


class Waiting(NamedTuple):
    """A question that a person has not answered yet."""

    request_id: Any
    question: int
    options: list[dict[str, Any]]


class Consent:
    """The policy of one run."""

    def __init__(self, policy: str, task: int, ledger: Ledger) -> None:
        self._policy = policy
        self._task = task
        self._ledger = ledger
        self._looked_at = 0.0
        self.waiting: list[Waiting] = []
        self.refused: list[str] = []

    def decide(self, request_id: Any, params: dict[str, Any]) -> dict[str, Any] | None:
        """The answer; None where a person was asked and the answer comes later."""
        options = [one for one in params.get("options", ()) if isinstance(one, dict)]
        call = params.get("toolCall") or {}
        title = str(call.get("title") or call.get("kind") or "a tool")
        if self._policy == "auto" or any(name in title for name in BOARD_TOOLS):
            return _selected(_of_kind(options, ALLOWED))
        if self._policy == "ask" and options:
            try:
                asked = self._ledger.ask(
                    "task.ask", self._question(title, call, options), tries_s=60.0
                )
                self.waiting.append(Waiting(request_id, asked["question"]["id"], options))
            except BoardError:
                return self._refuse(options, title)
            return None
        return self._refuse(options, title)

    def answered(self) -> list[tuple[Any, dict[str, Any]]]:
        """The answers that came meanwhile, each with the request it belongs to."""
        if not self.waiting or time.monotonic() - self._looked_at < LOOK_S:
            return []
        self._looked_at = time.monotonic()
        found = []
        for one in list(self.waiting):
            try:
                args = {"id": one.question}
                shown = self._ledger.ask("question.show", args, tries_s=DOOR_AWAY_S, write=False)
            except BoardError:
                continue
            if shown.get("answer") is not None:
                self.waiting.remove(one)
                found.append((one.request_id, _by_name(one.options, str(shown["answer"]))))
        return found

    def _question(
        self, title: str, call: dict[str, Any], options: list[dict[str, Any]]
    ) -> dict[str, Any]:
        given = call.get("rawInput")
        words = f"The agent asks for permission: {title}"
        if given not in (None, {}, ""):
            words += f"\n{short(str(given))}"
        names = [str(one.get("name") or one.get("optionId")) for one in options]
        return {
            "id": self._task,
            "question": words,
            "options": list(dict.fromkeys(names)),
            "kind": "permission",
            "wait": True,
        }

    def _refuse(self, options: list[dict[str, Any]], title: str) -> dict[str, Any]:
        self.refused.append(title)
        return _selected(_of_kind(options, REFUSED))


def _of_kind(options: list[dict[str, Any]], kinds: tuple[str, ...]) -> str | None:
    for kind in kinds:
        for one in options:
            if one.get("kind") == kind:
                return str(one["optionId"])
    return None


def _by_name(options: list[dict[str, Any]], answer: str) -> dict[str, Any]:
    """The option that a person named; other words refuse."""
    for one in options:
        if answer.strip().lower() in (
            str(one.get("name", "")).lower(),
            str(one.get("optionId", "")).lower(),
        ):
            return _selected(str(one["optionId"]))
    return _selected(_of_kind(options, REFUSED))


def _selected(option: str | None) -> dict[str, Any]:
    if option is None:
        return {"outcome": {"outcome": "cancelled"}}
    return {"outcome": {"outcome": "selected", "optionId": option}}
