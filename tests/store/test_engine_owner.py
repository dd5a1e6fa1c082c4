"""The one who writes a board: its lock, its groups, and what is true when somebody is answered."""

import threading
from pathlib import Path

import pytest

from shopfloor.domain.errors import Invalid, Unavailable
from shopfloor.store import owner as owner_module
from shopfloor.store.db import UniqueViolation
from shopfloor.store.owner import Owner
from tests.store.owner_parts import Answers, Held, adding, refuse, words
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def board(notes_place):
    """An owner, the names of the statements it ran, and how often it said that something changed."""

    class Board:
        def __init__(self):
            self.asked = []
            self.changes = 0
            notes_place.open(create=True).close()
            self.owner = Owner(notes_place.open(probe=self.asked.append), on_commit=self.changed)

        def changed(self):
            self.changes += 1

        def group(self, works, before=None):
            """Have these works wait for the same turn; answers in the order of the answering."""
            answers = Answers()
            holders = [Held(f"held {number}") for number in range(len(self.owner._threads))]
            for held in holders:
                self.owner.submit(held, answers.to("held"))
                assert held.inside.wait(90)
            for name, work in works.items():
                self.owner.submit(work, answers.to(name))
            if before is not None:
                before()
            self.asked.clear()
            for held in holders:
                held.let_go()
            got = answers.wait_for(len(works) + len(holders))
            return {name: answer for name, answer in got if name != "held"}

    made = Board()
    yield made
    made.owner.close()


def test_a_write_is_answered_with_its_result_and_seen_by_every_read_after_it(board):
    for number in range(20):
        assert board.owner.write(adding(f"{number}")) > 0
        assert len(words(board.owner)) == number + 1


