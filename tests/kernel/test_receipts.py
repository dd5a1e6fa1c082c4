"""Receipts of ended attempts: what they hold, when they are written, and that they outlive their task."""

import json
import threading
from hashlib import sha256

import pytest

from shopfloor.domain.lifecycle import Outcome
from shopfloor.domain.outcomes import Exit, Report
from shopfloor.domain.receipts import GENESIS, digest
from shopfloor.domain.settings import Profile, Settings
from shopfloor.kernel import receipts as making
from shopfloor.kernel.settle import end_as
from shopfloor.ops import signatures
from shopfloor.ops.receipt_book import Bookkeeper
from shopfloor.store import receipts

SECRET = "hunter2hunter2"
COMMAND = {"argv": ["deploy", "--password", SECRET], "env": {"MODE": SECRET}, "cwd": "sub"}
RECORD = {
    "run": 1,
    "exit_code": 0,
    "started_at": 1_800_000_000_000,
    "ended_at": 1_800_000_000_500,
    "output_bytes": 7,
    "output_sha256": "ab" * 32,
    "environment": "hmac-sha256:0:1",
    "variables": "HOME MODE PATH",
    "user_ms": 3,
    "system_ms": 4,
    "max_rss_kb": 5,
    "runtime": "host",
}


def worked(board, **args):
    """A task whose command ended well; its number and its run's."""
    task = board.create(**{"command": {"argv": ["true"]}, **args})
    [one] = [claimed for claimed in board.start() if claimed.task.id == task]
    board.settle(one.run_id, Exit(exit_code=0), record=json.dumps(RECORD))
    return task, one.run_id


def chain(board):
    return board.read(lambda tx: receipts.page(tx, after=0, limit=1_000))


def test_a_receipt_tells_what_was_asked_how_it_ended_and_what_it_made(board):
    board.settings = Settings(profiles={"p": Profile("p", env={"T": SECRET}, secrets=("T",))})
    task, run = worked(board, title=f"say {SECRET}", body=SECRET, command=COMMAND)
    found = board.ask("receipt.show", run=run)
    told = found.receipt
    assert (found.id, found.task, found.run) == (1, task, run)
    assert told["asked"]["command"] == ["deploy", "--password", "***"]
    assert told["asked"]["directory"] == "sub"
    assert told["task"]["title"] == "say ***"
    assert told["task"]["creator"] == "ann"
    assert told["end"] == {
        "outcome": "completed",
        "by": "dispatcher",
        "error": None,
        "exit_code": 0,
        "signal": None,
    }
    assert told["environment"] == {
        "digest": "hmac-sha256:0:1",
        "names": ["HOME", "MODE", "PATH"],
    }
    assert told["output"] == {"bytes": 7, "sha256": "ab" * 32}
    assert told["worker"]["host"] == "here"
    assert told["worker"]["runtime"] == "host"
    assert told["times"]["process_ended"] == "2027-01-15T08:00:00.500Z"
    assert told["previous"] == GENESIS
    assert found.hash == digest(found.line)


def test_a_receipt_names_the_container_and_tells_no_processor_time_that_nobody_measured(board):
    where = {"runtime": "container:box", "container": "shopfloor-default-1"}
    task = board.create(command={"argv": ["true"]})
    [one] = board.start()
    board.settle(one.run_id, Exit(exit_code=0), record=json.dumps({**RECORD, **where}))
    told = board.ask("receipt.show", task=task).receipt
    assert {name: told["worker"][name] for name in where} == where
    measured = ("user_ms", "system_ms", "max_rss_kb")
    assert [told["used"][name] for name in measured] == [None, None, None]


def test_where_nothing_was_started_a_receipt_names_no_runtime(board):
    board.create(command={"argv": ["true"]})
    [one] = board.start()
    board.write(
        lambda tx: end_as(
            tx, board.settings, one.run_id, Outcome.SPAWN_FAILED, error="no container", gone=True
        )
    )
    assert board.ask("receipt.show", run=one.run_id).receipt["worker"]["runtime"] is None


def test_no_secret_and_no_plain_hash_of_one_is_anywhere_in_a_receipt(board):
    board.settings = Settings(profiles={"p": Profile("p", env={"T": SECRET}, secrets=("T",))})
    worked(board, title=SECRET, body=SECRET, command=COMMAND)
    line = board.ask("receipt.show", id=1).line
    assert SECRET not in line
    assert sha256(SECRET.encode()).hexdigest() not in line
    assert sha256(f"{SECRET}\n".encode()).hexdigest() not in line


