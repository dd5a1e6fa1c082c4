"""The API of a running `shop up`: a page of tasks at a steady rate, 200 open event streams, the first load.

The page is asked for 50 times a second over four connections, each request at its time whether or not the one
before was answered; a time counts from that moment.  The streams are read by one program that does nothing
else, while another makes and changes tasks at the door; every stream must get every event, in order.
Memory is that of the web's process and of `shop up`, each whole, with all streams open.  The first load is what a
browser gets for the board's page: the page and everything that it and its modules name, compressed.
"""

from __future__ import annotations

import http.client
import json
import re
import selectors
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from posixpath import dirname, join, normpath
from urllib.parse import urlsplit

from bench import proc
from bench.env import CouldNotMeasure, Env
from bench.figures import Figure, Line, Result, at_most
from bench.load import pause
from bench.rounds import percentile
from bench.shop import Shop

TASKS = 100_000
RATE = 50
CONNECTIONS = 4
STREAMS = 200
CHANGES_PER_S = 40
LIMIT_S = 30.0
PATH = "/api/v1/tasks?limit=100"
_ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)
# What a page names, and what a module imports at once; `import(…)` is for later.
_NAMED = re.compile(
    r"""(?:\b(?:src|href)=|\bfrom\s+|^import\s+)["']([^"']+\.(?:js|css|svg))["']""", re.MULTILINE
)


def run(env: Env) -> Result:
    """Measure it."""
    shop = Shop.make(env, "[web]\nport = 0\n")
    shop.fill(TASKS)
    with shop.up() as daemon:
        site = Site(shop)
        times = site.listing(env.choose(20.0, 5.0))
        changed, missed, memory = site.streams(env.choose(10.0, 4.0), daemon.pid)
        first = site.first_load()
    return Result(
        (
            Line(
                f"api: a page of {TASKS:,} tasks, p99 at {RATE}/s",
                Figure(1000 * percentile(times, 99), "ms"),
                goal=at_most(20, "ms"),
            ),
            Line(
                f"api: events missed by {STREAMS} streams", Figure(missed, ""), goal=at_most(0, "")
            ),
            Line(
                f"api: memory with {STREAMS} streams", Figure(memory, "MB"), goal=at_most(150, "MB")
            ),
            Line(
                "api: first load, compressed", Figure(first / 1000, "KB"), goal=at_most(150, "KB")
            ),
        ),
        (
            f"a page: p50 {1000 * percentile(times, 50):.1f} ms, worst {1000 * max(times):.1f} ms",
            f"each stream got {changed} events",
        ),
    )


class Site:
    """The web of a running home, and who may ask there."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        secret = shop.ask("token.create", name="bench", role="operator")["secret"]
        self._headers = {"Authorization": f"Bearer {secret}"}
        told = json.loads(shop.home.web.read_text())
        parts = urlsplit(told["url"])
        self._host, self._port = str(parts.hostname), int(parts.port or 0)
        self.get(self._connected(), "/readyz")

    def _connected(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._host, self._port, timeout=LIMIT_S)

    def get(self, connection: http.client.HTTPConnection, path: str, **headers: str) -> bytes:
        """One answer's body."""
        connection.request("GET", path, headers={**self._headers, **headers})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise CouldNotMeasure(f"{path} was answered {answer.status}: {body[:200]!r}")
        return body

    def listing(self, seconds: float) -> list[float]:
        """The times of requests that are sent at a steady rate, in seconds."""
        begun = time.monotonic() + 0.5

        def ask(first: int) -> list[float]:
            connection, taken = self._connected(), []
            self.get(connection, PATH)
            for number in range(first, int(seconds * RATE), CONNECTIONS):
                due = begun + number / RATE
                pause(max(due - time.monotonic(), 0))
                self.get(connection, PATH)
                taken.append(time.monotonic() - due)
            connection.close()
            return taken

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            return [one for taken in pool.map(ask, range(CONNECTIONS)) for one in taken]

    def streams(self, seconds: float, daemon: int) -> tuple[int, int, float]:
        """How many events came, how many a stream missed, and the memory of those who serve, in MB."""
        cursor = int(self._shop.ask("event.list", limit=1)["last"])
        readers = [self._stream(cursor) for _ in range(STREAMS)]
        over = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            heard = pool.submit(read_all, readers, over)
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                self._shop.ask("task.create", title="Something new")
                pause(1 / CHANGES_PER_S)
            last = int(self._shop.ask("event.list", limit=1)["last"])
            memory = sum(proc.memory(pid).pss for pid in self._processes(daemon))
            deadline = time.monotonic() + LIMIT_S
            while time.monotonic() < deadline and any(one.last < last for one in readers):
                pause(0.05)
            over.set()
            heard.result()
        for one in readers:
            one.connection.close()
        expected = list(range(cursor + 1, last + 1))
        return len(expected), sum(len(set(expected) - set(one.ids)) for one in readers), memory

    def _processes(self, daemon: int) -> list[int]:
        return [pid for pid in proc.family(daemon) if "helper" not in proc.command(pid)]

    def _stream(self, cursor: int) -> Reader:
        connection = socket.create_connection((self._host, self._port))
        lines = [
            f"GET /api/v1/events/stream?board=default&after={cursor} HTTP/1.1",
            f"Host: {self._host}",
            *(f"{name}: {value}" for name, value in self._headers.items()),
        ]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        connection.setblocking(False)
        return Reader(connection)

    def first_load(self) -> int:
        """The bytes that a browser gets for the board's page."""
        connection, size = self._connected(), 0
        wanted, seen = ["/b/default"], set[str]()
        while wanted:
            path = wanted.pop()
            if path in seen:
                continue
            seen.add(path)
            size += len(self.get(connection, path, **{"Accept-Encoding": "gzip"}))
            text = self.get(connection, path).decode(errors="replace")
            wanted += [normpath(join(dirname(path), name)) for name in _NAMED.findall(text)]
        connection.close()
        return size


class Reader:
    """One open stream, and the events that it got."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.ids: list[int] = []
        self._rest = b""

    @property
    def last(self) -> int:
        """The newest event that it got."""
        return self.ids[-1] if self.ids else 0

    def take(self) -> None:
        """Read what is there."""
        data = self.connection.recv(1 << 16)
        if not data:
            raise CouldNotMeasure("a stream was closed")
        lines, _, self._rest = (self._rest + data).rpartition(b"\n")
        self.ids += [int(found) for found in _ID.findall(lines)]


def read_all(readers: list[Reader], over: threading.Event) -> None:
    """Read all streams until it is over."""
    with selectors.DefaultSelector() as selector:
        for one in readers:
            selector.register(one.connection, selectors.EVENT_READ, one)
        while not over.is_set():
            for key, _ in selector.select(0.2):
                key.data.take()