def test_readers_in_many_threads_see_their_own_writes(board):
    missing = []

    def client(name):
        for number in range(25):
            written = board.owner.write(adding(f"{name} {number}"))
            if board.owner.read(lambda tx, n=written: tx.one("note_get", id=n)) is None:
                missing.append(written)

    threads = [threading.Thread(target=client, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert missing == []
    assert len(words(board.owner)) == 200


def test_requests_that_arrive_together_share_a_transaction_on_sqlite(board):
    answers = board.group({name: adding(name) for name in "abc"})
    assert sorted(answers) == ["a", "b", "c"]
    one = ["savepoint", "note_add", "release"]
    if board.owner.dialect == "sqlite":
        assert board.asked == ["note_add", "commit", "begin", *one, *one, *one, "commit"]
    else:
        assert "savepoint" not in board.asked and board.asked.count("commit") == 4 + 3
    assert {"a", "b", "c"} <= set(words(board.owner))


def test_a_group_of_one_needs_no_savepoint(board):
    board.asked.clear()
    board.owner.write(adding("alone"))
    assert board.asked == ["begin", "note_add", "commit"]


def test_a_refused_request_is_undone_alone(board):
    board.owner.write(adding("taken"))

    def refusing(tx):
        adding("never")(tx)
        tx.defer("trace_add", note_id=None, what="never")
        raise Invalid("not like this")

    def swallowing(tx):
        with pytest.raises(UniqueViolation):
            adding("taken")(tx)

    answers = board.group(
        {
            "first": adding("first"),
            "refused": refusing,
            "taken": adding("taken"),
            "swallowed": swallowing,
            "orphan": lambda tx: tx.defer("trace_add", note_id=999, what="x"),
            "last": adding("last"),
        }
    )
    assert isinstance(answers["first"], int) and isinstance(answers["last"], int)
    assert isinstance(answers["refused"], Invalid)
    assert isinstance(answers["taken"], UniqueViolation)
    assert isinstance(answers["swallowed"], AssertionError)
    assert isinstance(answers["orphan"], AssertionError)
    there = words(board.owner)
    assert {"first", "last", "taken"} <= set(there) and "never" not in there
    assert board.owner.read(lambda tx: tx.one("trace_count")) == (0,)


def test_each_requests_deferred_rows_stay_with_it(board):
    def work(name):
        def run(tx):
            tx.defer("trace_add", note_id=None, what=f"{name} 1")
            tx.defer("trace_add", note_id=None, what=f"{name} 2")
            if name == "b":
                raise Invalid("not b")

        return run

    board.group({name: work(name) for name in "abc"})
    rows = [what for _, what in board.owner.read(lambda tx: tx.all("trace_all"))]
    assert sorted(rows) == ["a 1", "a 2", "c 1", "c 2"]
    for name in "ac":
        assert rows.index(f"{name} 2") == rows.index(f"{name} 1") + 1


def test_work_that_ends_its_thread_ends_only_itself(board):
    def leaving(tx):
        adding("never")(tx)
        raise SystemExit("out of here")

    answers = board.group({"a": adding("a"), "leaving": leaving, "b": adding("b")})
    assert isinstance(answers["leaving"], SystemExit)
    assert isinstance(answers["a"], int) and isinstance(answers["b"], int)
    assert "never" not in words(board.owner)
    with pytest.raises(SystemExit):
        board.owner.write(leaving)
    assert board.owner.write(adding("c")) > 0


def test_changes_are_told_once_per_commit_and_before_the_answers(board):
    told = []
    board.owner._on_commit = lambda: told.append("changed")
    board.owner.write(adding("a"))
    board.owner.write(lambda tx: tx.one("note_count"))
    with pytest.raises(Invalid):
        board.owner.write(refuse)
    assert told == ["changed"]
    before = []
    done = threading.Event()
    board.owner.submit(adding("b"), lambda _: [before.extend(told), done.set()])
    assert done.wait(90)
    assert before == ["changed", "changed"]
    told.clear()
    board.group({name: adding(f"{name} grouped") for name in "abc"})
    # The held one is a commit of its own; on SQLite the three are one more.
    assert len(told) == (2 if board.owner.dialect == "sqlite" else 4 + 3)


def test_a_mistake_in_an_answer_is_reported_and_harms_nobody_else(board, monkeypatch):
    reported = []
    monkeypatch.setattr(threading, "excepthook", lambda told: reported.append(told.exc_value))
    mistake = RuntimeError("the caller's own")

    def wrong(_answer):
        raise mistake

    board.owner.submit(adding("a"), wrong)
    assert board.owner.write(adding("b")) > 0
    eventually(lambda: reported == [mistake])
    board.owner._on_commit = lambda: wrong(None)
    assert board.owner.write(adding("c")) > 0
    assert reported == [mistake, mistake]
    assert words(board.owner) == ["a", "b", "c"]


def test_closing_finishes_what_was_accepted_and_refuses_the_rest(board):
    answers = Answers()
    held = Held()
    board.owner.submit(held, answers.to("held"))
    assert held.inside.wait(90)
    for name in "abc":
        board.owner.submit(adding(name), answers.to(name))
    closing = threading.Thread(target=board.owner.close)
    closing.start()
    eventually(lambda: board.owner._closed)
    with pytest.raises(Unavailable, match="being closed"):
        board.owner.submit(adding("late"), answers.to("late"))
    with pytest.raises(Unavailable, match="being closed"):
        board.owner.write(adding("late"))
    held.let_go()
    closing.join(90)
    assert not closing.is_alive()
    assert sorted(name for name, answer in answers.got if isinstance(answer, int)) == [
        *("a", "b", "c", "held"),
    ]


def test_closing_twice_is_closing_once(board):
    board.owner.close()
    board.owner.close()


def test_an_owner_with_too_many_requests_says_so_at_once(board, monkeypatch):
    monkeypatch.setattr(owner_module, "QUEUE_MAX", 3)
    works = {f"{number}": adding(f"{number}") for number in range(3)}

    def one_too_many():
        with pytest.raises(Unavailable, match="3 requests wait"):
            board.owner.submit(adding("too many"), print)

    assert len(board.group(works, one_too_many)) == 3


def test_a_group_is_bounded(notes_file):
    asked = []
    notes = notes_file(probe=asked.append)
    owner, answers, held = Owner(notes, group_max=4), Answers(), Held()
    owner.submit(held, answers.to("held"))
    assert held.inside.wait(90)
    for number in range(10):
        owner.submit(adding(f"{number}"), answers.to("done"))
    asked.clear()
    held.let_go()
    answers.wait_for(11)
    # The held one, then four, four and two.
    assert asked.count("commit") == 4
    assert asked.count("savepoint") == 10
    owner.close()


def test_the_writer_does_not_wait_for_itself(board):
    answers = Answers()

    def ask_again(_answer):
        try:
            board.owner.write(adding("b"))
        except AssertionError as refusal:
            answers.got.append(refusal)

    board.owner.submit(adding("a"), ask_again)
    assert "cannot wait for itself" in str(answers.wait_for(1)[0])


def test_a_commit_that_fails_fails_the_whole_group_and_nobody_before_was_told(notes_file):
    """The failure is made where a full disk makes it: the statement after the last release."""
    failing = False

    def probe(name):
        if failing and name == "commit":
            notes._file._writer.execute("PRAGMA max_page_count=1")
            raise Unavailable("The disk is full.")

    notes = notes_file(probe=probe)
    owner, answers, held = Owner(notes), Answers(), Held()
    owner.submit(held, answers.to("held"))
    assert held.inside.wait(90)
    for name in "abc":
        owner.submit(adding(name), answers.to(name))
    owner.submit(refuse, answers.to("refused"))
    failing = True
    held.let_go()
    got = dict(answers.wait_for(5))
    failing = False
    assert {name: type(answer) for name, answer in got.items()} == dict.fromkeys(
        ["held", "a", "b", "c", "refused"], Unavailable
    )
    assert len({id(answer) for answer in got.values()}) == 5
    assert words(owner) == []
    owner.close()
