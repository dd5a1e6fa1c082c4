"""The requests that are left beside a board's lock, and what becomes of them when somebody dies."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from shopfloor.domain.errors import Unavailable
from shopfloor.store import lock as locking
from shopfloor.store import spool
from shopfloor.store.lock import BoardLock
from shopfloor.store.spool import Letter, collect
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]

LEAVES_A_LETTER = """
import os, signal, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from shopfloor.store.spool import Letter

letter = Letter(Path(sys.argv[1]), b"from a process that dies")
print("left", flush=True)
sys.stdin.read()
"""

HOLDS_AND_COLLECTS = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from shopfloor.store.lock import BoardLock

lock = BoardLock(Path(sys.argv[1]))
lock.acquire()
print("mine", flush=True)
for line in sys.stdin:
    if line == "collect\\n":
        letters = lock.collect()
        print(len(letters), flush=True)
    if line == "answer\\n":
        for letter in letters:
            letter.send_back(b"done: " + letter.request)
"""


class Waiting:
    """Somebody who waits for the lock in a thread, with a request for its holder."""

    def __init__(self, path, request, wait_s=60.0, *, gives_way=False):
        self.lock = BoardLock(path, wait_s=wait_s, request=request, give_way=self._looked)
        self.refusal = None
        self.looks = 0
        self._gives_way = gives_way
        self._thread = threading.Thread(target=self._acquire)
        self._thread.start()

    def impatient(self):
        """From now on its time is over."""
        self.lock._wait_s = 0

    def is_over(self):
        return not self._thread.is_alive()

    def _looked(self):
        self.looks += 1
        return self._gives_way

    def _acquire(self):
        try:
            self.lock.acquire()
        except Unavailable as refusal:
            self.refusal = refusal

    def end(self):
        """The answer that came; None where the lock did."""
        self._thread.join(90)
        assert not self._thread.is_alive()
        return self.lock.answer


class Holder:
    """Another process that holds the lock and does as it is told."""

    def __init__(self, path):
        program = HOLDS_AND_COLLECTS.format(root=str(ROOT))
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "mine\n"

    def tell(self, word):
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def collect(self):
        self.tell("collect")
        return int(self.process.stdout.readline())

    def end(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(90)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "board.lock"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "board.spool"


@pytest.fixture
def holder(path):
    holding = Holder(path)
    yield holding
    if holding.process.returncode is None:
        holding.end()


@pytest.fixture
def held(path):
    with BoardLock(path) as lock:
        yield lock


def letters_in(folder):
    """Those that are whole."""
    found = sorted(folder.glob("*.letter")) if folder.exists() else []
    return [letter for letter in found if letter.read_bytes().endswith(b"\n")]


def await_letters(folder, count):
    eventually(lambda: len(letters_in(folder)) == count)


def test_who_waits_is_answered_by_the_holder_and_does_not_take_the_lock(held, path, folder):
    waiting = Waiting(path, b"do this")
    await_letters(folder, 1)
    (letter,) = held.collect()
    assert letter.request == b"do this"
    letter.send_back(b"done")
    assert waiting.end() == b"done"
    held.note("still held here")
    assert list(folder.iterdir()) == []


def test_an_answer_of_any_length_comes_whole(held, path, folder):
    waiting = Waiting(path, b"x" * 300_000)
    await_letters(folder, 1)
    (letter,) = held.collect()
    assert letter.request == b"x" * 300_000
    letter.send_back(b"y" * 5_000_000)
    assert waiting.end() == b"y" * 5_000_000


def test_the_letters_are_collected_in_the_order_in_which_they_were_left(tmp_path):
    left = [Letter(tmp_path, b"%d" % number) for number in range(12)]
    collected = collect(tmp_path)
    assert [letter.request for letter in collected] == [b"%d" % number for number in range(12)]
    for letter in collected:
        letter.send_back(letter.request * 2)
    assert [letter.answer() for letter in left] == [b"%d%d" % (n, n) for n in range(12)]
    for letter in left:
        letter.close()


def test_a_holder_takes_a_bounded_number_and_the_next_takes_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "LETTERS_MAX", 2)
    left = [Letter(tmp_path, b"%d" % number) for number in range(3)]
    for expected in ([b"0", b"1"], [b"2"], []):
        collected = collect(tmp_path)
        assert [letter.request for letter in collected] == expected
        for letter in collected:
            letter.send_back(b"")
    for letter in left:
        letter.close()


def test_nobody_but_its_user_can_read_a_letter(held, path, folder):
    waiting = Waiting(path, b"with a token")
    await_letters(folder, 1)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {found.stat().st_mode & 0o777 for found in folder.iterdir()} == {0o600}
    (letter,) = held.collect()
    letter.send_back(b"done")
    waiting.end()


def test_who_lets_go_rings_for_the_oldest_letter_that_was_left(held, path, folder, monkeypatch):
    """Nobody looks up by itself here, so it is the bell that wakes."""
    monkeypatch.setattr(locking, "LOOK_UP_S", 3600)
    waiting = [Waiting(path, b"first"), Waiting(path, b"second")]
    await_letters(folder, 2)
    held.release()
    eventually(lambda: any(one.is_over() for one in waiting))
    (door,) = [one for one in waiting if one.is_over()]
    assert door.lock.answer is None
    (letter,) = door.lock.collect()
    letter.send_back(b"done")
    door.lock.release()
    assert {one.end() for one in waiting} == {None, b"done"}


