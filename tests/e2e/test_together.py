"""Commands that wait for a board without a daemon and are carried out by whoever has it, with its own."""

import json
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from shopfloor.app.boards import HomeBoards
from shopfloor.app.own_door import answer, prepare_board, release_board
from shopfloor.app.service import BoardService, open_database
from shopfloor.app.together import answer_those_who_come
from shopfloor.domain.errors import Unavailable
from shopfloor.ops.call import Envelope, call
from shopfloor.ops.schema import decode
from shopfloor.store.lock import BoardLock
from shopfloor.surfaces.cli.client import Ask
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
KILLED = 12
BATCH = 40
ANSWER_S = 200


@pytest.fixture
def lock(home):
    """The lock of a board that has one task, held by this test."""
    home.create("first")
    lock = BoardLock(home.board() / "board.lock")
    lock.acquire()
    yield lock
    lock.release()


def spool(home):
    return home.board() / "board.spool"


def letters(home):
    """The letters that are whole."""
    found = spool(home).glob("*.letter") if spool(home).exists() else ()
    return [letter for letter in found if letter.read_bytes().endswith(b"\n")]


def await_letters(home, count):
    eventually(lambda: len(letters(home)) == count)


def start(home, *arguments):
    """A `shop` command that is not waited for."""
    return subprocess.Popen(
        [str(home.python), "-m", "shopfloor", *arguments, "--json"],
        env=home.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(command):
    """Its exit status and what it printed."""
    out, err = command.communicate(timeout=ANSWER_S)
    return command.returncode, json.loads(out or err)


def start_client(home, first, count):
    """A process that creates tasks and prints their numbers; started again it creates none twice."""
    command = [str(home.python), "-m", "tests.support.client", str(home.path)]
    return subprocess.Popen(
        [*command, str(first), str(count), "true"],
        cwd=ROOT,
        env=home.environment,
        text=True,
        stdout=subprocess.PIPE,
    )


def test_commands_that_wait_share_one_commit_and_each_has_its_own_answer(home, lock):
    asked = [
        ("create", "second"),
        ("create", "third"),
        ("comment", "1", "seen"),
        ("complete", "99"),
        ("show", "1"),
    ]
    commands = [start(home, *words) for words in asked]
    await_letters(home, len(commands))
    lock.release()
    ends = [end(command) for command in commands]
    assert [status for status, _ in ends] == [0, 0, 0, 3, 0]
    assert ends[3][1]["error"]["code"] == "not_found"
    assert ends[4][1]["task"]["title"] == "first"
    # All that one transaction writes has one time.
    assert len(home.execute("SELECT DISTINCT created_at FROM task WHERE id > 1")) == 1
    assert home.counts() == {"ready": 3}
    assert list(spool(home).iterdir()) == []


def test_who_comes_while_others_are_answered_is_answered_before_the_board_is_closed(home, lock):
    boards = HomeBoards(home.place, prepare=prepare_board, release=release_board)
    folder = boards.resolve(None)
    service = BoardService(home.place, folder, open_database(folder), boards)
    for title in ("second", "third"):
        waiting = start(home, "create", title)
        await_letters(home, 1)
        answer_those_who_come(service, service.database, lock)
        assert end(waiting)[0] == 0
    service.close()
    assert list(spool(home).iterdir()) == []
    lock.release()
    assert home.counts() == {"ready": 3}


def test_what_is_more_than_one_transaction_is_left_to_its_author(home, lock):
    commands = [start(home, "create", "second"), start(home, "cancel", "1", "2")]
    await_letters(home, 2)
    lock.release()
    created, cancelled = (end(command) for command in commands)
    assert created[0] == 0
    # Each of the two ids has an end of its own, and the second may come before its task.
    assert [one["id"] for one in cancelled[1]] == [1, 2]
    assert home.status(1) == "cancelled"
    assert list(spool(home).iterdir()) == []


def test_what_waits_for_who_cannot_share_is_carried_out_too(home, lock):
    """The door's own request is none of one transaction."""
    waiting = start(home, "create", "second")
    await_letters(home, 1)
    lock.release()
    assert home.shop("board", "list").returncode == 0
    assert end(waiting)[0] == 0
    assert home.counts() == {"ready": 2}


def test_a_killed_command_that_only_waited_is_not_carried_out(home, lock):
    waiting = start(home, "create", "never")
    await_letters(home, 1)
    waiting.send_signal(signal.SIGKILL)
    waiting.communicate(timeout=ANSWER_S)
    lock.release()
    assert home.create("second") == 2
    assert home.execute("SELECT title FROM task ORDER BY id") == [("first",), ("second",)]
    assert list(spool(home).iterdir()) == []


def test_a_command_that_waited_in_vain_is_not_carried_out_later(home, lock):
    request = Ask("task.create", b'{"title": "never"}', None, "r1", "ann").encode()
    with pytest.raises(Unavailable, match="The board is in use"):
        answer(home.place, request, time.monotonic() + 0.05)
    lock.release()
    assert home.create("second") == 2
    assert home.counts() == {"ready": 2}


def test_what_was_committed_and_not_answered_is_done_once_and_answered_the_same(home, lock):
    waiting = start(home, "create", "second")
    await_letters(home, 1)
    (letter,) = lock.collect()
    boards = HomeBoards(home.place, prepare=prepare_board, release=release_board)
    folder = boards.resolve(None)
    service = BoardService(home.place, folder, open_database(folder), boards)
    told = json.loads(call(service, decode(letter.request, Envelope)))
    service.close()
    lock.release()
    status, answered = end(waiting)
    assert (status, answered) == (0, told["result"])
    assert home.counts() == {"ready": 2}
    assert home.kinds(2) == ["created"]


def test_eight_clients_lose_nothing_while_whoever_has_the_board_is_killed(home):
    home.create("first")
    clients = {first: start_client(home, first, BATCH) for first in range(0, 8 * BATCH, BATCH)}
    wanted = 8 * BATCH
    told = {}
    killed = 0
    while clients:
        holder = (home.board() / "board.lock").read_text().split()[0]
        for first, client in list(clients.items()):
            if client.poll() == 0:
                told[first] = clients.pop(first).communicate()[0].split()
                if killed < KILLED:
                    # There must be somebody to kill, however fast they are and slow this loop is.
                    clients[wanted] = start_client(home, wanted, BATCH)
                    wanted += BATCH
            elif client.returncode is not None:
                client.communicate()
                assert client.returncode == -signal.SIGKILL
                clients[first] = start_client(home, first, BATCH)
            elif killed < KILLED and client.pid == int(holder):
                client.kill()
                killed += 1
    assert killed == KILLED
    numbers = [int(number) for one in told.values() for number in one]
    assert Counter(numbers) == Counter(range(2, 2 + wanted))
    titles = home.execute("SELECT title FROM task WHERE id > 1")
    assert sorted(titles) == sorted((f"task {n}",) for n in range(wanted))
    home.create("last")
    assert list(spool(home).iterdir()) == []


def test_a_daemon_that_starts_while_commands_wait_serves_them(home, lock):
    lock.release()
    home.ask("dispatch.pause")
    lock.acquire()
    clients = [start_client(home, place * 100, 20) for place in range(4)]
    await_letters(home, 4)
    daemon = home.start()
    lock.release()
    for client in clients:
        client.communicate(timeout=ANSWER_S)
    assert [client.returncode for client in clients] == [0] * 4
    eventually(lambda: " serving " in daemon.log())
    titles = home.execute("SELECT title FROM task WHERE id > 1")
    assert len(titles) == len(set(titles)) == 80
