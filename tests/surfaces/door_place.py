"""A door, its desk and a board in this process, and guests with real sockets.

`Place.hold` keeps the desk inside a transaction, so that what the test sends meanwhile is there all at
once when it is let go: what shares a commit, and who waits for whom, is then no question of time.
"""

import json
import socket
import threading

from shopfloor.app.boards import HomeBoards
from shopfloor.app.own_door import prepare_board, release_board
from shopfloor.app.service import BoardService, clock
from shopfloor.config import Home
from shopfloor.daemon.desk import Desk
from shopfloor.daemon.door import Door
from shopfloor.domain.errors import Unavailable
from shopfloor.store import tasks
from shopfloor.store.migrate import open_sqlite
from shopfloor.store.owner import Owner


class Guest:
    """One connection, used as a client uses it."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(90)
        self.rest = b""
        try:
            self.socket.connect(str(path))
        except OSError:
            self.socket.close()
            raise

    def send(self, op, request_id=None, run=None, **args):
        request = {"op": op, "args": args, "actor": "ann"}
        if request_id is not None:
            request["request_id"] = request_id
        if run is not None:
            request |= {"run": run["run"], "token": run["token"]}
        self.socket.sendall(json.dumps(request).encode() + b"\n")

    def hear(self):
        """The next answer; None at the end of the conversation."""
        while b"\n" not in self.rest:
            data = self.socket.recv(1 << 16)
            if not data:
                assert self.rest == b""
                return None
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        return json.loads(line)

    def ask(self, op, request_id=None, run=None, **args):
        self.send(op, request_id, run, **args)
        return self.hear()

    def create(self, title="a task", **args):
        return self.ask("task.create", title=title, **args)["result"]["task"]["id"]


class Place:
    """A home with its default board behind a door."""

    def __init__(self, folder):
        self.home = Home(folder)
        self.guests = []
        self.asked = []
        self.said = []
        self.full = False
        boards = HomeBoards(self.home, prepare=prepare_board, release=release_board)
        self.folder = boards.resolve(None)
        database = open_sqlite(
            self.folder.database, create=False, clock=clock, probe=self._statement
        )
        self.desk = Desk()
        self.owner = Owner(database, summon=self.desk.summon)
        self.desk.take_on(self.owner)
        self.service = BoardService(self.home, self.folder, self.owner, boards)
        self.door = Door(self.home.socket, self.desk, self, report=self.said.append)

    def known(self, named):
        return self.service if named in (None, "default") else None

    def find(self, named):
        raise Unavailable(f"{named} is not served here")

    def guest(self):
        guest = Guest(self.home.socket)
        self.guests.append(guest)
        return guest

    def hold(self):
        """Keep the desk busy; what is answered lets it go on."""
        inside, go = threading.Event(), threading.Event()

        def work(_tx):
            inside.set()
            assert go.wait(90)

        self.owner.submit(work, lambda _: None)
        assert inside.wait(90)

        def let_go():
            self.asked.clear()
            go.set()

        return let_go

    def count(self):
        """How many tasks are ready, read beside the door."""
        return dict(self.owner.read(tasks.counts)).get("ready", 0)

    def _statement(self, name):
        self.asked.append(name)
        if self.full and name == "commit" and "savepoint" in self.asked:
            self.full = False
            raise Unavailable("the disk is full")

    def close(self):
        for guest in self.guests:
            guest.socket.close()
        self.door.close()
        self.owner.close()
        self.desk.close()
