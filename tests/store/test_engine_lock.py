"""The lock of the process that has a board open."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from shopfloor.domain.errors import Unavailable
from shopfloor.store.lock import BoardLock
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]

LOCKED = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from shopfloor.store.lock import BoardLock

with BoardLock(Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def held_elsewhere(path):
    """Another process that holds the lock until its input ends."""
    child = subprocess.Popen(
        [sys.executable, "-c", LOCKED.format(root=str(ROOT)), path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "mine\n"
    try:
        yield child
    finally:
        child.stdin.close()
        child.stdout.close()
        child.wait(90)


@pytest.fixture
def holder(tmp_path):
    with held_elsewhere(tmp_path / "board.lock") as child:
        yield child


def test_the_lock_names_the_process_that_holds_it(holder, tmp_path):
    with pytest.raises(Unavailable, match=f"process {holder.pid} has held") as refusal:
        BoardLock(tmp_path / "board.lock", wait_s=0.05).acquire()
    assert refusal.value.detail == {"pid": holder.pid}
    assert refusal.value.exit == 75


def test_the_lock_is_taken_as_soon_as_its_holder_ends(holder, tmp_path):
    taken = threading.Event()
    waiting = BoardLock(tmp_path / "board.lock", wait_s=60)
    thread = threading.Thread(target=lambda: [waiting.acquire(), taken.set()])
    thread.start()
    holder.send_signal(signal.SIGKILL)
    assert taken.wait(90)
    assert (tmp_path / "board.lock").read_text().split() == [str(os.getpid())]
    waiting.release()
    thread.join()


def test_the_lock_can_be_taken_again_after_it_was_given_back(tmp_path):
    lock = BoardLock(tmp_path / "board.lock")
    for _ in range(3):
        with lock, pytest.raises(Unavailable, match=f"process {os.getpid()}"):
            BoardLock(tmp_path / "board.lock", wait_s=0).acquire()
    assert (tmp_path / "board.lock").stat().st_mode & 0o777 == 0o600


def test_a_process_that_was_forked_meanwhile_does_not_keep_the_lock(tmp_path):
    lock = BoardLock(tmp_path / "board.lock")
    lock.acquire()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    lock.release()
    with BoardLock(tmp_path / "board.lock", wait_s=0):
        pass
    os.close(writing)
    os.close(reading)
    os.waitpid(child, 0)


def test_a_lock_that_cannot_be_made_is_named(tmp_path):
    with pytest.raises(Unavailable, match="cannot be opened"):
        BoardLock(tmp_path / "no folder" / "board.lock").acquire()


def test_who_lets_go_in_order_may_leave_a_note_for_the_next(tmp_path):
    with BoardLock(tmp_path / "board.lock") as lock:
        assert lock.noted == ""
        lock.note("12 34 56")
    for _ in range(2):
        with BoardLock(tmp_path / "board.lock") as lock:
            assert lock.noted == "12 34 56"


def test_who_fails_leaves_no_note(tmp_path):
    with BoardLock(tmp_path / "board.lock") as lock:
        lock.note("12 34 56")
    with pytest.raises(ZeroDivisionError), BoardLock(tmp_path / "board.lock"):
        raise ZeroDivisionError
    with BoardLock(tmp_path / "board.lock") as lock:
        assert lock.noted == ""


def test_who_is_killed_leaves_no_note(tmp_path):
    with BoardLock(tmp_path / "board.lock") as lock:
        lock.note("12 34 56")
    with held_elsewhere(tmp_path / "board.lock") as holder:
        holder.kill()
    with BoardLock(tmp_path / "board.lock") as lock:
        assert lock.noted == ""


def test_the_lock_goes_to_those_who_wait_in_the_order_in_which_they_came(tmp_path):
    first = BoardLock(tmp_path / "board.lock")
    first.acquire()
    came = []

    def wait(number):
        with BoardLock(tmp_path / "board.lock", wait_s=90):
            came.append(number)

    waiting = []
    for number in range(5):
        waiting.append(threading.Thread(target=wait, args=(number,)))
        waiting[-1].start()
        eventually(lambda number=number: queued_for(tmp_path / "board.lock") == number + 1)
    first.release()
    for thread in waiting:
        thread.join()
    assert came == [0, 1, 2, 3, 4]


def test_who_waited_in_vain_does_not_get_the_lock_later(holder, tmp_path):
    for _ in range(3):
        with pytest.raises(Unavailable):
            BoardLock(tmp_path / "board.lock", wait_s=0.01).acquire()
    holder.kill()
    with BoardLock(tmp_path / "board.lock"):
        pass
    eventually(lambda: queued_for(tmp_path / "board.lock") == 0)
    with BoardLock(tmp_path / "board.lock", wait_s=0):
        pass


def test_who_waits_gives_way_when_there_is_no_need_to_wait(holder, tmp_path):
    asked = []
    lock = BoardLock(tmp_path / "board.lock", wait_s=60, give_way=lambda: asked.append(1) or True)
    with pytest.raises(Unavailable):
        lock.acquire()
    assert asked == [1]


def queued_for(path):
    """How many wait for the lock of a file, as the kernel lists them."""
    inode = f":{path.stat().st_ino} "
    lines = Path("/proc/locks").read_text().splitlines()
    return sum(1 for line in lines if "->" in line and inode in line)
