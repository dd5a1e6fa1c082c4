"""What is wrong around the program: each is one sentence and an exit status, and nothing is harmed."""

import socket
import sqlite3
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from shopfloor.domain.errors import Conflict, Invalid, NotFound, Unavailable
from shopfloor.store.lock import BoardLock
from tests.support.waiting import eventually

# Root may write everywhere; without these two abilities it is bound to a folder's mode like anybody.
AS_ANYBODY = """
    import ctypes, os, sys
    for ability in (1, 2):
        ctypes.CDLL(None).prctl(24, ability, 0, 0, 0)
    os.execv(sys.argv[1], sys.argv[1:])
"""


def complaint(done):
    """The one sentence that a command ended with."""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0]


@pytest.mark.parametrize("words", [("create", "x"), ("list",), ("init",), ("up",)])
def test_a_home_that_cannot_be_written_is_one_sentence(home, words):
    home.path.mkdir(mode=0o500)
    python = home.python
    program = [sys.executable, "-c", textwrap.dedent(AS_ANYBODY), str(python), "-m", "shopfloor"]
    done = home.run([*program, *words])
    home.path.chmod(0o700)
    assert done.returncode == 78
    assert str(home.path) in complaint(done)


def test_a_home_below_a_file_is_one_sentence(home, tmp_path):
    (tmp_path / "file").touch()
    done = home.shop("create", "x", SHOPFLOOR_HOME=str(tmp_path / "file" / "home"))
    assert done.returncode == 78
    assert "Not a directory" in complaint(done)


