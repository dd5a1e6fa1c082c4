"""The door of a real `shop up`: many at once, visitors that are killed, and requests without measure."""

import json
import re
import signal
import socket
import subprocess
import sys
import textwrap
from contextlib import ExitStack, closing
from pathlib import Path

from shopfloor.domain.limits import REQUEST_BYTES_MAX
from shopfloor.surfaces.cli.client import Ask
from tests.support.waiting import eventually

MANY = 200
SENDS_HALF_AND_WAITS = """
    import socket, sys, time
    door = socket.socket(socket.AF_UNIX)
    door.connect(sys.argv[1])
    door.sendall(b'{"op": "task.create", "args": {"title": "never')
    print("sent", flush=True)
    time.sleep(600)
"""


def visit(home):
    """A connection to the door."""
    guest = socket.socket(socket.AF_UNIX)
    guest.settimeout(280)
    guest.connect(str(home.place.socket))
    return guest


def line(op, **args):
    return json.dumps({"op": op, "args": args, "actor": "ann"}).encode() + b"\n"


def hear(guest):
    with guest.makefile("rb") as answers:
        return json.loads(answers.readline())


def test_two_hundred_connections_that_ask_at_once_are_all_answered(home):
    home.up()
    home.ask("dispatch.pause")
    with ExitStack() as open_until_here:
        guests = [open_until_here.enter_context(closing(visit(home))) for _ in range(MANY)]
        for turn in range(3):
            for number, guest in enumerate(guests):
                guest.sendall(line("task.create", title=f"{turn} {number}"))
            told = [hear(guest)["result"]["task"] for guest in guests]
            assert [task["title"] for task in told] == [f"{turn} {n}" for n in range(MANY)]
            first = turn * MANY + 1
            assert sorted(task["id"] for task in told) == list(range(first, first + MANY))
    assert home.counts() == {"ready": 3 * MANY}


def descriptors(daemon):
    return len(list(Path(f"/proc/{daemon.pid}/fd").iterdir()))


def most_memory(daemon):
    """The most memory that the daemon has had so far, in bytes."""
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{daemon.pid}/status").read_text())
    return int(peak) * 1024


def test_clients_killed_in_the_middle_of_a_request_leave_no_task_and_no_connection(home):
    daemon = home.up()
    home.ask("dispatch.pause")
    before = descriptors(daemon)
    program = textwrap.dedent(SENDS_HALF_AND_WAITS)
    clients = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(home.place.socket)], stdout=subprocess.PIPE
        )
        for _ in range(8)
    ]
    for client in clients:
        assert client.stdout.readline() == b"sent\n"
    assert home.create("beside them") == 1
    for client in clients:
        client.send_signal(signal.SIGKILL)
        client.communicate()
    eventually(lambda: descriptors(daemon) <= before)
    assert home.create("after them") == 2
    assert home.counts() == {"ready": 2}


def test_a_request_without_measure_is_refused_and_the_memory_of_it_is_bounded(home):
    daemon = home.up()
    before = most_memory(daemon)
    with closing(visit(home)) as guest:
        piece = b"x" * (1 << 20)
        for _ in range(4 * REQUEST_BYTES_MAX // len(piece)):
            guest.sendall(piece)
        assert home.create("meanwhile") == 1
        guest.sendall(b"\n")
        assert hear(guest)["error"]["code"] == "limit_reached"
        guest.sendall(line("task.create", title="after it"))
        assert hear(guest)["result"]["task"]["id"] == 2
    assert most_memory(daemon) - before < 2 * REQUEST_BYTES_MAX


def test_a_door_killed_under_load_has_carried_out_each_request_once_or_not_at_all(home):
    """Who was not answered asks the next door the same, and gets the one task that there is."""
    daemon = home.up()
    home.ask("dispatch.pause")
    requests = [
        Ask("task.create", json.dumps({"title": f"t{n}"}).encode(), None, f"r{n}", "ann")
        for n in range(64)
    ]
    with ExitStack() as open_until_here:
        guests = [open_until_here.enter_context(closing(visit(home))) for _ in requests]
        for guest, request in zip(guests, requests, strict=True):
            guest.sendall(request.encode() + b"\n")
        first = hear(guests[0])["result"]["task"]["id"]
        daemon.kill()
    home.up()
    told = [
        home.ask("task.create", request_id=f"r{n}", title=f"t{n}")["task"]["id"] for n in range(64)
    ]
    assert told[0] == first
    assert sorted(told) == list(range(1, 65))
    assert home.counts() == {"ready": 64}
