"""Every statement is one that both databases can plan, and the hot ones have their index.

The statements go through the store's own connections with EXPLAIN before them, so that parameters are
bound and typed as in use.  The board that they are planned on has some thousand tasks.  SQLite plans by
the schema alone; PostgreSQL is told to avoid sequential scans, because at this size one may be cheaper.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from shopfloor.domain.outcomes import Usage
from shopfloor.store import events, holds, links, requests, runs, spend, subscriptions, tasks
from shopfloor.store.db import Row, Tx
from shopfloor.store.migrate import open_sqlite
from shopfloor.store.postgres import PostgresDatabase, open_postgres
from shopfloor.store.sqlite import SqliteDatabase
from shopfloor.store.statements import Dialect, Statement, Statements

PLAIN = Statements("sqlite")
NAMES = PLAIN.names()
# PostgreSQL explains queries and changes of rows only; this one is run when a board is opened.
NO_QUERY = "schema_step_table"
TASKS = 2_000
NOW = 1_800_000_000_000
STATUSES = ("ready", "todo", "scheduled", "done", "ready", "triage", "ready", "cancelled")
WITHOUT_SCANS = "&options=-c%20enable_seqscan%3Doff"

# What is no text, among all that the statements are given.
WHOLE = re.compile(
    r".*(_at|_id|_until|_ms|_before|_work|_review|_streak|_rounds|_count|_turns|_attempts|_run|_code|_signal"
    r"|_tokens|_micros|_bytes|_millis)"
    r"|after|anchor|archived|at|attempts?|before|deadline|everyone|fired|firings_max|goal|gone|id|keep|last_priority|limit|live|most|next_due|now|number|pids?|pid_start|priority|rev"
    r"|reminders|rounds|shared|since|size|skip|times|tokens|turns|until|violations"
    r"|carrier|due|files|fresh|latest|sends"
    r"|seq|upto|floor|last_event|skipped|but"
)
TEXTS = {"boot_id", "session_id", "template_id"}
TYPICAL: dict[str, object] = {
    "status": "ready",
    "statuses": ["ready", "blocked"],
    "kinds": ["completed"],
    "ids": [1, 2],
    "sound": ["lane0"],
    "tasks": [7, 8],
    "run_ids": [1, 2],
    "task_ids": [1, 2],
    "sort": "priority",
    "text": "%word%",
    "limit": 20,
    "states": ["waiting"],
}


class Explained(Statements):
    """The statements with a question for the planner before each."""

    def __init__(self, dialect: Dialect, question: str) -> None:
        super().__init__(dialect)
        self._question = question

    @override
    def __missing__(self, name: str) -> Statement:
        plain = super().__missing__(name)
        sql, unlocked = (f"{self._question} {text}" for text in (plain.sql, plain.unlocked))
        self[name] = plain._replace(sql=sql, unlocked=unlocked)
        return self[name]


def fill(tx: Tx) -> None:
    """A board in use: tasks of every kind of status, links, events, runs, holds and requests."""
    numbers = [added(tx, i) for i in range(TASKS)]
    for i, task in enumerate(numbers):
        events.append(tx, "created", task_id=task, status=STATUSES[i % 8], actor="ann")
        if i % 8 == 1:
            links.add(tx, numbers[i - 1], task)
        if i % 10 == 3:
            words = dict.fromkeys(("error", "summary", "result", "metadata"))
            run = runs.synthetic(tx, task_id=task, attempt=1, outcome="completed", **words)
            who = {"profile": f"lane{i % 7}", "account": None, "model": "m"}
            spend.put(tx, run_id=run, task_id=task, usage=Usage(i), **who)
        if i % 100 == 50:
            live(tx, task, "here" if i % 200 == 50 else "there")
            holds.put(tx, "task", str(task), "paused", reason="wait", actor="ann")
        if i % 2 == 1:
            wants = {"kinds": ["completed", "created"], "files": False, "creator": "ann"}
            about = f"task:{task}"
            subscriptions.add(tx, target=f"chat:x/{i}", about=about, **wants)
        if i % 4 == 0:
            requests.begin(tx, f"request-{i}", "digest")


def added(tx: Tx, i: int) -> int:
    words = {"title": f"task {i}", "body": "", "creator": "ann", "skills": "[]", "artifacts": "[]"}
    rules = {"priority": i % 7, "start_after": "done", "goal": 0, "workspace_kind": "scratch"}
    values: dict[str, Any] = dict.fromkeys(PLAIN["task_insert"].params - {"now"})
    values.update(words | rules, status=STATUSES[i % 8], assignee=f"lane{i % 5}")
    if values["status"] == "scheduled":
        values["not_before"] = tx.now + i
    task = tasks.insert(tx, **values)
    assert task is not None
    if i % 8 == 6:
        running = tasks.apply(tx, task, {"status": "running", "current_run": i + 1})
        assert running is not None
        assert tasks.apply(tx, task, {"status": "running", "current_run": i + 1}) is None
        queued = {"status": "review", "phase": "review", "current_run": None}
        assert tasks.apply(tx, running, queued) is not None
    return task.id


def live(tx: Tx, task: int, host: str) -> None:
    who = {"role": "worker", "profile": "p", "host": host, "token": "t"}
    runs.open_run(tx, task_id=task, attempt=2, lease_until=tx.now, **who)


class Planner:
    """A filled board, and what its database says about statements."""

    def __init__(self, dialect: Dialect, where: Any) -> None:
        self.dialect = dialect
        self._where = where
        self._asked: dict[str, SqliteDatabase | PostgresDatabase] = {}

    def plan(self, question: str, name: str, /, **params: object) -> str:
        """The plan of a statement, one line a step."""
        rows: list[Row] = self._database(question).write(lambda tx: tx.all(name, **params))
        return "\n".join(str(row[-1]) for row in rows)

    def close(self) -> None:
        for database in self._asked.values():
            database.close()

    def _database(self, question: str) -> SqliteDatabase | PostgresDatabase:
        if question not in self._asked:
            statements = Explained(self.dialect, question)
            self._asked[question] = (
                SqliteDatabase(self._where, clock=lambda: NOW, statements=statements)
                if self.dialect == "sqlite"
                else PostgresDatabase(
                    f"{self._where}{WITHOUT_SCANS}", "board", connections=1, statements=statements
                )
            )
        return self._asked[question]


@pytest.fixture(scope="module")
def file_planner(tmp_path_factory: Any) -> Iterator[Planner]:
    where: Path = tmp_path_factory.mktemp("plans") / "board.db"
    with closing(open_sqlite(where, create=True, clock=lambda: NOW)) as database:
        database.write(fill)
    with closing(Planner("sqlite", where)) as planner:
        yield planner


@pytest.fixture(scope="module")
def server_planner(postgres_server: Any) -> Iterator[Planner]:
    name = postgres_server.create_database()
    url = postgres_server.url(name)
    with closing(open_postgres(url, "board", create=True, connections=1)) as database:
        database.write(fill)
        database.alter(lambda tx: tx.script("ANALYZE"))
    with closing(Planner("postgres", url)) as planner:
        yield planner
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def planner(request: Any) -> Planner:
    fixture = "file_planner" if request.param == "sqlite" else "server_planner"
    found: Planner = request.getfixturevalue(fixture)
    return found


def typical(name: str) -> dict[str, object]:
    """Parameters as a caller gives them."""
    statement = PLAIN[name]
    values = {
        p: TYPICAL.get(p, 1 if WHOLE.fullmatch(p) and p not in TEXTS else "word")
        for p in statement.params
    }
    if name.startswith("request_") and "id" in values:
        values["id"] = "request-4"
    return values


@pytest.mark.parametrize("name", NAMES)
def test_every_statement_can_be_planned(planner, name):
    question = "" if (planner.dialect, name) == ("postgres", NO_QUERY) else "EXPLAIN"
    planner.plan(question, name, **typical(name))
    planner.plan(question, name, **dict.fromkeys(PLAIN[name].params))


QUEUE = {"status": "ready", "lane": "lane0", "now": NOW, "limit": 5}
# The statement, its parameters (the others are NULL), and what the plans of SQLite and PostgreSQL must name.
HOT: dict[str, tuple[dict[str, object], str, str]] = {
    "task_pick": (QUEUE, "task_order (status=? AND lane=?)", "task_order"),
    "task_look": (QUEUE, "task_order (status=? AND lane=?)", "task_order"),
    "task_lanes": ({"status": "ready"}, "task_order (status=? AND lane>?)", "task_order"),
    "task_list": (
        {"last_priority": 5, "last_id": 40, "limit": 20},
        "task_list (priority<?)",
        "task_list",
    ),
    "task_next_due": ({"now": NOW}, "task_due (not_before>?)", "task_due"),
    "task_due": ({"now": NOW, "limit": 5}, "INDEX task_due (", "task_due"),
    "run_live": ({}, "INDEX run_live", "run_live"),
    "run_live_of_host": ({"host": "here"}, "INDEX run_live", "run_live"),
    "run_live_of_task": ({"task_id": 51}, "run_live (task_id=?)", "run_live"),
    "run_slots": ({}, "INDEX run_live", "run_live"),
    "run_renew": ({"host": "here", "lease_until": NOW}, "INDEX run_live", "run_live"),
    "event_of_task": (
        {"task_id": 7, "after": 3, "limit": 20},
        "event_of_task (task_id=? AND id>?)",
        "event_of_task",
    ),
    "event_after": (
        {"after": 1_900, "limit": 20},
        "event USING INTEGER PRIMARY KEY (rowid>?)",
        "event_pkey",
    ),
    "request_seen": ({"id": "request-4"}, "autoindex_request_1 (id=?)", "request_id_key"),
    "link_open_parents": ({"id": 2}, "link_of_child (child_id=?)", "link_of_child"),
    "link_above": ({"ids": [2, 10]}, "link_of_child (child_id=?)", "link_of_child"),
    "link_below": ({"ids": [1, 9]}, "autoindex_link_1 (parent_id=?)", "link_pkey"),
    "history_run_at": ({"id": 7}, "run USING INTEGER PRIMARY KEY (rowid>?)", "run_pkey"),
    "history_task_at": ({"id": 7}, "task USING INTEGER PRIMARY KEY (rowid>?)", "task_pkey"),
    "history_ended": (
        {"first_id": 7, "since": 1, "until": NOW, "slot_ms": 1_000},
        "run USING INTEGER PRIMARY KEY (rowid>?)",
        "run_pkey",
    ),
    "question_open_of_task": ({"task_id": 7}, "question_open (task_id=?)", "question_open"),
    "question_close": (
        {"task_id": 7, "answered_by": "ann", "now": NOW},
        "question_open (task_id=?)",
        "question_open",
    ),
    "question_next_deadline": ({}, "INDEX question_due", "question_due"),
    "spend_of_profile": (
        {"profile": "lane1", "since": 1},
        "spend_of_profile (profile=? AND at>?)",
        "spend_of_profile",
    ),
    "diagnosis_turns": (
        {"tasks": [7, 8], "since": 1},
        "event_of_task (task_id=?)",
        "event_of_task",
    ),
    "spend_of_task": ({"task_id": 7}, "spend_of_task (task_id=?)", "spend_of_task"),
    "schedule_due": ({"now": NOW, "limit": 5}, "INDEX schedule_due (", "schedule_due"),
    "schedule_next": ({}, "INDEX schedule_due", "schedule_due"),
    "firing_unfinished": (
        {"schedule_id": 7, "limit": 5},
        "INDEX firing_kept (schedule_id=?)",
        "firing_kept",
    ),
    "firing_of_schedule": (
        {"schedule_id": 7, "before": NOW, "limit": 5},
        "INDEX sqlite_autoindex_firing_1 (schedule_id=? AND due_at<?)",
        "firing_pkey",
    ),
    "delivery_fan_out": (
        {"kind": "completed", "task_id": 7, "words": "", "now": NOW, "due": NOW},
        "interest_1 (kind=? AND about=?)",
        "interest_pkey",
    ),
    "delivery_pick": (
        {"target": "desktop:", "fresh": 1, "now": NOW},
        "delivery_waiting (target=? AND fresh=? AND next_at<?)",
        "delivery_waiting",
    ),
    "delivery_lanes": ({}, "delivery_waiting (target>?)", "delivery_waiting"),
    "delivery_gather": (
        {"carrier": 1, "subscription_id": 1, "now": NOW, "limit": 5},
        "delivery_gathering (subscription_id=?",
        "delivery_gathering",
    ),
    "delivery_next_lease": ({}, "delivery_sending", "delivery_sending"),
    "delivery_expired": (
        {"now": NOW, "limit": 5},
        "delivery_sending (lease_until<?)",
        "delivery_sending",
    ),
    "delivery_troubles": ({"tasks": [7]}, "delivery_troubled (task_id=?)", "delivery_troubled"),
    "hold_of": (
        {"scope": "task", "name": "51"},
        "autoindex_hold_1 (scope=? AND name=?)",
        "hold_pkey",
    ),
}
# Their rows come in the order of the index, so that a limit ends the reading.
IN_ORDER = ("delivery_pick", "task_pick", "task_look", "task_list", "task_due", "event_of_task", "event_after",
            "firing_of_schedule")  # fmt: skip
# A table that is read from its first row to its last; steps through an index or a WITH are no such thing.
WHOLE_TABLE = re.compile(
    r"SCAN (delivery|interest|subscription|task|run|event|link|hold|request|parent|child|question|spend|schedule|firing)$|Seq Scan",
    re.MULTILINE,
)


def hot_plan(planner: Planner, name: str) -> str:
    question = "EXPLAIN QUERY PLAN" if planner.dialect == "sqlite" else "EXPLAIN"
    return planner.plan(question, name, **{**dict.fromkeys(PLAIN[name].params), **HOT[name][0]})


@pytest.mark.parametrize("name", HOT)
def test_a_hot_statement_uses_its_index(planner, name):
    _, on_sqlite, on_postgres = HOT[name]
    plan = hot_plan(planner, name)
    assert (on_sqlite if planner.dialect == "sqlite" else f" {on_postgres} ") in plan, plan


@pytest.mark.parametrize("name", HOT)
def test_a_hot_statement_reads_no_whole_table(planner, name):
    plan = hot_plan(planner, name)
    assert not WHOLE_TABLE.search(plan), plan


@pytest.mark.parametrize("name", IN_ORDER)
def test_what_is_read_up_to_a_limit_is_not_sorted(planner, name):
    plan = hot_plan(planner, name)
    assert "Sort" not in plan and "TEMP B-TREE" not in plan, plan
