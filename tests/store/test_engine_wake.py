"""The signal that something has changed: never missed, and many rings are one."""

import selectors
import threading
from pathlib import Path

import pytest

from shopfloor.store.owner import Owner
from shopfloor.store.postgres import PostgresDatabase, open_postgres
from shopfloor.store.wake import Wake


def descriptors():
    return len(list(Path("/dev/fd").iterdir()))


def readable(bell):
    with selectors.DefaultSelector() as selector:
        selector.register(bell, selectors.EVENT_READ)
        return bool(selector.select(0))


def test_a_ring_between_looking_and_waiting_is_not_lost():
    wake = Wake()
    seen = wake.count
    wake.ring()
    assert wake.wait(seen, 0) == seen + 1
    assert wake.wait(wake.count, 0) == wake.count


def test_everybody_who_waits_is_woken():
    wake, woken = Wake(), []
    threads = [threading.Thread(target=lambda: woken.append(wake.wait(0, 90))) for _ in range(5)]
    for thread in threads:
        thread.start()
    wake.ring()
    for thread in threads:
        thread.join(90)
    assert woken == [1] * 5


def test_a_bell_is_readable_from_a_ring_until_it_is_cleared():
    wake = Wake()
    with wake.bell() as bell, wake.bell() as other:
        assert not readable(bell)
        for _ in range(100_000):
            wake.ring()
        assert readable(bell) and readable(other)
        bell.clear()
        assert not readable(bell) and readable(other)
        bell.clear()
        wake.ring()
        assert readable(bell)


def test_a_bell_that_was_closed_is_rung_no_more_and_gives_its_descriptors_back():
    wake = Wake()
    before = descriptors()
    bell = wake.bell()
    wake.ring()
    bell.close()
    bell.close()
    wake.ring()
    bell.strike()
    bell.clear()
    assert descriptors() == before


def test_no_ring_is_missed_by_a_loop_that_clears_and_then_looks():
    wake, rung, seen = Wake(), 2000, 0
    with wake.bell() as bell, selectors.DefaultSelector() as selector:
        selector.register(bell, selectors.EVENT_READ)
        ringing = threading.Thread(target=lambda: [wake.ring() for _ in range(rung)])
        ringing.start()
        while seen < rung:
            assert selector.select(90)
            bell.clear()
            seen = wake.count
        ringing.join()
    assert seen == rung


@pytest.mark.parametrize("kind", ["wait", "bell"])
def test_an_owners_commits_wake_the_loops_of_its_process(notes_place, kind):
    wake = Wake()
    notes_place.open(create=True).close()
    owner = Owner(notes_place.open(), on_commit=wake.ring)
    with wake.bell() as bell:
        seen = wake.count
        owner.read(lambda tx: tx.one("note_count"))
        owner.write(lambda tx: tx.one("note_count"))
        assert wake.wait(seen, 0) == seen
        owner.write(lambda tx: tx.run("note_add", word="a", size=1))
        if kind == "wait":
            assert wake.wait(seen, 90) > seen
        else:
            assert readable(bell)
    owner.close()


def test_commits_of_another_host_wake_the_loops_of_this_one(postgres_url):
    wake = Wake()
    here = open_postgres(postgres_url, "board", create=True)
    there = PostgresDatabase(postgres_url, "board")
    event = {
        "task_id": None,
        "run_id": None,
        "kind": "x",
        "status": None,
        "actor": "a",
        "data": "{}",
    }
    with wake.bell() as bell, selectors.DefaultSelector() as selector:
        listener = here.listen(wake.ring)
        assert wake.wait(0, 90) == 1
        bell.clear()
        there.write(lambda tx: tx.defer("event_append", at=tx.now, **event))
        selector.register(bell, selectors.EVENT_READ)
        assert selector.select(90)
        listener.close()
    here.close()
    there.close()
