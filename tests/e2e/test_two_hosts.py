"""Two hosts, each with a home and a daemon of its own, on one board in PostgreSQL.

Both are on this machine, so a lock of the test's workers shows whether two of a task ever lived at once.
"""

from collections import Counter
from datetime import datetime

import pytest

from tests.support.home import home_in, kill
from tests.support.waiting import eventually

BOARD = "shared"
SETTINGS = '[dispatch]\nlease = "{lease}"\nhost_cap = {cap}\nfailure_limit = 100\n'


def joined(home, url, *, lease, cap):
    home.configure(SETTINGS.format(lease=lease, cap=cap))
    home.ask("board.create", slug=BOARD, database=url)
    return home


@pytest.fixture
def pair(postgres_url, home, other):
    """The two homes on one board: the other host's lease is short, but no busy machine spends it by itself."""
    joined(home, postgres_url, lease="10m", cap=2)
    joined(other, postgres_url, lease="10s", cap=2)
    return home, other


@pytest.fixture
def other(tmp_path):
    yield from home_in(tmp_path / "other", host="there")


def all_runs(home):
    found, before = [], None
    while page := home.ask("run.list", board=BOARD, limit=1000, before=before):
        found += page
        before = page[-1]["id"]
    return found


def create(home, count, argv):
    return [
        home.ask("task.create", board=BOARD, title=f"task {n}", command={"argv": argv})["task"][
            "id"
        ]
        for n in range(count)
    ]


def echo(notes, what="start"):
    return ["sh", "-c", f"echo {what} $SHOPFLOOR_TASK $SHOPFLOOR_RUN >> {notes.path}"]


@pytest.mark.timeout(600)
def test_two_hosts_share_five_hundred_tasks_and_each_is_done_once(postgres_url, home, other, notes):
    for one in (home, other):
        joined(one, postgres_url, lease="60s", cap=4).up()
    tasks = create(home, 500, echo(notes))
    eventually(lambda: home.counts(BOARD) == {"done": 500}, limit_s=400)
    runs = all_runs(home)
    assert Counter(run["outcome"] for run in runs) == {"completed": 500}
    assert Counter(run["task"] for run in runs) == Counter(tasks)
    assert notes.runs("start") == Counter(run["id"] for run in runs)
    assert {run["host"] for run in runs} == {"here", "there"}


@pytest.mark.timeout(600)
def test_a_host_that_dies_half_way_loses_its_tasks_to_the_other_after_its_lease(pair, notes):
    home, other = pair
    dying = other.up()
    tasks = create(home, 150, [*notes.worker("list")])
    eventually(lambda: notes.count("end") > 20)
    home.up()
    dying.kill()
    eventually(lambda: home.counts(BOARD) == {"done": 150}, limit_s=400)
    runs = all_runs(home)
    started = notes.runs("start")
    assert set(started.values()) == {1}
    ends = Counter(run["task"] for run in runs if run["outcome"] == "completed")
    assert ends == Counter(tasks)
    for run in runs:
        assert run["outcome"] in ("completed", "reclaimed"), run
        if run["outcome"] == "completed":
            assert started[run["id"]] == 1
        if run["pid"] is None:
            assert started[run["id"]] == 0
    notes.nothing_overlapped()


@pytest.mark.parametrize("dies", ["the daemon", "everything"])
def test_a_run_of_another_host_is_left_alone_until_its_lease_has_ended(pair, notes, tmp_path, dies):
    """Its process may be dead or alive: only the lease says so to another host."""
    home, other = pair
    dying = other.up()
    (task,) = create(home, 1, notes.worker(f"wait:{tmp_path}/go"))
    eventually(lambda: notes.count("start"))
    home.up()
    dying.kill()
    if dies == "everything":
        for one in other.supervisors():
            kill(one)
        eventually(lambda: not other.processes())
    eventually(lambda: notes.count("start") == 2)
    notes.nothing_overlapped()
    first, second = home.runs(task, BOARD)
    assert (first["host"], first["outcome"]) == ("there", "reclaimed")
    assert second["host"] == "here"
    assert datetime.fromisoformat(first["ended_at"]) > datetime.fromisoformat(first["lease_until"])
    (tmp_path / "go").touch()
    home.becomes(task, "done", BOARD)
    assert home.task(task, BOARD)["failures"] == 0


def test_a_host_that_comes_back_in_time_keeps_its_worker(
    postgres_url, home, other, notes, tmp_path
):
    joined(home, postgres_url, lease="10m", cap=2)
    joined(other, postgres_url, lease="10m", cap=2)
    first = other.up()
    (task,) = create(home, 1, notes.worker(f"wait:{tmp_path}/go"))
    eventually(lambda: notes.count("start"))
    home.up()
    first.kill()
    other.up()
    (tmp_path / "go").touch()
    home.becomes(task, "done", BOARD)
    assert home.outcomes(task, BOARD) == ["completed"]


def test_a_task_created_on_one_host_wakes_the_other(postgres_url, home, other, notes):
    for one in (home, other):
        joined(one, postgres_url, lease="10m", cap=2)
    other.configure(SETTINGS.format(lease="10m", cap=2) + 'poll = "10m"\n')
    other.up()
    (task,) = create(home, 1, notes.worker())
    home.becomes(task, "done", BOARD)


def test_a_host_says_of_a_task_that_ran_elsewhere_what_is_so(postgres_url, home, other):
    """Where its log is, and that a dispatcher runs: the other one's."""
    for one in (home, other):
        joined(one, postgres_url, lease="60s", cap=2)
    other.up()
    said = home.shop("--board", BOARD, "create", "speak", "--", "echo", "hello")
    assert "no dispatcher" not in said.stderr
    home.becomes(1, "done", BOARD)
    assert home.shop("--board", BOARD, "log", "1").stderr == (
        "#1 has no log here: it ran on there, which has its log\n"
    )
    assert other.shop("--board", BOARD, "log", "1").stdout == "hello\n"


def test_a_stopped_worker_of_another_host_is_stopped_by_its_own_host(
    postgres_url, home, other, notes
):
    joined(home, postgres_url, lease="60s", cap=2)
    joined(other, postgres_url, lease="60s", cap=2)
    other.up()
    (task,) = create(home, 1, notes.worker("sleep"))
    eventually(lambda: notes.count("start"))
    home.up()
    home.ask("task.cancel", board=BOARD, id=task)
    home.is_over(task, BOARD)
    assert not other.workers()
    assert home.outcomes(task, BOARD) == ["cancelled"]


def test_one_pass_of_a_command_is_refused_on_a_shared_board(postgres_url, home):
    joined(home, postgres_url, lease="60s", cap=2)
    refusal = home.refused("dispatch.run", board=BOARD)
    assert "shop up" in refusal.message
    assert home.ask("dispatch.run", board=BOARD, dry_run=True)["dry_run"]


def test_a_board_without_its_database_says_so_and_the_others_are_served(postgres_url, home, notes):
    joined(home, postgres_url, lease="60s", cap=2)
    told = home.board(BOARD) / "board.json"
    told.write_text(told.read_text().replace("host=", "host=/nowhere"))
    daemon = home.up()
    assert f"{BOARD}: " in daemon.log()
    task = home.create_command(notes.worker())
    home.becomes(task, "done")
    told.write_text(told.read_text().replace("host=/nowhere", "host="))
    eventually(lambda: home.counts(BOARD) == {})
