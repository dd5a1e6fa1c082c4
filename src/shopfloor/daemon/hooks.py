"""Hooks: the user's programs, run for committed events, each in an order and a thread of its own.

A hook's place in the events is a row: it is written after the program has ended, so a restart loses no
event, and repeats at most the one whose program ran when everything was killed.  Nothing waits for a
hook: not the work, not other hooks.  One that fails is tried again as often as its settings say, is
counted and said, and gets the next event; one that is too far behind is moved on, which is counted and
said as well.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol

from shopfloor.domain.errors import BoardError
from shopfloor.domain.model import Event
from shopfloor.domain.settings import Settings
from shopfloor.domain.settings_hooks import Hook
from shopfloor.ops.schema import encode
from shopfloor.ops.views import EventView
from shopfloor.process import users_program
from shopfloor.process.environment import worker_environment
from shopfloor.process.users_program import Ended
from shopfloor.runners.command import hook_program_of
from shopfloor.store import events, hooks, tasks
from shopfloor.store.db import Database, Tx

PAGE: Final = 50
AGAIN_S: Final = 5.0
# How long after a run that failed the next one for the same event comes.
RETRY_S: Final = (1.0, 5.0, 25.0, 60.0)


class HookBoard(Protocol):
    """What hooks need of a board."""

    @property
    def slug(self) -> str: ...
    @property
    def database(self) -> Database: ...
    @property
    def home_path(self) -> str: ...
    @property
    def base_environment(self) -> Mapping[str, str]: ...
    def hook_host(self) -> str: ...
    def settings(self) -> Settings: ...


class _Next(NamedTuple):
    """Events that wait for a hook, with what is said of their tasks; `scanned` was looked at."""

    events: list[tuple[Event, dict[str, Any] | None]]
    scanned: int
    skip_to: int | None
    skipped: int


class HookErrand:
    """The hooks of a served board."""

    name: Final = "hooks"

    def __init__(self, board: HookBoard, say: Callable[[str], None]) -> None:
        self._board = board
        self._say = say
        self._lanes: dict[str, HookLane] = {}

    def look(self) -> float | None:
        """Tell the hooks that something has changed; those that are new begin with what comes next."""
        wanted = self._board.settings().hooks
        for name in self._lanes.keys() - wanted.keys():
            self._lanes.pop(name).close()
        new = [name for name in wanted if name not in self._lanes]
        if new:
            self._board.database.write(lambda tx: self._begin(tx, new))
        for name in new:
            self._lanes[name] = HookLane(self._board, name, self._say)
        for lane in self._lanes.values():
            lane.wake()
        return None

    def close(self) -> None:
        """Stop the programs that run; their events come again at the next start."""
        for lane in self._lanes.values():
            lane.close(wait=False)
        for lane in self._lanes.values():
            lane.close()
        self._lanes.clear()

    def _begin(self, tx: Tx, names: list[str]) -> None:
        last = events.last_id(tx)
        for name in names:
            hooks.begin(tx, self._board.hook_host(), name, last)


class HookLane:
    """One hook: a thread that runs it for one event after the other."""

    def __init__(self, board: HookBoard, name: str, say: Callable[[str], None]) -> None:
        self._board = board
        self._name = name
        self._say = say
        self._scanned = 0
        self._trouble: str | None = None
        self._stopping = False
        self._changed = threading.Event()
        self._cut_off, self._cut = os.pipe()
        self._thread = threading.Thread(target=self._serve, name=f"hook {name}", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look for events."""
        self._changed.set()

    def close(self, *, wait: bool = True) -> None:
        """End the thread, and the program that runs."""
        if not self._stopping:
            self._stopping = True
            os.write(self._cut, b"!")
            self._changed.set()
        if wait:
            self._thread.join()
            os.close(self._cut)
            os.close(self._cut_off)

    def _serve(self) -> None:
        again_s: float | None = None
        while not self._stopping:
            self._changed.wait(again_s)
            self._changed.clear()
            again_s = None
            try:
                while self._step():
                    pass
            except BoardError as failed:
                self._tell(failed.message)
                again_s = AGAIN_S
            except Exception as mistake:  # noqa: BLE001 - one hook's mistake must not end the others
                self._tell(f"a mistake of ours: {mistake!r}")
                traceback.print_exc()
                again_s = AGAIN_S

    def _step(self) -> bool:
        """Run the hook for a page of events; answers whether there may be more."""
        hook = self._board.settings().hooks.get(self._name)
        if hook is None or self._stopping:
            return False
        waiting = self._board.database.read(lambda tx: self._waiting(tx, hook))
        if waiting.skip_to is not None:
            self._skip(hook, waiting.skip_to, waiting.skipped)
            return True
        for event, task in waiting.events:
            if not self._run(hook, event, task):
                return False
        self._scanned = waiting.scanned
        return len(waiting.events) == PAGE

    def _waiting(self, tx: Tx, hook: Hook) -> _Next:
        state = hooks.of_host(tx, self._board.hook_host())[hook.name]
        after = max(state.last_event, self._scanned)
        newest = events.last_id(tx)
        if newest - after > hook.behind_max:
            skip_to = hooks.newest_but(tx, after, hook.events, hook.behind_max)
            if skip_to is not None:
                # What is left after the skipping is `behind_max`, so the rest is what is skipped.
                count = hooks.waiting(tx, after, hook.events, newest - after) - hook.behind_max
                return _Next([], after, skip_to, count)
        found = events.after(tx, after, limit=PAGE, kinds=list(hook.events) or None)
        scanned = found[-1].id if len(found) == PAGE else newest
        return _Next([(event, _task(tx, event)) for event in found], scanned, None, 0)

    def _skip(self, hook: Hook, skip_to: int, count: int) -> None:
        host = self._board.hook_host()
        self._board.database.write(
            lambda tx: hooks.skipped(tx, host, hook.name, skip_to, count=count)
        )
        self._scanned = skip_to
        self._say(
            f"hook {hook.name}: {count} event(s) up to {skip_to} skipped, because more than "
            f"{hook.behind_max} waited for it"
        )

    def _run(self, hook: Hook, event: Event, task: dict[str, Any] | None) -> bool:
        """Run the program and write down how it went; false: it was cut off, or this thread ends."""
        wrong: str | None = None
        for left in range(hook.retries, -1, -1):
            ended = self._ended(hook, event, task)
            if ended.cut_off:
                return False
            name = hook.command[0] if hook.command else "python"
            wrong = ended.wrong(name, hook.timeout_ms / 1000)
            if wrong is None or left == 0:
                break
            if not self._wait_to_retry(hook, event, wrong, left):
                return False
        while not self._stopping:
            try:
                self._record(event, wrong)
                break
            except BoardError as failed:
                # The program has run: it is not run again for that the disk is full.
                self._tell(failed.message)
                self._changed.wait(AGAIN_S)
        else:
            return False
        self._scanned = event.id
        if wrong is None:
            self._goes_on()
        else:
            self._tell(f"event {event.id} ({event.kind}): {wrong}")
        return True

    def _wait_to_retry(self, hook: Hook, event: Event, wrong: str, left: int) -> bool:
        """Say what went wrong, and wait for the next try; false: this thread ends."""
        pause_s = RETRY_S[min(hook.retries - left, len(RETRY_S) - 1)]
        host = self._board.hook_host()
        with contextlib.suppress(BoardError):
            self._board.database.write(lambda tx: hooks.tried(tx, host, hook.name, error=wrong))
        self._tell(f"event {event.id} ({event.kind}), which is tried again: {wrong}")
        return not select.select([self._cut_off], [], [], pause_s)[0]

    def _ended(self, hook: Hook, event: Event, task: dict[str, Any] | None) -> Ended:
        board = self._board
        told = {"board": board.slug, "hook": hook.name, "event": EventView.of(event), "task": task}
        return users_program.run(
            hook_program_of(hook, board.home_path),
            encode(told) + b"\n",
            env=worker_environment(board.base_environment, _variables(board, hook, event)),
            cwd=board.home_path,
            timeout_s=hook.timeout_ms / 1000,
            cut_off=self._cut_off,
        )

    def _record(self, event: Event, wrong: str | None) -> None:
        host, name = self._board.hook_host(), self._name

        def work(tx: Tx) -> None:
            if wrong is None:
                hooks.done(tx, host, name, event.id)
            else:
                hooks.failed(tx, host, name, event.id, error=wrong)

        self._board.database.write(work)

    def _tell(self, words: str) -> None:
        """Say what is wrong, and the same trouble once."""
        kind = words.partition(": ")[2] or words
        if kind != self._trouble:
            self._trouble = kind
            self._say(f"hook {self._name}: {words}")

    def _goes_on(self) -> None:
        if self._trouble is not None:
            self._trouble = None
            self._say(f"hook {self._name}: goes on")


def _task(tx: Tx, event: Event) -> dict[str, Any] | None:
    """What a hook is told of the task beside the event, as the task is now."""
    task = None if event.task_id is None else tasks.get(tx, event.task_id)
    if task is None:
        return None
    return {
        "id": task.id,
        "title": task.title,
        "status": task.status,
        "assignee": task.assignee,
        "tenant": task.tenant,
        "creator": task.creator,
    }


def _variables(board: HookBoard, hook: Hook, event: Event) -> dict[str, str]:
    base = board.base_environment
    passed = {name: base[name] for name in hook.pass_env if name in base}
    own = {
        "SHOPFLOOR_HOME": board.home_path,
        "SHOPFLOOR_BOARD": board.slug,
        "SHOPFLOOR_HOOK": hook.name,
        "SHOPFLOOR_EVENT": event.kind,
    }
    return {**passed, **hook.env, **own}