def test_each_receipt_names_the_one_before_it(board):
    for _ in range(3):
        worked(board)
        board.ask("receipt.list")
    found = chain(board)
    assert [one.seq for one in found] == [1, 2, 3]
    assert [one.previous for one in found] == [GENESIS, found[0].hash, found[1].hash]
    head = board.read(receipts.head)
    assert (head.seq, head.hash) == (3, found[2].hash)
    assert board.ask("receipt.verify").ok


def test_who_ended_an_attempt_is_in_its_receipt(board):
    task = board.create()
    claimed = board.claim(task)
    board.ask_as(claimed.run, claimed.token, "task.complete", id=task)
    by_hand = board.create()
    board.ask("task.complete", id=by_hand, actor="bob")
    ends = [json.loads(one.body)["end"]["by"] for one in chain_after_asking(board)]
    assert ends == [f"run {claimed.run}", "bob"]


def chain_after_asking(board):
    Bookkeeper(board.service).bring_up()
    return chain(board)


def test_a_receipt_waits_until_nothing_of_its_attempt_lives(board):
    task = board.create(command={"argv": ["x"]})
    [one] = board.start()
    book = Bookkeeper(board.service)
    book.bring_up()
    board.ask("task.cancel", id=task)
    book.bring_up()
    assert chain(board) == []
    later, _ = worked(board)
    book.bring_up()
    assert [r.task_id for r in chain(board)] == [later]
    board.settle(one.run_id, Exit(stopped=True, signal=15))
    book.bring_up()
    assert [r.task_id for r in chain(board)] == [later, task]
    assert json.loads(chain(board)[1].body)["end"]["outcome"] == "cancelled"


def test_what_a_dead_process_left_out_is_found_by_the_next(board):
    first = Bookkeeper(board.service)
    first.bring_up()
    task = board.create(command={"argv": ["x"]})
    [one] = board.start()
    board.ask("task.cancel", id=task)
    done, _ = worked(board)
    second = Bookkeeper(board.service)
    second.bring_up()
    assert [r.task_id for r in chain(board)] == [done]
    board.settle(one.run_id, Exit(stopped=True))
    Bookkeeper(board.service).bring_up()
    first.bring_up()
    second.bring_up()
    assert [r.task_id for r in chain(board)] == [done, task]


def test_receipts_outlive_their_task_and_are_written_before_it_goes(board):
    task, run = worked(board)
    board.ask("task.delete", id=task)
    [kept] = chain(board)
    assert (kept.task_id, kept.run_id) == (task, run)
    assert board.ask("receipt.show", task=task).run == run
    assert board.ask("receipt.verify").ok


def test_an_attempt_shows_the_hash_of_its_receipt(board):
    task, run = worked(board)
    assert board.ask("run.show", id=run).receipt is None
    digest_of_it = board.ask("receipt.show", run=run).hash
    assert board.ask("run.show", id=run).receipt == digest_of_it
    assert board.ask("task.show", id=task).runs[0].receipt == digest_of_it
    assert board.ask("run.of_task", id=task)[0].receipt == digest_of_it


def test_artifacts_and_usage_are_in_the_receipt_of_the_attempt_that_made_them(board):
    task = board.create()
    claimed = board.claim(task)
    board.ask_as(claimed.run, claimed.token, "task.attach", id=task, name="a.txt", content="eA==")
    board.ask_as(claimed.run, claimed.token, "task.complete", id=task)
    told = board.ask("receipt.show", task=task).receipt
    [kept] = told["artifacts"]
    assert (kept["name"], kept["size"]) == ("a.txt", 1)
    board.ask("task.reopen", id=task)
    board.clock.advance(1)
    board.ask("task.complete", id=task)
    assert board.ask("receipt.show", task=task).receipt["artifacts"] == []


def test_several_who_write_at_once_make_one_chain(board):
    for _ in range(6):
        worked(board)
    books = [Bookkeeper(board.service) for _ in range(3)]
    gate = threading.Barrier(len(books))
    done = []

    def work(book):
        gate.wait()
        book.bring_up(files=False)
        done.append(book)

    threads = [threading.Thread(target=work, args=(book,)) for book in books]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == len(books)
    assert [one.seq for one in chain(board)] == [1, 2, 3, 4, 5, 6]
    assert board.ask("receipt.verify").ok


def test_every_outcome_has_a_receipt(board):
    for outcome in (Outcome.RECLAIMED, Outcome.STALE, Outcome.SPAWN_FAILED):
        board.create(command={"argv": ["x"]})
        [one] = board.start()
        board.write(
            lambda tx, run=one.run_id, outcome=outcome: end_as(
                tx, board.settings, run, outcome, error="so it is", gone=True
            )
        )
        board.ask("task.cancel", id=one.task.id)
    ends = [json.loads(one.body)["end"] for one in chain_after_asking(board)]
    assert [end["outcome"] for end in ends] == ["reclaimed", "stale", "spawn_failed"]
    assert ends[0]["error"] == "so it is"


