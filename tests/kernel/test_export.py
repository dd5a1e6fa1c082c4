"""The ledger as lines: of one moment, and then what changes, so that a reader has what the board has."""

import json

import pytest

from shopfloor.domain.errors import Invalid, NotFound
from shopfloor.domain.outcomes import Exit
from shopfloor.store.exports import LEFT_OUT, NUMBERED, OF_TASKS, SECRET, WHOLE, Exporter
from tests.support.telling import OTHER, SOON, came, finish, subscribed, take

KEYS = {
    "link": ("parent_id", "child_id"),
    "hold": ("scope", "name", "code"),
    "hook": ("host", "name"),
    "firing": ("schedule_id", "due_at"),
    "interest": ("subscription_id", "kind", "about"),
    "receipt": ("seq",),
    "quota": ("account",),
    "host": ("name",),
    **dict.fromkeys(("runtime", "budget"), ("task_id",)),
    **dict.fromkeys(("spend", "report", "seen"), ("run_id",)),
}


class Reader:
    """What a reader makes of the lines, as the guide says."""

    def __init__(self):
        self.rows = {}
        self.cursor = None

    def read(self, lines):
        for line in lines:
            told = json.loads(line)
            if "row" in told:
                self._put(told["table"], told["row"])
            elif "forget" in told:
                self._forget(**told["forget"])
            elif "cursor" in told:
                self.cursor = told["cursor"]
        return self

    def _put(self, table, row):
        key = tuple(row[name] for name in KEYS.get(table, ("id",)))
        self.rows[table, key] = row

    def _forget(self, task=None, table=None):
        runs = {
            key[0]
            for (name, key), row in self.rows.items()
            if name == "run" and row["task_id"] == task
        }
        self.rows = {
            (name, key): row
            for (name, key), row in self.rows.items()
            if name != table and not (name in OF_TASKS and _is_of(name, row, task, runs))
        }

    def tables(self):
        """The rows by their tables, but for what changes without being a change."""
        found = {}
        for (name, _), row in self.rows.items():
            found.setdefault(name, []).append(json.dumps(row, sort_keys=True))
        return {name: sorted(rows) for name, rows in found.items()}


def _is_of(name, row, task, runs):
    if name == "task":
        return row["id"] == task
    if name == "link":
        return row["child_id"] == task
    return row["task_id"] == task if "task_id" in row else row["run_id"] in runs


def snapshot(board):
    """All lines of an export, however many parts it has."""
    part = board.ask("ledger.export")
    lines = list(part.lines)
    while part.next is not None:
        part = board.ask("ledger.export", export=part.export, offset=part.next)
        lines += part.lines
    return lines


def changes(board, reader):
    found = board.ask("ledger.changes", cursor=reader.cursor)
    reader.read(found.lines)
    return found


def work(board):
    """Something of everything."""
    task = board.create("first", command={"argv": ["x"]}, priority=1, max_tokens=5)
    child = board.create("second", parents=[task])
    board.ask("task.comment", id=task, body="words")
    board.ask("task.attach", id=task, name="a", content="eA==")
    [one] = [claimed for claimed in board.start() if claimed.task.id == task]
    board.settle(one.run_id, Exit(exit_code=0))
    board.ask("dispatch.pause", reason="lunch")
    board.ask("subscription.add", target="chat:x/1", task=child)
    return task, child


def test_an_export_has_every_row_of_the_ledger(board):
    work(board)
    lines = snapshot(board)
    told = [json.loads(line) for line in lines]
    assert told[0]["ledger"]["board"] == "floor"
    assert "cursor" in told[-1]
    for table in (*OF_TASKS, *NUMBERED, *WHOLE):
        rows = [one["row"] for one in told if one.get("table") == table]
        assert len(rows) == len(board.dump(table)[table]), table
    assert not {one.get("table") for one in told} & set(LEFT_OUT)


def test_no_token_of_a_run_leaves_the_board(board):
    work(board)
    tokens = [row[9] for row in board.dump("run")["run"] if row[9]]
    assert tokens
    text = "\n".join(snapshot(board))
    assert not any(token in text for token in tokens)
    assert {"run": {"token"}} == SECRET


def test_what_changes_makes_of_a_snapshot_what_a_later_one_is(board):
    task, child = work(board)
    reader = Reader().read(snapshot(board))
    board.clock.advance(1000)
    board.ask("dispatch.resume")
    board.ask("task.unlink", parent=task, child=child)
    board.ask("task.detach", id=task, name="a")
    board.ask("task.delete", id=task)
    third = board.create("third")
    board.ask("task.complete", id=third, summary="done")
    board.ask("receipt.list")
    board.ask("task.edit", id=child, title="other")
    changes(board, reader)
    later = Reader().read(snapshot(board))
    # The deleted task's events are history, which stays with who has it.
    mine, theirs = reader.tables(), later.tables()
    gone = {row for row in mine.pop("event") if json.loads(row)["task_id"] == task}
    assert gone
    theirs.pop("event")
    assert mine == theirs
    assert changes(board, reader).lines == []


