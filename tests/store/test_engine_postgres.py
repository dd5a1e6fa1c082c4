"""What only a PostgreSQL server can do: order without a single writer, deadlocks, news for others."""

import threading

import psycopg
import pytest

from shopfloor.domain.errors import Invalid
from shopfloor.store.postgres import PostgresDatabase
from tests.support.engine_notes import WAITING, add, admin, running, trace, traces
from tests.support.waiting import eventually


@pytest.fixture
def notes(notes_server, postgres_url):
    return notes_server(postgres_url, create=True)


def test_a_plain_insert_shows_the_gap_that_deferring_closes(notes):
    """The control: the later number is committed first, and whoever follows misses the earlier one."""
    inserted, go = threading.Event(), threading.Event()

    def slow(tx):
        tx.run("trace_add", note_id=None, what="slow")
        inserted.set()
        assert go.wait(90)

    thread, _ = running(lambda: notes.write(slow))
    assert inserted.wait(90)
    notes.write(lambda tx: tx.run("trace_add", note_id=None, what="quick"))
    seen = notes.read(lambda tx: tx.all("trace_after", after=0))
    go.set()
    thread.join()
    assert notes.read(lambda tx: tx.all("trace_after", after=seen[-1][0])) == []
    assert len(traces(notes)) == 2


def test_deferred_rows_are_numbered_in_the_order_of_the_commits(notes):
    deferred, go = threading.Event(), threading.Event()

    def slow(tx):
        trace("slow")(tx)
        deferred.set()
        assert go.wait(90)

    thread, _ = running(lambda: notes.write(slow))
    assert deferred.wait(90)
    notes.write(trace("quick"))
    seen = notes.read(lambda tx: tx.all("trace_after", after=0))
    go.set()
    thread.join()
    assert len(notes.read(lambda tx: tx.all("trace_after", after=seen[-1][0]))) == 1
    assert traces(notes) == ["quick", "slow"]


def test_between_its_numbers_and_its_commit_a_transaction_keeps_the_others_waiting(
    notes, notes_server, postgres_url
):
    """The first has its number and stands still on the server, before a row that a third has locked."""
    other = notes_server(postgres_url)
    number = notes.write(add)
    locked, go = threading.Event(), threading.Event()

    def holding(tx):
        tx.one("note_lock", id=number)
        locked.set()
        assert go.wait(60)

    def numbered(tx):
        trace("first")(tx)
        tx.defer("note_grow", id=number)

    third, _ = running(lambda: notes.write(holding))
    assert locked.wait(90)
    first, _ = running(lambda: notes.write(numbered))
    eventually(lambda: len(admin(postgres_url, WAITING)) == 1)
    second, _ = running(lambda: other.write(trace("second")))
    eventually(lambda: len(admin(postgres_url, WAITING)) == 2)
    assert traces(other) == []
    go.set()
    for thread in (third, first, second):
        thread.join()
    assert traces(other) == ["first", "second"]


def test_whoever_follows_by_the_highest_number_misses_nothing_under_load(
    notes, notes_server, postgres_url
):
    reader = notes_server(postgres_url)
    writers, each, seen = 4, 60, []

    def client(name):
        for number in range(each):
            notes.write(lambda tx, n=number: [trace(f"{name} {n} {k}")(tx) for k in range(2)])

    threads = [threading.Thread(target=client, args=(name,)) for name in range(writers)]
    for thread in threads:
        thread.start()

    def follow():
        ended = not any(thread.is_alive() for thread in threads)
        last = seen[-1] if seen else 0
        rows = reader.read(lambda tx: tx.all("trace_after", after=last))
        seen.extend(number for (number,) in rows)
        return ended and not rows

    eventually(follow)
    assert len(seen) == writers * each * 2


def test_a_locked_row_does_not_stop_the_rows_that_refer_to_it(notes, notes_server, postgres_url):
    """With FOR UPDATE these two would wait for each other: one for the row, one for the append lock."""
    other = notes_server(postgres_url)
    number = notes.write(add)
    locked, go = threading.Event(), threading.Event()

    def holding(tx):
        tx.one("note_lock", id=number)
        locked.set()
        assert go.wait(90)
        tx.defer("trace_add", note_id=number, what="by the holder")

    thread, _ = running(lambda: notes.write(holding))
    assert locked.wait(90)
    other.write(lambda tx: tx.defer("trace_add", note_id=number, what="by another"))
    assert traces(other) == ["by another"]
    go.set()
    thread.join()
    assert traces(other) == ["by another", "by the holder"]


def test_what_is_locked_is_waited_for_or_skipped(notes, notes_server, postgres_url):
    other = notes_server(postgres_url)
    first, second = notes.write(lambda tx: (add(tx, "a"), add(tx, "b")))
    locked, go = threading.Event(), threading.Event()

    def holding(tx):
        tx.one("note_lock", id=first)
        tx.run("note_set_size", id=first, size=10)
        locked.set()
        assert go.wait(90)

    thread, _ = running(lambda: notes.write(holding))
    assert locked.wait(90)
    assert other.write(lambda tx: tx.one("note_first_free")) == (second,)
    waiter, results = running(lambda: other.write(lambda tx: tx.one("note_lock", id=first)))
    eventually(lambda: admin(postgres_url, WAITING))
    go.set()
    thread.join()
    waiter.join()
    assert results == [(first, "a", 10, "new")]


