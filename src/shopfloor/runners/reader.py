"""Reads an agent program's output by its preset's rules: text, tools, session, usage, and why it failed.

One reader per turn.  A failure is taken from what a rule names as one, never from what the agent says; and
it stands only if nothing came after it: an agent that goes on has not failed.  Each line answers with what
a person should see of it in the log.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from shopfloor.runners import paths, signs
from shopfloor.runners.report import NOTHING, Failure, Usage
from shopfloor.runners.signs import Sign

LAST_LINES = 20
WHOLE_CHARS_MAX = 8 * 1024 * 1024
SHOWN_CHARS_MAX = 240
MICROS = 1_000_000


class Retry(NamedTuple):
    """The program says that it tries again by itself; `at` is when, where it says that."""

    status: int | None
    at: int | None
    tries: int
    since: int


class Reader:
    """What is known of one turn so far."""

    def __init__(self, output: Mapping[str, Any], clock: Callable[[], int]) -> None:
        self._format: str = output.get("format", "text")
        self._events: list[Mapping[str, Any]] = output.get("events", [])
        self._lines = [(re.compile(rule["match"]), rule) for rule in output.get("lines", ())]
        self._meaning = signs.Meaning(output)
        self._clock = clock
        self._counted: set[str] = set()
        self._delta = ""
        self._whole: list[str] = []
        self._whole_chars = 0
        self._last: deque[tuple[str, str]] = deque(maxlen=LAST_LINES)
        self._reset: int | None = None
        self.session: str | None = None
        self.model: str | None = None
        self.said = ""
        self.final: str | None = None
        self.usage: Usage = NOTHING
        self.failure: Failure | None = None
        self.retry: Retry | None = None
        self.denied: list[str] = []
        self.moves = 0

    @property
    def spoke(self) -> bool:
        """Whether the agent said or did anything."""
        return self.moves > 0

    @property
    def text(self) -> str:
        """The agent's last words."""
        return self.final if self.final is not None else self.said

    def feed(self, stream: str, line: str) -> list[str]:
        """Take in one line; answers with what to show of it."""
        event = self._event(line) if stream == "stdout" and self._format == "jsonl" else None
        if event is not None:
            return self.take(event)
        if stream == "stdout" and self._format == "json":
            if self._whole_chars < WHOLE_CHARS_MAX:
                self._whole.append(line)
                self._whole_chars += len(line)
            return []
        return self._plain(stream, line)

    def finish(self, *, failed: bool = False) -> list[str]:
        """The output is at its end: read what could not be read before; `failed` is by the exit status."""
        shown = self._flush()
        if self._format == "json":
            for event in _last_json("\n".join(self._whole)):
                shown += self.take(event)
            shown += self._flush()
        for stream, line in self._last if failed else ():
            for pattern, rule in self._lines:
                if rule.get("last") and rule.get("stream", stream) == stream:
                    self._by_line(pattern, rule, line)
        return shown

    def _event(self, line: str) -> Any:
        try:
            found = json.loads(line)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def take(self, event: Any) -> list[str]:
        """Take in one event; answers with what to show of it."""
        shown: list[str] = []
        for rule in self._events:
            if paths.holds(event, rule["when"]):
                shown += self._apply(event, rule)
        return shown

    def _apply(self, event: Any, rule: Mapping[str, Any]) -> list[str]:
        self.session = paths.text(event, rule.get("session")) or self.session
        self.model = paths.text(event, rule.get("model")) or self.model
        shown = self._words(event, rule)
        self._count(event, rule)
        if "final" in rule:
            self.final = paths.text(event, rule["final"]) or self.final
        if "denied" in rule:
            self.denied += [str(name) for name in paths.values(event, rule["denied"])]
        if "retrying" in rule or "failure" in rule or "reset" in rule:
            shown += self._sign(signs.of_event(event, rule, self._clock()), rule)
        return shown

    def _words(self, event: Any, rule: Mapping[str, Any]) -> list[str]:
        """What the agent says and does: after that, an earlier trouble is over."""
        if "delta" in rule:
            self._delta += paths.text(event, rule["delta"])
            self._alive()
            return []
        shown = self._flush() if {"text", "tool", "final"} & rule.keys() else []
        said = paths.text(event, rule.get("text"))
        if said.strip():
            self.said = said
            shown += said.strip().splitlines()
            self._alive()
        if "tool" in rule:
            names = paths.values(event, rule["tool"])
            inputs = paths.values(event, rule["input"]) if "input" in rule else []
            for place, name in enumerate(names):
                shown.append(_call(str(name), inputs[place] if place < len(inputs) else None))
                self._alive()
        return shown

    def _alive(self) -> None:
        self.moves += 1
        self.failure = None
        self.retry = None

    def _flush(self) -> list[str]:
        """A message that came in pieces is whole."""
        said, self._delta = self._delta, ""
        if not said.strip():
            return []
        self.said = said
        return said.strip().splitlines()

    def _count(self, event: Any, rule: Mapping[str, Any]) -> None:
        if "usage" not in rule and "cost" not in rule:
            return
        once = paths.first(event, rule.get("usage_once"))
        if once is not None:
            if str(once) in self._counted:
                return
            self._counted.add(str(once))
        wanted = rule.get("usage", {})
        tokens = {name: round(paths.number(event, path)) for name, path in wanted.items()}
        cost = None
        if paths.first(event, rule.get("cost")) is not None:
            cost = round(paths.number(event, rule["cost"]) * MICROS)
        used = Usage(**tokens, cost_micros=cost)
        if rule.get("usage_is") != "total":
            self.usage = self.usage.plus(used)
            return
        # What an event does not tell stays as another one told it.
        before = self.usage
        kept = used if "usage" in rule else before
        self.usage = kept._replace(cost_micros=before.cost_micros if cost is None else cost)

    def _sign(self, sign: Sign, rule: Mapping[str, Any]) -> list[str]:
        if rule.get("retrying"):
            # When it tries again is its own idea, not the time of the provider's reset.
            return self._retrying(sign)
        self._reset = sign.reset_at or self._reset
        if rule.get("failure") or "ending" in rule:
            self.failure = self._meaning.failure(sign, self._reset)
        return []

    def _retrying(self, sign: Sign) -> list[str]:
        before = self.retry
        tries = 1 if before is None else before.tries + 1
        since = self._clock() if before is None else before.since
        status = sign.status or (before.status if before is not None else None)
        self.retry = Retry(status, sign.reset_at, tries, since)
        words = f"HTTP {status}" if status else "an error"
        return [f"… the provider answered {words}; the program tries again ({tries})"]

    def _plain(self, stream: str, line: str) -> list[str]:
        for pattern, rule in self._lines:
            if not rule.get("last") and rule.get("stream", stream) == stream:
                self._by_line(pattern, rule, line)
        self._last.append((stream, line))
        if stream == "stdout" and self._format == "text" and line.strip():
            self.said = f"{self.said}\n{line}"[-WHOLE_CHARS_MAX // 64 :].lstrip("\n")
            self.moves += 1
        return [line]

    def _by_line(self, pattern: re.Pattern[str], rule: Mapping[str, Any], line: str) -> None:
        found = pattern.search(line)
        if found is None:
            return
        groups = found.groupdict()
        self.session = groups.get("session") or self.session
        if "ending" in rule or rule.get("retrying") or "status" in groups:
            known = {"status": str(rule["status"])} if "status" in rule else {}
            told = {"message": line.strip(), **known, **{k: v for k, v in groups.items() if v}}
            sign = signs.of_groups(told, rule.get("ending"), self._clock())
            self._sign(sign, {"failure": True, **rule})

    def last_words(self) -> str:
        """The last lines that the program wrote beside its output: why it ended, if nothing else says so."""
        lines = [line.strip() for stream, line in self._last if stream == "stderr" and line.strip()]
        lines = lines or [line.strip() for _, line in self._last if line.strip()]
        return signs.short(" / ".join(lines[-3:]))


def _call(name: str, given: Any) -> str:
    words = given if isinstance(given, str) else "" if given in (None, {}) else json.dumps(given)
    line = " ".join(f"→ {name} {words}".split())
    return line if len(line) <= SHOWN_CHARS_MAX else line[: SHOWN_CHARS_MAX - 1] + "…"


def _last_json(text: str) -> list[Any]:
    """The object that a text ends with, or the members of the list it is."""
    starts = [0, *(found.end() for found in re.finditer(r"\n(?=[\[{])", text))]
    for start in starts:
        try:
            found = json.loads(text[start:])
        except ValueError:
            continue
        return found if isinstance(found, list) else [found]
    return []
