"""A worker's write needs its run's credentials, and its run must be the task's open one.

Every operation that a worker may use is tried with every kind of wrong credentials; the list comes from
the registry, so that a new one cannot be forgotten.
"""

import base64

import pytest

from shopfloor.domain.errors import Forbidden, NotFound, Stale
from shopfloor.ops.registry import everything
from tests.support.walk import at, credentials

WORKERS_OPERATIONS = sorted(
    op.name for op in everything().values() if op.role == "worker" and op.kind != "read"
)
# What knows its task by the run alone, so that no other task's number can be given.
OWN_TASK = {"task.create", "task.inbox", "task.subtask", "run.progress"}
PERSONS_OPERATIONS = sorted(op.name for op in everything().values() if op.role == "person")


def words_for(op, task, other):
    """A request of this operation that a person could make of a running task."""
    words = {
        "task.create": {"title": "one more"},
        "task.comment": {"id": task, "body": "hello"},
        "task.heartbeat": {"id": task, "note": "alive"},
        "task.attach": {"id": task, "name": "a.txt", "content": base64.b64encode(b"x").decode()},
        "task.complete": {"id": task, "summary": "done", "metadata": {"ids": [1]}},
        "task.request_review": {"id": task, "summary": "look"},
        "task.request_changes": {"id": task, "reason": "no"},
        "task.block": {"id": task, "reason": "wait", "kind": "dependency", "on": other},
        "task.ask": {"id": task, "question": "which one?", "options": ["a", "b"]},
        "task.inbox": {},
        "task.subtask": {"title": "a piece", "wait": True},
        "task.judge": {"id": task, "outcome": "I made it."},
        "run.progress": {"note": "half way", "usage": {"input_tokens": 5}, "session_id": "s"},
    }
    assert {*words} == {*WORKERS_OPERATIONS}, "a worker's operation has no example here"
    return words[op]


@pytest.fixture
def worked(board):
    """A running task, the credentials of an earlier run of it, and those of another running task."""
    task = board.create("the task")
    old = board.claim(task)
    board.ask("task.reclaim", id=task)
    board.claim(task)
    other = board.create("another task")
    stranger = board.claim(other)
    ended = board.create("an ended task")
    done = board.claim(ended)
    board.ask_as(done.run, done.token, "task.complete", id=ended)
    return task, old, stranger, (ended, done)


def refused(board, error, run, token, op, **words):
    """The write is refused, nothing changes but one event, and no file is left behind."""
    before = board.dump()
    files = sorted(
        str(path) for path in board.folder.rglob("*") if path.is_file() and ".db" not in path.name
    )
    with pytest.raises(error) as told:
        board.ask_as(run, token, op, **words)
    after = board.dump()
    new = [row for row in after.pop("event") if row not in before["event"]]
    del before["event"]
    assert before == after
    assert files == sorted(
        str(path) for path in board.folder.rglob("*") if path.is_file() and ".db" not in path.name
    )
    assert [(row[3], row[2]) for row in new] == [("write_refused", run)]
    return told.value, new[0]


@pytest.mark.parametrize("op", WORKERS_OPERATIONS)
def test_a_worker_without_the_open_run_changes_nothing_and_that_is_recorded(board, worked, op):
    task, old, stranger, (ended, done) = worked
    spare = board.create("to wait for")
    run, token = credentials(board, task)
    words = words_for(op, task, spare)
    told, event = refused(board, Stale, old.run, old.token, op, **words)
    assert f"run {old.run} is not the task's open run" in told.message
    assert event[1] == task
    refused(board, Forbidden, run, "not the token", op, **words)
    refused(board, Forbidden, run, "kein Schlüssel", op, **words)
    refused(board, Forbidden, 999_999, token, op, **words)
    if op not in OWN_TASK:
        refused(board, Forbidden, stranger.run, stranger.token, op, **words)
        refused(board, Stale, done.run, done.token, op, **{**words, "id": ended})
    assert board.findings() == []


@pytest.mark.parametrize("op", WORKERS_OPERATIONS)
def test_a_stale_write_that_is_sent_again_gets_the_same_refusal_and_is_recorded_once(
    board, worked, op
):
    task, old, _stranger, _ended = worked
    words = words_for(op, task, board.create("to wait for"))
    for _ in range(2):
        with pytest.raises(Stale):
            board.ask_as(old.run, old.token, op, request_id="again", **words)
    assert board.kinds(task).count("write_refused") == 1


@pytest.mark.parametrize("op", PERSONS_OPERATIONS)
def test_a_workers_token_does_not_open_what_is_a_persons(board, worked, op):
    run, token = credentials(board, worked[0])
    with pytest.raises(Forbidden, match="may not use"):
        board.ask_as(run, token, op, id=worked[0])


@pytest.mark.parametrize(("run", "token"), [(None, "x"), (5, None), (5, "")])
def test_half_of_a_workers_credentials_is_refused(board, run, token):
    with pytest.raises(Forbidden, match="needs both"):
        board.ask_as(run, token, "task.list")


def test_a_worker_that_names_a_task_which_is_not_there_is_told_so(board, worked):
    run, token = credentials(board, worked[0])
    with pytest.raises(NotFound):
        board.ask_as(run, token, "task.comment", id=999, body="x")


def test_a_workers_new_task_comes_from_its_own_and_takes_what_fits(board):
    task = board.create("root", assignee="coder", tenant="acme", workspace="dir:/srv/x")
    one = board.claim(task)
    made = board.ask_as(one.run, one.token, "task.create", title="a part").task
    assert (made.origin, made.assignee, made.tenant) == (task, "coder", "acme")
    assert (made.workspace_kind, made.workspace_path) == ("dir", "/srv/x")
    assert made.creator == f"run {one.run}"


def test_the_token_is_told_once_and_is_in_no_event_and_no_view(board):
    one = board.claim(at(board, "ready"))
    told = board.ask("task.show", id=one.task)
    assert one.token not in repr(told)
    assert one.token not in repr(board.ask("run.show", id=one.run))
    assert one.token not in repr(board.dump("event"))


def test_a_new_run_does_not_inherit_the_heartbeat_of_the_old_one(board):
    task = board.create()
    first = board.claim(task)
    board.ask_as(first.run, first.token, "task.heartbeat", id=task, note="half way")
    board.ask("task.reclaim", id=task)
    second = board.claim(task)
    assert board.run(first.run).heartbeat_at is not None
    assert board.run(second.run).heartbeat_at is None
    assert board.run(second.run).heartbeat_note is None


def test_the_same_note_again_is_a_sign_of_life_and_no_news(board):
    task = board.create()
    one = board.claim(task)
    for _ in range(3):
        board.clock.advance(1_000)
        board.ask_as(one.run, one.token, "task.heartbeat", id=task, note="working")
    assert board.run(one.run).heartbeat_at == board.now
    assert board.kinds(task).count("heartbeat") == 1


def test_a_workers_number_leads_to_nothing_once_its_run_has_ended(board):
    task = board.create(command={"argv": ["true"]})
    [one] = board.start()
    board.ask("task.reclaim", id=task)
    run = board.run(one.run_id)
    assert run.ended_at is not None and run.gone_at is None
    assert not board.identify(one.run_id, one.token)