@pytest.mark.parametrize(
    "text", [b"this is no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 8000]
)
def test_a_file_that_is_no_database_is_refused_and_kept_as_one_copy(home, text):
    home.create("first")
    place = home.board() / "board.db"
    for beside in home.board().glob("board.db-*"):
        beside.unlink()
    place.write_bytes(text)
    for _ in range(3):
        done = home.shop("list")
        assert done.returncode == 78
        assert "board.db" in complaint(done)
    assert place.read_bytes() == text
    (copy,) = home.board().glob("board.db.corrupt.*.bak")
    assert copy.read_bytes() == text
    home.fsck_at_close = False


def test_a_folder_in_the_place_of_a_boards_file_is_no_matter_of_time(home):
    home.create("first")
    for path in home.board().glob("board.db*"):
        path.unlink()
    (home.board() / "board.db").mkdir()
    done = home.shop("list")
    assert done.returncode == 78
    assert "is no file" in complaint(done)
    home.fsck_at_close = False


def test_a_board_whose_file_is_gone_says_what_helps_and_that_helps(home):
    home.create("first")
    for path in home.board().glob("board.db*"):
        path.unlink()
    done = home.shop("list")
    assert done.returncode == 3
    assert f"move {home.board()} away to begin anew" in complaint(done)
    home.board().rename(home.folder / "away")
    assert home.shop("create", "anew").returncode == 0


def test_doctor_and_the_list_of_boards_tell_of_a_description_that_cannot_be_read(home):
    home.ask("board.create", slug="odd")
    (home.board("odd") / "board.json").write_text("{")
    looked = home.shop("doctor")
    assert looked.returncode == 1
    assert f"BAD  board odd: {home.board('odd')}/board.json cannot be read" in looked.stdout
    done = home.shop("board", "list")
    assert done.returncode == 0
    assert [line.split()[:3] for line in done.stdout.splitlines()[1:]] == [
        ["*", "default", "sqlite"],
        ["odd", "broken"],
    ]
    assert f"mend it, or move {home.board('odd')} away" in done.stderr
    (home.board("odd") / "board.json").unlink()


@pytest.mark.parametrize("served", [False, True])
def test_whatever_is_wrong_with_the_usual_board_the_others_are_listed_and_used(home, served):
    """Its description is broken; then it is whole, and its ledger is none."""
    home.fsck_at_close = False
    home.ask("board.create", slug="odd")
    home.ask("board.switch", slug="odd")
    told = (home.board("odd") / "board.json").read_text()
    (home.board("odd") / "board.json").write_text('{"name": "odd"}')
    (home.board("odd") / "board.db").write_text("a shopping list")
    if served:
        assert "odd: " in home.up().log()
    whole, broken = home.ask("board.list")
    assert (whole["slug"], whole["broken"]) == ("default", None)
    assert "has no 'created_at'" in broken["broken"]
    assert (broken["slug"], broken["current"], broken["created_at"]) == ("odd", True, None)
    assert home.shop("list").returncode == 78
    assert home.shop("token", "list").returncode == 0
    assert home.shop("--board", "default", "create", "goes on").returncode == 0
    (home.board("odd") / "board.json").write_text(told)
    assert home.shop("board", "list", "--quiet").stdout.split() == ["default", "odd"]
    assert home.shop("list").returncode == 78
    assert home.shop("board", "switch", "default").returncode == 0
    assert home.shop("list", "--quiet").stdout.split() == ["1"]


def test_a_board_that_is_meant_and_gone_does_not_hide_the_others(home):
    home.ask("board.create", slug="odd")
    home.ask("board.switch", slug="odd")
    home.board("odd").rename(home.folder / "away")
    assert home.shop("board", "list", "--quiet").stdout.split() == ["default"]
    assert home.shop("board", "switch", "default").returncode == 0


def test_what_was_changed_in_a_shared_boards_schema_is_named(home, postgres_url):
    home.ask("board.create", slug="plant", database=postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP INDEX shopfloor_plant.task_order")
        connection.execute("ALTER TABLE shopfloor_plant.comment ADD COLUMN mood text")
    missing = "the index task_order of task is missing"
    foreign = "comment has a column mood that is not of this schema"
    looked = home.shop("doctor")
    assert looked.returncode == 1
    assert (
        f"BAD  board plant: its PostgreSQL schema was changed: {missing}; {foreign}; "
        in looked.stdout
    )
    told = home.ask("admin.fsck", board="plant")["problems"]
    assert [one["sentence"] for one in told] == [missing, foreign]
    home.fsck_at_close = False


def test_up_serves_the_others_where_the_default_board_cannot_be_read(home, notes):
    home.ask("board.create", slug="good")
    told = (home.board() / "board.json").read_text()
    (home.board() / "board.json").write_text("[]")
    daemon = home.up()
    assert "default: " in daemon.log()
    task = home.create_command(notes.worker(), board="good")
    home.becomes(task, "done", board="good")
    assert (
        f"BAD  board default: {home.board()}/board.json cannot be read"
        in home.shop("doctor").stdout
    )
    (home.board() / "board.json").write_text(told)
    eventually(lambda: home.ask("task.list")["items"] == [])


def test_workers_of_all_boards_are_stopped_beside_one_that_cannot_be_read(home, notes):
    home.ask("board.create", slug="a-odd")
    home.up()
    task = home.create_command(notes.worker("sleep"))
    home.becomes(task, "running")
    (home.board("a-odd") / "board.json").write_text("{")
    done = home.shop("down", "--stop-workers")
    assert "a-odd/board.json cannot be read" in complaint(done)
    assert home.ask("task.show", id=task)["task"]["status"] == "ready"
    (home.board("a-odd") / "board.json").unlink()


def test_what_is_no_board_among_the_archived_ones_is_passed_over(home):
    home.ask("board.create", slug="odd")
    home.ask("board.remove", slug="odd")
    (home.path / "boards" / ".archived" / "stray").mkdir()
    listed = home.shop("board", "list", "--archived", "--quiet")
    assert listed.returncode == 0
    assert "odd-" in listed.stdout


def test_up_serves_the_other_boards_beside_a_damaged_one(home, notes):
    home.create("first")
    home.ask("board.create", slug="good")
    (home.board() / "board.db").write_bytes(b"no database" * 1000)
    daemon = home.up()
    assert "default: " in daemon.log()
    task = home.ask("task.create", board="good", title="x", command={"argv": notes.worker()})[
        "task"
    ]
    home.becomes(task["id"], "done", board="good")
    assert home.shop("list").returncode == 78
    home.fsck_at_close = False


def test_the_file_is_looked_through_where_its_last_user_was_killed_and_only_there(home):
    home.create("first")
    ((page,),) = home.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'attachment'")
    with (home.board() / "board.db").open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    # None of these needs the page, and each leaves a log with a word that it was left in order.
    for title in ("second", "third"):
        home.create(title)
    assert home.shop("list").returncode == 0
    # As one that is killed: it takes the lock and leaves no word.
    killed = BoardLock(home.board() / "board.lock")
    killed.acquire()
    killed.release()
    for _ in range(2):
        done = home.shop("list")
        assert done.returncode == 78
        assert "damaged" in complaint(done)
    home.fsck_at_close = False


def test_a_board_of_a_newer_program_is_refused_and_not_changed(home):
    home.create("first")
    place = home.board() / "board.db"
    with closing(sqlite3.connect(place)) as beside:
        beside.execute(
            "INSERT INTO schema_step (number, name, checksum, applied_at) VALUES (9999, 'later', 'x', 0)"
        )
        beside.commit()
        beside.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = place.read_bytes()
    done = home.shop("create", "second")
    assert done.returncode == 78
    assert "newer" in complaint(done)
    assert place.read_bytes() == before
    home.fsck_at_close = False


@pytest.mark.parametrize(
    "slug", ["a/b", "../up", "/etc", "", ".", "..", "-x", "a b", "a\0b", "x" * 65, "ä"]
)
def test_a_name_that_is_no_boards_is_refused(home, slug):
    assert isinstance(home.refused("board.create", slug=slug), Invalid)
    if slug:
        assert isinstance(home.refused("task.list", board=slug), Invalid | NotFound)
    home.create("first")
    assert [one.name for one in (home.path / "boards").iterdir()] == ["default"]


def test_a_name_in_upper_case_is_the_one_in_lower_case(home):
    home.ask("board.create", slug="Night-Shift")
    assert (home.board("night-shift") / "board.json").exists()
    assert home.counts("night-shift") == home.counts("NIGHT-SHIFT") == {}


def test_a_board_that_does_not_exist_is_not_made_by_being_named(home):
    assert isinstance(home.refused("task.list", board="nowhere"), NotFound)
    home.up()
    assert isinstance(home.refused("task.list", board="nowhere"), NotFound)
    assert not home.board("nowhere").exists()


@pytest.mark.parametrize("serving", [True, False])
def test_a_board_with_running_workers_is_not_removed(home, notes, tmp_path, serving):
    daemon = home.up()
    home.ask("board.create", slug="busy")
    task = home.ask(
        "task.create", board="busy", title="x", command={"argv": notes.worker(f"wait:{tmp_path}/go")}
    )["task"]["id"]  # fmt: skip
    eventually(lambda: notes.count("start"))
    if not serving:
        daemon.term()
    refusal = home.refused("board.remove", slug="busy")
    assert isinstance(refusal, Conflict)
    assert "running workers" in refusal.message
    (tmp_path / "go").touch()
    if not serving:
        home.up()
    home.becomes(task, "done", board="busy")
    home.is_over(task, board="busy")
    moved = home.ask("board.remove", slug="busy")["folder"]
    assert not home.board("busy").exists()
    assert Path(moved).exists()
    assert isinstance(home.refused("task.list", board="busy"), NotFound)


def test_the_board_that_a_request_goes_to_may_be_the_one_that_is_removed(home):
    home.ask("board.create", slug="gone")
    home.ask("board.remove", board="gone", slug="gone", delete=True)
    assert not home.board("gone").exists()
    assert [one["slug"] for one in home.ask("board.list")] == ["default"]


def test_a_broken_board_description_stops_neither_up_nor_the_other_boards(home, notes):
    home.ask("board.create", slug="odd")
    (home.board("odd") / "board.json").write_text('{"name": 1')
    daemon = home.up()
    task = home.create_command(notes.worker())
    home.becomes(task, "done")
    assert "odd: " in daemon.log()
    assert "board.json" in home.refused("task.list", board="odd").message
    (home.board("odd") / "board.json").unlink()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[dispatch\n", "line 1"),
        ("[dispatch]\ncapp = 3\n", "did you mean 'cap'"),
        ("[profiles.x]\nargv = 3\n", "profiles.x.argv"),
        ("[dispatch]\npoll = 'soon'\n", "no duration"),
        ("\x00", "config.toml"),
    ],
)
@pytest.mark.parametrize("words", [("list",), ("up",)])
def test_a_broken_configuration_is_one_sentence_with_the_place(home, text, said, words):
    home.create("first")
    home.configure(text)
    done = home.shop(*words)
    assert done.returncode == 78
    assert str(home.place.config) in complaint(done)
    assert said in complaint(done)
    home.configure("")


def test_a_request_that_is_none_is_answered_with_a_sentence(home):
    home.up()
    for sent in (b"\n", b"{}\n", b"[1]\n", b'{"op": 3}\n', b"\xff\xfe\n", b'{"op": "no.such"}\n'):
        with socket.socket(socket.AF_UNIX) as door:
            door.connect(str(home.place.socket))
            door.sendall(sent)
            answer = door.makefile("rb").readline()
        assert b'"error"' in answer, sent
        assert b"mistake" not in answer, sent
    assert home.counts() == {}


def test_a_socket_left_by_a_killed_daemon_is_in_nobodys_way(home):
    home.up().kill()
    assert home.place.socket.exists()
    assert home.create("through its own door") == 1
    home.up()
    assert home.create("through the new one") == 2


def test_a_stopping_door_is_not_mistaken_for_a_refusal(home):
    home.up().term()
    assert home.counts() == {}
    assert not isinstance(home.refused("task.show", id=7), Unavailable)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_stream_that_is_closed_stops_no_command(home, number):
    shell = 'exec "$0" -m shopfloor create closed ' + ("<&-" if number == 0 else f"{number}>&-")
    done = home.run(["sh", "-c", shell, str(home.python)])
    assert done.returncode == 0, done
    assert "Traceback" not in done.stderr
    assert [one["title"] for one in home.ask("task.list")["items"]] == ["closed"]


def test_an_answer_that_cannot_be_written_is_one_sentence(home):
    done = home.run(["sh", "-c", 'exec "$0" -m shopfloor board list > /dev/full', str(home.python)])
    assert done.returncode == 1
    assert "its answer cannot be written: No space left on device" in complaint(done)


@pytest.mark.parametrize("flag", ["--max=-1", "--failure-limit=0"])
def test_up_with_a_figure_that_would_start_nothing_is_refused(home, flag):
    done = home.shop("up", "--no-web", flag)
    assert done.returncode == 2
    assert flag.partition("=")[0] in complaint(done)
