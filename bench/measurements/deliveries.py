"""How fast stored messages leave: 10,000 of them to one local webhook, from the first that arrives to the last.

Each belongs to a subscription of its own, so none goes along with another.  They are copied from one that
the board made, while nothing has the file open; then `shop up` is started and finds them.  In the time is
everything that a message needs: taking it with a durable commit, a connection of its own, the answer, and
writing down what came of it before the next one is taken.  The sink is a server in a process of its own
that answers 200 at once; it counts how often each message came, by its idempotency key.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from bench.env import CouldNotMeasure, Env
from bench.figures import Figure, Line, Result, at_least
from bench.load import pause
from bench.shop import Shop

MESSAGES, MESSAGES_QUICK = 10_000, 2_000
LIMIT_S = 300.0
LOOK_S = 0.1
SINK = """
import collections, json, socketserver, sys, time
came, times = collections.Counter(), []
class Post(socketserver.StreamRequestHandler):
    def handle(self):
        length, key = 0, ""
        self.rfile.readline()
        for line in iter(self.rfile.readline, b"\\r\\n"):
            name, _, value = line.decode().partition(":")
            length = int(value) if name == "Content-Length" else length
            key = value.strip() if name == "Idempotency-Key" else key
        self.rfile.read(length)
        came[key] += 1
        times.append(time.monotonic())
        self.wfile.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
class Server(socketserver.TCPServer):
    request_queue_size = 256
with Server(("127.0.0.1", 0), Post) as server:
    print(server.server_address[1], flush=True)
    wanted = int(sys.argv[1])
    while len(times) < wanted:
        server.handle_request()
    server.timeout = 1.0
    server.handle_request()
    most = max(came.values())
    print(json.dumps([len(came), len(times), most, times[-1] - times[0]]), flush=True)
"""


def run(env: Env) -> Result:
    """Measure it."""
    count = env.choose(MESSAGES, MESSAGES_QUICK)
    shop = Shop.make(env, "[web]\nport = 0\n")
    with _sink(count) as (sink, port):
        _store(shop, f"webhook:http://127.0.0.1:{port}/", count)
        with shop.up():
            env.say(f"bench: waiting for {count:,} messages")
            messages, requests, most, took_s = _heard(sink)
            sent = _settled(shop, count)
    note = (
        f"{messages:,} different messages in {requests:,} requests, none more than {most} time(s);"
        f" {sent:,} are written down as sent"
    )
    return Result(
        (
            Line(
                "deliveries: messages to one webhook",
                Figure(requests / took_s, "/s"),
                goal=at_least(300, "/s"),
            ),
        ),
        (note,),
    )


@contextlib.contextmanager
def _sink(count: int) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The server, and its port."""
    sink = subprocess.Popen(
        [sys.executable, "-c", SINK, str(count)], stdout=subprocess.PIPE, text=True
    )
    assert sink.stdout is not None
    try:
        yield sink, int(sink.stdout.readline())
    finally:
        sink.kill()
        sink.wait()
        sink.stdout.close()


def _store(shop: Shop, target: str, count: int) -> None:
    """So many messages on the board, each of a subscription of its own."""
    task = shop.ask("task.create", title="A task that somebody follows")["task"]["id"]
    shop.ask("subscription.add", target=target, task=task)
    shop.ask("task.complete", id=task, summary="All of it is done, and this is what was found.")
    with contextlib.closing(sqlite3.connect(shop.database)) as connection, connection:
        copies = {
            "subscription": {"about": "'task:' || (1000 + n)"},
            "delivery": {"subscription_id": "n", "event_id": "1000 + n"},
        }
        for table, changes in copies.items():
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            names.remove("id")
            taken = ", ".join(changes.get(name, name) for name in names)
            connection.execute(
                "WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers"
                f" WHERE n < ?) INSERT INTO {table} ({', '.join(names)})"
                f" SELECT {taken} FROM numbers, {table} WHERE {table}.id = 1",
                (count,),
            )


def _heard(sink: subprocess.Popen[str]) -> tuple[int, int, int, float]:
    """What the sink counted, when all have come."""
    assert sink.stdout is not None
    line: list[Any] = json.loads(sink.stdout.readline() or "null") or []
    if not line:
        raise CouldNotMeasure("the sink ended before all messages had come")
    messages, requests, most, took_s = line
    return int(messages), int(requests), int(most), float(took_s)


def _settled(shop: Shop, count: int) -> int:
    """How many are written down as sent, when no more come."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        with contextlib.closing(sqlite3.connect(shop.database)) as connection:
            [(sent,)] = connection.execute("SELECT COUNT(*) FROM delivery WHERE state = 'sent'")
        if sent == count or time.monotonic() > deadline:
            return int(sent)
        pause(LOOK_S)