TAMPERING = {
    "a changed body": ("UPDATE receipt SET body = REPLACE(body, 'ann', 'eve') WHERE seq = 2", 2),
    "a changed hash": ("UPDATE receipt SET hash = 'f' WHERE seq = 2", 2),
    "another time": ("UPDATE receipt SET at = at + 1 WHERE seq = 2", 2),
    "no time": (f"UPDATE receipt SET at = {10**18} WHERE seq = 2", 2),
    "another task": ("UPDATE receipt SET task_id = 77 WHERE seq = 2", 2),
    "a missing one": ("DELETE FROM receipt WHERE seq = 2", 2),
    "the last one missing": ("DELETE FROM receipt WHERE seq = 3", 3),
    "one more": (
        (
            "INSERT INTO receipt SELECT 4, 99, task_id, at, hash, hash, body, key, signature"
            " FROM receipt WHERE seq = 3"
        ),
        4,
    ),
    "no line": ("UPDATE receipt SET body = 'x' WHERE seq = 2", 2),
    "the end": ("UPDATE receipt_head SET hash = 'f' WHERE id = 1", 3),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_whatever_was_done_to_the_ledger_is_found_and_named(board, what):
    for _ in range(3):
        worked(board)
    assert board.ask("receipt.verify").ok
    statement, seq = TAMPERING[what]
    board.execute(statement)
    found = board.ask("receipt.verify")
    assert not found.ok
    assert seq in [one.receipt for one in found.problems if one.where == "ledger"]


def test_exchanged_receipts_are_found_and_named(board):
    for _ in range(3):
        worked(board)
    board.ask("receipt.list")
    board.execute("UPDATE receipt SET seq = 1000 WHERE seq = 1")
    board.execute("UPDATE receipt SET seq = 1 WHERE seq = 2")
    board.execute("UPDATE receipt SET seq = 2 WHERE seq = 1000")
    found = board.ask("receipt.verify")
    assert ("reordered", 1) in [(one.code, one.receipt) for one in found.problems]


def test_a_hash_that_was_noted_must_be_in_the_chain(board):
    worked(board)
    noted = board.ask("receipt.show", id=1).hash
    worked(board)
    assert board.ask("receipt.verify", contains=noted).ok
    found = board.ask("receipt.verify", contains="0" * 63 + "1")
    assert [one.code for one in found.problems] == ["other_chain"]


def test_a_signature_covers_everything_before_it(board):
    worked(board)
    board.ask("receipt.list")
    key = board.ask("receipt.keygen").key
    assert [one.code for one in board.ask("receipt.verify", key=key).problems] == ["unsigned"]
    worked(board)
    worked(board)
    found = board.ask("receipt.verify", key=key)
    assert found.ok, found
    assert (found.signed, found.key) == (3, key)
    assert [one.signature is not None for one in chain(board)] == [False, False, True]
    other = signatures.generate().public
    codes = [one.code for one in board.ask("receipt.verify", key=other).problems]
    assert codes == ["unsigned", "other_key"]


def test_a_changed_signature_is_found(board):
    board.ask("receipt.keygen")
    worked(board)
    assert board.ask("receipt.verify").ok
    signature = board.ask("receipt.show", id=1).signature
    other = ("0" if signature[0] != "0" else "1") + signature[1:]
    board.execute(f"UPDATE receipt SET signature = '{other}' WHERE seq = 1")
    assert [one.code for one in board.ask("receipt.verify").problems] == ["signature"]


def test_a_report_of_usage_is_in_the_receipt(board):
    board.settings = Settings(profiles={"a": Profile("a", kind="cli")})
    task = board.create(assignee="a")
    [one] = board.start()
    report = Report(ending="done")
    report = report._replace(usage=report.usage._replace(input_tokens=5, output_tokens=6))
    board.settle(one.run_id, Exit(exit_code=0), report=report)
    used = board.ask("receipt.show", task=task).receipt["used"]
    assert (used["input_tokens"], used["output_tokens"]) == (5, 6)


def test_nothing_is_written_for_attempts_that_have_theirs(board):
    _, run = worked(board)
    maker = making.Maker("floor")
    assert board.write(lambda tx: making.write(tx, maker, [run])) == 1
    assert board.write(lambda tx: making.write(tx, maker, [run])) == 0
    assert board.write(lambda tx: making.write(tx, maker, [])) == 0