def states(reader):
    """The state of each message, as the lines say."""
    rows = {key: row for (table, key), row in reader.rows.items() if table == "delivery"}
    return [rows[key]["state"] for key in sorted(rows)]


def test_the_end_of_a_message_is_told_whatever_time_its_commit_was_given(board):
    """A transaction has its time from its beginning, so its commit may be seen after later ones."""
    for number in range(3):
        subscribed(board, OTHER, task=(task := board.create(f"task {number}")))
        finish(board, task)
        board.clock.advance(SOON)
    reader = Reader().read(snapshot(board))
    assert states(reader) == ["waiting"] * 3
    first = take(board, OTHER)
    board.clock.advance(5_000)
    board.create("something else")
    changes(board, reader)
    board.clock.advance(-4_000)
    came(board, first, ok=True)
    second = take(board, OTHER)
    came(board, second, ok=False, error="no", again=False)
    changes(board, reader)
    assert states(reader) == ["sent", "given_up", "waiting"]
    board.clock.advance(60_000)
    board.ask("delivery.retry", id=second.id)
    changes(board, reader)
    assert states(reader) == ["sent", "waiting", "waiting"]
    came(board, take(board, OTHER), ok=True)
    changes(board, reader)
    assert states(reader) == ["sent", "sent", "waiting"]
    assert reader.tables() == Reader().read(snapshot(board)).tables()


def test_what_went_with_a_message_is_told_with_its_end(board):
    subscribed(board)
    for _ in range(3):
        finish(board, board.create())
    board.clock.advance(SOON)
    row = take(board)
    reader = Reader().read(snapshot(board))
    assert states(reader) == ["sending", "carried", "carried"]
    came(board, row, ok=False, error="no", again=False)
    changes(board, reader)
    assert reader.tables() == Reader().read(snapshot(board)).tables()


def test_a_cursor_of_another_ledger_is_refused_and_so_is_one_that_is_ahead(board):
    board.create()
    reader = Reader().read(snapshot(board))
    for other in (["other", 0], [reader.cursor["of"][0], 0]):
        with pytest.raises(Invalid, match="of another ledger"):
            board.ask("ledger.changes", cursor={**reader.cursor, "of": other})
    with pytest.raises(Invalid, match="an older copy"):
        board.ask("ledger.changes", cursor={**reader.cursor, "event": 99})


def test_an_export_comes_in_parts_of_one_moment(board, monkeypatch):
    monkeypatch.setattr("shopfloor.ops.export.PART_BYTES", 2_000)
    for number in range(30):
        board.create(f"task {number}")
    part = board.ask("ledger.export")
    lines = list(part.lines)
    board.create("too late")
    while part.next is not None:
        part = board.ask("ledger.export", export=part.export, offset=part.next)
        lines += part.lines
    reader = Reader().read(lines)
    titles = [row["title"] for (table, _), row in reader.rows.items() if table == "task"]
    assert titles == [f"task {number}" for number in range(30)]
    changes(board, reader)
    assert ("task", (31,)) in reader.rows
    with pytest.raises(NotFound, match="begin with a new one"):
        board.ask("ledger.export", export=part.export)
    with pytest.raises(NotFound):
        board.ask("ledger.export", export="../../board")


def test_more_changes_than_fit_come_one_page_after_the_other(board, monkeypatch):
    reader = Reader().read(snapshot(board))
    monkeypatch.setattr("shopfloor.ops.export.EVENTS_AT_ONCE", 5)
    numbers = [board.create() for _ in range(12)]
    pages = 0
    while changes(board, reader).more:
        pages += 1
    assert pages == 2
    assert [("task", (n,)) in reader.rows for n in numbers] == [True] * 12
    events = [key for (table, key) in reader.rows if table == "event"]
    assert len(events) == len(set(events)) == 12


def test_a_cursor_that_is_none_is_refused(board):
    for cursor in (
        {},
        {"event": "x"},
        {"event": 1, "receipt": 1, "delivery": 1, "at": 1, "rest": 1},
    ):
        with pytest.raises(Invalid, match="not one of an export"):
            board.ask("ledger.changes", cursor=cursor)


def test_many_rows_are_read_a_bounded_number_at_a_time(board, monkeypatch):
    monkeypatch.setattr("shopfloor.store.exports.ROWS_AT_ONCE", 2)
    monkeypatch.setattr("shopfloor.store.exports.TASKS_AT_ONCE", 2)
    for _ in range(5):
        board.create()
    found = board.read(lambda tx: list(Exporter(tx).everything()))
    assert [one.row["id"] for one in found if one.table == "task"] == [1, 2, 3, 4, 5]
    assert [one.row["id"] for one in found if one.table == "event"] == [1, 2, 3, 4, 5]
