"""Work a board to its end while random parts of it are killed, and say what must be true afterwards.

Killed are: the daemon, its helper, supervisors, workers, and the clients that create the tasks.  What
is drawn depends on the seed alone; what a kill hits depends on the moment.

A machine so busy that nothing gets done between two kills is given longer pauses, until something does.
"""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from pathlib import Path

from tests.support.home import Daemon, Home, kill
from tests.support.notes import Notes
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("daemon", "helper", "supervisor", "worker", "client")
CLIENTS = 2
# So many kills in a row without the end of a worker are as they should be; from then on pauses grow.
TRIES, SLOWER, PAUSE_MAX_S = 20, 1.3, 10.0
CONFIGURATION = '[dispatch]\nfailure_limit = 1000\nhost_cap = 4\npoll = "30s"\n'


class Chaos:
    """One board under fire."""

    def __init__(self, home: Home, notes: Notes, *, tasks: int, seed: int, pause_s: float) -> None:
        self.home = home
        self.notes = notes
        self.tasks = tasks
        self.pause_s = pause_s
        self.random = random.Random(seed)
        self.killed: Counter[str] = Counter()
        self._daemon: Daemon | None = None
        self._clients: list[subprocess.Popen[str] | None] = [None] * CLIENTS
        self._created = [False] * CLIENTS

    def run(self, limit_s: float) -> None:
        """Kill a part after each pause until every task has ended."""
        self.home.configure(CONFIGURATION)
        deadline = time.monotonic() + limit_s
        ended = in_vain = 0
        while not self._is_over():
            assert time.monotonic() < deadline, f"not over: {self.home.counts()} {self.killed}"
            self._keep_up()
            self._kill(self.random.choice(PARTS))
            time.sleep(min(self.pause_s * SLOWER ** max(in_vain - TRIES, 0), PAUSE_MAX_S))
            before, ended = ended, self.notes.count("end")
            in_vain = 0 if ended > before else in_vain + 1
        self._keep_up()

    def _keep_up(self) -> None:
        """What a person would do: start again what is down, and ask again what was not answered."""
        if self._daemon is None or self._daemon.process.poll() is not None:
            self._daemon = self.home.start()
        each = self.tasks // CLIENTS
        for place, client in enumerate(self._clients):
            if self._created[place] or (client is not None and client.poll() is None):
                continue
            if client is not None and client.returncode == 0:
                self._created[place] = True
                continue
            command = [str(self.home.python), "-m", "tests.support.client", str(self.home.path)]
            command += [str(place * each), str(each), *self.notes.worker()]
            self._clients[place] = subprocess.Popen(
                command, cwd=ROOT, env=self.home.environment, text=True, stdout=subprocess.DEVNULL
            )

    def _kill(self, part: str) -> None:
        if part == "daemon" and self._daemon is not None:
            self._daemon.kill()
        elif part == "client":
            for client in self._clients:
                if client is not None and client.poll() is None:
                    client.kill()
                    client.wait()
        else:
            found = {
                "helper": self.home.helpers,
                "supervisor": self.home.supervisors,
                "worker": self.home.workers,
            }.get(part, list)()
            if not found:
                return
            kill(self.random.choice(found))
        self.killed[part] += 1

    def _is_over(self) -> bool:
        if not all(self._created):
            return False
        return self.home.counts().get("done") == self.tasks

    def check(self) -> None:
        """Every task is done once, and every run did its work at most once."""
        eventually(lambda: self.home.ask("stats.show")["live_runs"] == 0)
        self.home.fsck()
        assert self.home.counts() == {"done": self.tasks}
        self.notes.nothing_overlapped()
        started, ended = self.notes.runs("start"), self.notes.runs("end")
        assert set(started.values()) <= {1}
        completed = Counter[int]()
        for number, task, outcome, identified, record in self.home.execute(
            "SELECT id, task_id, outcome, pid, exit_record FROM run"
        ):
            # A check that was killed has failed.
            assert outcome in ("completed", "crashed", "reclaimed", "check_failed"), (
                number,
                outcome,
            )
            if outcome == "completed":
                completed[task] += 1
                assert (started[number], ended[number]) == (1, 1)
            if identified is None or '"never_started": true' in (record or ""):
                assert started[number] == 0
        assert len(completed) == self.tasks
        assert set(completed.values()) == {1}
        eventually(lambda: not list((self.home.board() / "workspaces").iterdir()))
        titles = self.home.execute("SELECT COUNT(DISTINCT title) FROM task")
        assert titles == [(self.tasks,)]
        assert self.home.execute("PRAGMA integrity_check") == [("ok",)]

    def close(self) -> None:
        for client in self._clients:
            if client is not None:
                client.kill()
                client.wait()