def test_a_transaction_that_a_deadlock_undid_is_run_again(notes):
    first, second = notes.write(lambda tx: (add(tx, "a"), add(tx, "b")))
    together = threading.Barrier(2)
    tries = []

    def crossing(one, other):
        def work(tx):
            tries.append(one)
            tx.run("note_grow", id=one)
            if len(tries) <= 2:
                together.wait(90)
            tx.run("note_grow", id=other)
            trace(f"{one}")(tx)

        return work

    there, _ = running(lambda: notes.write(crossing(first, second)))
    back, _ = running(lambda: notes.write(crossing(second, first)))
    there.join()
    back.join()
    assert len(tries) == 3
    assert notes.read(lambda tx: tx.one("note_sums"))[0] == 2 + 4
    assert sorted(traces(notes)) == sorted([f"{first}", f"{second}"])


def test_a_value_with_a_zero_character_is_refused_in_words(notes):
    with pytest.raises(Invalid, match="note_add"):
        notes.write(lambda tx: add(tx, "a\0b"))
    with pytest.raises(Invalid, match="NUL"):
        notes.write(trace("a\0b"))
    assert notes.write(add) > 0


def test_a_plan_that_a_schema_step_made_stale_is_made_anew(notes, postgres_url):
    for _ in range(12):
        notes.read(lambda tx: tx.all("note_star"))
        notes.write(lambda tx: tx.all("note_star"))
    admin(postgres_url, "ALTER TABLE board.note ADD COLUMN colour TEXT")
    notes.write(add)
    ((*_, colour),) = notes.read(lambda tx: tx.all("note_star"))
    assert colour is None
    ((*_, colour),) = notes.write(lambda tx: tx.all("note_star"))
    assert colour is None


def test_a_commit_is_on_the_disk_whatever_the_server_is_set_to(notes_server, postgres_url):
    def kept(database):
        return database.read(lambda tx: tx.one("server_setting", name="synchronous_commit"))[0]

    name = psycopg.conninfo.conninfo_to_dict(postgres_url)["dbname"]
    admin(postgres_url, f"ALTER DATABASE {name} SET synchronous_commit = off")
    assert kept(notes_server(postgres_url, create=True)) == "on"
    admin(postgres_url, f"ALTER DATABASE {name} SET synchronous_commit = remote_apply")
    assert kept(notes_server(postgres_url)) == "remote_apply"


@pytest.mark.parametrize("name", ["board", "Two Words", 'a"quote', "ünï", "x" * 63])
def test_boards_of_one_server_do_not_see_each_other(notes_server, postgres_url, name):
    one, other = (
        notes_server(postgres_url, name, create=True),
        notes_server(postgres_url, "other", create=True),
    )
    one.write(lambda tx: [add(tx), trace("here")(tx)])
    assert one.read(lambda tx: tx.one("note_count")) == (1,)
    assert other.read(lambda tx: tx.one("note_count")) == (0,)
    assert one.read(lambda tx: tx.all("engine_full_check", limit=5)) == []
    assert one.read(lambda tx: tx.all("engine_reference_check", limit=5)) == []


@pytest.mark.parametrize("name", ["", "x" * 64, "ü" * 32, "a\0b"])
def test_a_name_that_the_server_would_shorten_is_refused(postgres_url, name):
    with pytest.raises(Invalid, match="1 to 63 bytes"):
        PostgresDatabase(postgres_url, name)


def test_others_are_told_of_commits_and_oneself_is_not(notes, notes_server, postgres_url):
    other = notes_server(postgres_url)
    elsewhere = notes_server(postgres_url, "other", create=True)
    heard, own, foreign = [], [], []
    ends = ((other, heard), (notes, own), (elsewhere, foreign))
    for database, calls in ends:
        listener = database.listen(lambda calls=calls: calls.append(1))
        assert listener.listening.wait(90)
    # Each is called once when it begins to listen, because nobody told it what was before.
    eventually(lambda: (len(heard), len(own), len(foreign)) == (1, 1, 1))
    for number in range(5):
        notes.write(trace(f"{number}"))
    eventually(lambda: len(heard) > 1)
    assert len(heard) <= 6
    calls = len(heard)
    notes.write(add)
    other.write(trace("the other one"))
    eventually(lambda: len(own) == 2)
    assert len(heard) <= max(calls, 6)
    assert len(foreign) == 1


def test_the_time_is_the_servers(notes, postgres_url):
    before = admin(postgres_url, "SELECT extract(epoch FROM clock_timestamp()) * 1000")[0][0]
    first = notes.write(lambda tx: tx.now)
    second = notes.read(lambda tx: tx.now)
    after = admin(postgres_url, "SELECT extract(epoch FROM clock_timestamp()) * 1000")[0][0]
    assert before - 1 <= first <= second <= after
