"""The PostgreSQL server that the suites bring along: it answers, is shared, and goes away."""

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import psycopg
import pytest

from tests.support.postgres import Server, private_server, wheel_programs
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
USER_OF_A_SERVER = """
import sys
from tests.support.postgres import shared_server
with shared_server(sys.argv[1]) as server:
    print(server.pid(), server.folder, flush=True)
    sys.stdin.read()
"""


def user_of(session: str) -> "subprocess.Popen[str]":
    """Another process that uses a session's server until its standard input is closed."""
    return subprocess.Popen(
        [sys.executable, "-c", USER_OF_A_SERVER, session],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def is_running(pid: int) -> bool:
    """Whether the process lives; one that has ended and waits for its parent does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        # Either it has just ended, which the next look will tell, or there is no /proc at all.
        return True


def test_a_test_gets_a_fresh_database_on_a_real_server(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        tables = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone()
        version = connection.info.server_version
    assert tables == (0,)
    assert version >= 15_00_00


def test_a_database_can_be_dropped_while_somebody_is_connected(postgres_server):
    name = postgres_server.create_database()
    with psycopg.connect(postgres_server.url(name)):
        postgres_server.drop_database(name)
    with psycopg.connect(postgres_server.url("postgres")) as connection:
        left = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        assert left.fetchone() is None


def test_all_workers_of_a_session_share_one_server_until_the_last_was_killed():
    session = uuid.uuid4().hex[:12]
    with user_of(session) as first, user_of(session) as second:
        pid_text, folder = first.stdout.readline().split()
        assert second.stdout.readline().split() == [pid_text, folder]
        pid = int(pid_text)
        first.send_signal(signal.SIGKILL)
        first.wait()
        with psycopg.connect(Server(Path(folder)).url("postgres")) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        second.send_signal(signal.SIGKILL)
    eventually(lambda: not is_running(pid))
    eventually(lambda: not Path(folder).exists())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to its parent")
def test_the_server_ends_with_its_keeper_however_that_died():
    with private_server(fsync=False) as server:
        pid = server.pid()
        status = Path(f"/proc/{pid}/status").read_text()
        keeper = next(int(line.split()[1]) for line in status.splitlines() if "PPid" in line)
        os.kill(keeper, signal.SIGKILL)
        eventually(lambda: not is_running(pid))


def test_what_was_committed_survives_a_crash_of_a_private_server():
    with private_server(fsync=True) as server:
        with psycopg.connect(server.url("postgres")) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS number")
        server.crash()
        server.launch(fsync=True)
        with psycopg.connect(server.url("postgres")) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (42,)


def test_a_machine_without_postgresql_gets_a_server_from_the_locked_wheel():
    with (
        private_server(fsync=False, find=wheel_programs) as server,
        psycopg.connect(server.url("postgres")) as connection,
    ):
        assert connection.execute("SELECT 1").fetchone() == (1,)