def test_a_letter_that_is_left_to_its_author_is_collected_by_nobody_else(held, path, folder):
    waiting = Waiting(path, b"not here")
    await_letters(folder, 1)
    (letter,) = held.collect()
    letter.send_back(b"")
    assert held.collect() == []
    held.release()
    assert waiting.end() is None
    waiting.lock.note("the lock is here now")
    waiting.lock.release()


def test_who_waits_in_vain_takes_its_letter_back_and_it_is_not_carried_out(held, path, folder):
    waiting = Waiting(path, b"too late", wait_s=0.05)
    assert waiting.end() is None
    assert f"process {os.getpid()} has held" in waiting.refusal.message
    assert list(folder.iterdir()) == []
    assert held.collect() == []


def test_who_gives_way_takes_its_letter_back(held, path, folder):
    waiting = Waiting(path, b"not needed", gives_way=True)
    assert waiting.end() is None
    assert waiting.refusal is not None
    assert held.collect() == []
    assert list(folder.iterdir()) == []


def test_a_letter_is_either_collected_or_taken_back(tmp_path):
    kept, taken = Letter(tmp_path, b"kept"), Letter(tmp_path, b"taken back")
    assert taken.take_back()
    assert taken.take_back()
    (letter,) = collect(tmp_path)
    assert letter.request == b"kept"
    assert not kept.take_back()
    letter.send_back(b"")
    assert kept.take_back()
    kept.close()
    taken.close()


def test_what_a_frozen_holder_has_collected_is_waited_for_beyond_the_usual_limit(
    holder, path, folder, monkeypatch
):
    monkeypatch.setattr(locking, "ANSWER_WAIT_S", 3_600)
    waiting = Waiting(path, b"slow")
    await_letters(folder, 1)
    assert holder.collect() == 1
    holder.process.send_signal(signal.SIGSTOP)
    waiting.impatient()
    seen = waiting.looks
    eventually(lambda: waiting.looks > seen + 3)
    assert not waiting.is_over()
    holder.process.send_signal(signal.SIGCONT)
    holder.tell("answer")
    assert waiting.end() == b"done: slow"


def test_a_holder_that_never_answers_is_named_and_the_end_is_called_unknown(
    holder, path, folder, monkeypatch
):
    monkeypatch.setattr(locking, "ANSWER_WAIT_S", 0.1)
    waiting = Waiting(path, b"slow")
    await_letters(folder, 1)
    assert holder.collect() == 1
    waiting.impatient()
    assert waiting.end() is None
    assert f"Process {holder.process.pid} has taken the request" in waiting.refusal.message
    assert "not known" in waiting.refusal.message


@pytest.mark.parametrize("has_collected", [True, False])
def test_who_waits_for_a_holder_that_dies_has_the_lock(holder, path, folder, has_collected):
    waiting = Waiting(path, b"mine again")
    await_letters(folder, 1)
    if has_collected:
        assert holder.collect() == 1
    holder.end()
    assert waiting.end() is None
    assert waiting.refusal is None
    assert waiting.lock.collect() == []
    waiting.lock.release()
    assert list(folder.iterdir()) == []


def test_the_letter_of_a_dead_author_is_removed_and_not_carried_out(tmp_path):
    program = LEAVES_A_LETTER.format(root=str(ROOT))
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as author:
        assert author.stdout.readline() == "left\n"
        assert len(list(tmp_path.iterdir())) == 2
        author.kill()
    assert collect(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_what_was_half_left_is_not_collected_and_goes_with_its_author(tmp_path):
    """A bell whose author has not written yet, a letter without an end, and the same of the dead."""
    heard = Letter(tmp_path, b"whole")
    (whole,) = collect(tmp_path)
    whole.send_back(b"done")
    bell = next(tmp_path.glob("*.bell"))
    assert collect(tmp_path) == []
    assert bell.exists()
    unfinished = bell.with_suffix(".letter")
    unfinished.write_bytes(b"without an e")
    assert collect(tmp_path) == []
    assert unfinished.exists()
    heard.close()
    os.mkfifo(tmp_path / "1-1-1.bell")
    os.mkfifo(tmp_path / "2-2-2.bell")
    (tmp_path / "2-2-2.letter").write_bytes(b"of a dead author\n")
    (tmp_path / "3-3-3.letter").write_bytes(b"without a bell\n")
    assert collect(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_who_can_leave_no_letter_waits_for_its_turn(held, path, folder):
    folder.write_text("in the way")
    waiting = Waiting(path, b"no place for it")
    queued = f":{path.stat().st_ino} "
    eventually(
        lambda: any(
            "->" in line and queued in line for line in Path("/proc/locks").read_text().splitlines()
        )
    )
    held.release()
    assert waiting.end() is None
    assert waiting.refusal is None
    waiting.lock.release()
