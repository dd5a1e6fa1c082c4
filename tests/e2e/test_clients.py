"""Requests whose client or whose door dies: carried out once, and answered however often it takes."""

import json
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

from tests.support.home import Home
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
ANSWERS_S = 270
DIES_AFTER_SENDING = """
    import os, signal, socket, sys
    door = socket.socket(socket.AF_UNIX)
    door.connect(sys.argv[1])
    door.sendall(sys.argv[2].encode() + b"\\n")
    os.kill(os.getpid(), signal.SIGKILL)
"""

HOLDS_A_LOCK = """
    import fcntl, os, sys, time
    lock = open(sys.argv[1], "r+")
    fcntl.flock(lock, fcntl.LOCK_EX)
    lock.write(str(os.getpid()))
    lock.flush()
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_client_killed_before_it_read_its_answer_finds_the_stored_one(home):
    home.up()
    request = {"op": "task.create", "args": {"title": "once"}, "request_id": "r1", "actor": "ann"}
    program = textwrap.dedent(DIES_AFTER_SENDING)
    died = subprocess.run(
        [sys.executable, "-c", program, str(home.place.socket), json.dumps(request)], check=False
    )
    assert died.returncode == -signal.SIGKILL
    eventually(lambda: home.counts().get("ready") == 1)
    answer = home.ask("task.create", request_id="r1", title="once")
    assert (answer["task"]["id"], answer["task"]["title"]) == (1, "once")
    assert home.counts() == {"ready": 1}
    assert home.kinds(1) == ["created"]


def start_client(home, first, count):
    """A process that creates tasks and prints their numbers."""
    command = [str(home.python), "-m", "tests.support.client", str(home.path)]
    return subprocess.Popen(
        [*command, str(first), str(count), "true"],
        cwd=ROOT,
        env=home.environment,
        text=True,
        stdout=subprocess.PIPE,
    )


def test_clients_get_their_answers_from_the_next_door_or_become_it(home):
    """The door is killed three times while four clients ask; after the last time none is opened again."""
    home.configure("[dispatch]\nhost_cap = 1\n")
    door = home.up()
    home.ask("dispatch.pause")
    clients = [start_client(home, place * 100, 100) for place in range(4)]
    for wanted in (40, 80, 120):
        eventually(lambda wanted=wanted: sum(home.counts().values()) >= wanted)
        door.kill()
        if wanted < 120:
            door = home.up()
    told = [client.communicate(timeout=ANSWERS_S)[0].split() for client in clients]
    assert [client.returncode for client in clients] == [0, 0, 0, 0]
    numbers = [int(number) for one in told for number in one]
    assert Counter(numbers) == Counter(range(1, 401))
    titles = home.execute("SELECT title FROM task")
    assert sorted(titles) == sorted((f"task {n}",) for n in range(400))


def test_clients_of_a_door_that_stops_in_good_order_are_served_too(home):
    door = home.up()
    home.ask("dispatch.pause")
    clients = [start_client(home, place * 100, 100) for place in range(4)]
    eventually(lambda: sum(home.counts().values()) >= 40)
    assert door.term() == 0
    home.up()
    for client in clients:
        client.communicate(timeout=ANSWERS_S)
    assert [client.returncode for client in clients] == [0, 0, 0, 0]
    assert home.counts() == {"ready": 400}


def test_eight_clients_without_a_daemon_lose_no_acknowledged_write(home):
    """Each request opens the board, writes, and closes it: nobody starves and nothing is lost."""
    clients = [start_client(home, place * 15, 15) for place in range(8)]
    told = [client.communicate(timeout=ANSWERS_S)[0].split() for client in clients]
    assert [client.returncode for client in clients] == [0] * 8
    assert sorted(int(number) for one in told for number in one) == list(range(1, 121))
    assert home.counts() == {"ready": 120}
    assert home.execute("PRAGMA integrity_check") == [("ok",)]


def test_eight_processes_claim_and_complete_every_task_once_without_a_daemon(home):
    for number in range(48):
        home.create(f"task {number}")
    command = [str(home.python), "-m", "tests.support.puller", str(home.path)]
    pullers = [
        subprocess.Popen(command, cwd=ROOT, env=home.environment, text=True, stdout=subprocess.PIPE)
        for _ in range(8)
    ]
    told = [puller.communicate(timeout=ANSWERS_S)[0].split() for puller in pullers]
    assert [puller.returncode for puller in pullers] == [0] * 8
    done = Counter(int(number) for one in told for number in one)
    assert done == Counter(range(1, 49))
    assert home.counts() == {"done": 48}
    assert {run["outcome"] for n in done for run in home.runs(n)} == {"completed"}
    assert home.execute("PRAGMA integrity_check") == [("ok",)]


def holder_of(lock):
    """A process that holds a lock file as the owner of a board does, until it is killed."""
    program = textwrap.dedent(HOLDS_A_LOCK)
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(lock)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    return holder


def test_who_finds_the_board_or_the_home_taken_waits_and_then_names_the_process_that_has_it(
    home, tmp_path
):
    """A second `shop up`, and a command beside an owner that opens no door."""
    first = home.up()
    second = home.start()
    other = Home(tmp_path / "other")
    other.create("first")
    with holder_of(other.board() / "board.lock") as holder:
        refused = other.shop("create", "second")
        assert second.wait() == 75
        holder.kill()
    assert refused.returncode == 75
    assert str(holder.pid) in refused.stderr
    assert str(first.pid) in second.log()
    assert home.create("still served") == 1
    assert other.counts() == {"ready": 1}
    other.close()


def test_a_command_goes_on_as_soon_as_the_board_is_free(home):
    home.create("first")
    with holder_of(home.board() / "board.lock") as holder:
        waiting = subprocess.Popen(
            [str(home.python), "-m", "shopfloor", "create", "second"],
            env=home.environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        eventually(lambda: _has_open(waiting.pid, home.board() / "board.lock"))
        assert waiting.poll() is None
        holder.kill()
        said, _ = waiting.communicate(timeout=ANSWERS_S)
    assert waiting.returncode == 0
    assert "#2" in said


def _has_open(pid, path):
    """Whether a process has a file open just now."""
    try:
        names = list(Path(f"/proc/{pid}/fd").iterdir())
        return any(name.readlink() == path for name in names)
    except FileNotFoundError:
        return False
