"""Our side: homes, loads that reach them, and a running `shop up`.

A home is made in the run's folder and filled by the board's own door; what would take too long that
way (a backlog of 100,000 tasks) is copied from a row that the door made, while nothing has the file
open.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bench.env import CouldNotMeasure, Env
from bench.load import Load
from shopfloor.app.reach import DoorClient, DoorClosed, HomeClient
from shopfloor.config import Home, find_home
from shopfloor.surfaces.cli.client import Ask

STARTED_S = 30.0
STOPPED_S = 60.0
PAUSE_S = 0.02
COPIED = ("task", "event")


@dataclass(frozen=True)
class Shop:
    """One home of the product."""

    env: Env
    home: Home

    @classmethod
    def make(cls, env: Env, configuration: str = "") -> Shop:
        """A fresh home with its default board."""
        home = find_home(str(env.folder("shop")))
        home.config.write_text(configuration, encoding="utf-8")
        shop = cls(env, home)
        shop.ask("task.list")
        return shop

    @property
    def command(self) -> str:
        """The `shop` program."""
        return str(self.env.python.parent / "shop")

    @property
    def database(self) -> Path:
        """The default board's file."""
        return self.home.boards / "default" / "board.db"

    def variables(self) -> dict[str, str]:
        """What a `shop` command needs in its environment."""
        return {**self.env.variables(), "SHOPFLOOR_HOME": str(self.home.root)}

    def ask(self, op: str, /, **args: Any) -> Any:
        """One request, through the running door or without one."""
        client = HomeClient(self.home, None)
        try:
            answer = msgspec.json.decode(client.ask(request(op, args)))
        finally:
            client.close()
        if "result" not in answer:
            raise CouldNotMeasure(f"{op} was refused: {answer['error']['message']}")
        return answer["result"]

    def load(self, way: str, *, own: bool = True) -> Load:
        """A load that reaches this home; without `own` it claims the next task instead of its own."""
        options = {"way": way, "home": str(self.home.root), "own": own}
        return Load(self.env, "shop", options)

    def fill(self, tasks: int) -> None:
        """Make a backlog of so many ready tasks, with their events."""
        self.ask("task.create", title="A task of the backlog", assignee="worker")
        with contextlib.closing(sqlite3.connect(self.database)) as connection, connection:
            for table in COPIED:
                names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
                names.remove("id")
                taken = ", ".join("n" if name == "task_id" else name for name in names)
                connection.execute(
                    f"WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers"
                    f" WHERE n < ?) INSERT INTO {table} ({', '.join(names)})"
                    f" SELECT {taken} FROM numbers, {table} WHERE {table}.id = 1",
                    (tasks,),
                )

    @contextlib.contextmanager
    def up(self) -> Iterator[subprocess.Popen[bytes]]:
        """A running `shop up`; at the end it is stopped with its workers."""
        with (self.env.work / "up.log").open("ab") as log:
            process = subprocess.Popen(
                [self.command, "up"],
                env=self.variables(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.env.work,
                start_new_session=True,
            )
        try:
            self._wait_until_up(process)
            yield process
        finally:
            self._take_down(process)

    def _wait_until_up(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + STARTED_S
        door = DoorClient(str(self.home.socket))
        while True:
            try:
                door.ask(request("task.list", {}).encode())
            except DoorClosed:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise CouldNotMeasure(
                        f"`shop up` did not start: {self._last_words()}"
                    ) from None
                time.sleep(PAUSE_S)
            else:
                door.close()
                return

    def _take_down(self, process: subprocess.Popen[bytes]) -> None:
        # Also of a daemon that died: its workers outlive it.
        subprocess.run(
            [self.command, "down", "--stop-workers"],
            env=self.variables(),
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=STOPPED_S,
        )
        try:
            process.wait(STOPPED_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _last_words(self) -> str:
        said = (self.env.work / "up.log").read_text(errors="replace").strip().splitlines()
        return said[-1] if said else "it said nothing"


def request(op: str, args: dict[str, Any]) -> Ask:
    """A request as it travels, with an id of its own."""
    return Ask(op, json.dumps(args).encode(), request_id=os.urandom(8).hex(), actor="bench")
