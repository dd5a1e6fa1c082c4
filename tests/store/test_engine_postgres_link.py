"""Connections to a PostgreSQL server: lost at any moment, refused in words, shared and given back."""

import contextlib
import socket
import struct
import tempfile
import threading
import traceback
from pathlib import Path

import psycopg
import pytest

from shopfloor.domain.errors import Unavailable
from shopfloor.store import postgres_link
from shopfloor.store.postgres import TRIES_MAX, open_postgres
from tests.support.engine_notes import BUSY, CONNECTED, add, admin, running, trace, traces
from tests.support.postgres import private_server
from tests.support.waiting import eventually


@pytest.fixture
def notes(notes_server, postgres_url):
    return notes_server(postgres_url, create=True)


def test_a_connection_that_is_lost_before_the_commit_costs_nothing(notes, postgres_url):
    tries = []

    def work(tx):
        tries.append(tx.one("server_pid")[0])
        number = add(tx, "once")
        trace("once")(tx)
        if len(tries) == 1:
            admin(postgres_url, f"SELECT pg_terminate_backend({tries[0]}, 30000)")
        tx.run("note_grow", id=number)

    notes.write(work)
    assert len(set(tries)) == 2
    assert traces(notes) == ["once"]
    assert notes.read(lambda tx: tx.one("note_sums"))[0] == 2


def test_a_connection_that_is_lost_every_time_ends_in_a_sentence(notes):
    tries = []

    def work(tx):
        tries.append(1)
        add(tx)
        tx.one("server_end_me")

    with pytest.raises(Unavailable, match="undid this 5 times"):
        notes.write(work)
    assert len(tries) == TRIES_MAX
    assert notes.read(lambda tx: tx.one("note_count")) == (0,)


def test_a_server_that_was_restarted_is_found_again(notes_server):
    with private_server(fsync=True) as server:
        url = server.url(server.create_database())
        notes = notes_server(url, create=True)
        heard = []
        listener = notes.listen(lambda: heard.append(1))
        assert listener.listening.wait(90)
        # More connections than a transaction has tries, all of them dead after the crash.
        together = threading.Barrier(TRIES_MAX + 1)

        def busy(tx):
            together.wait(90)
            return add(tx, f"{threading.get_ident()}")

        threads = [running(lambda: notes.write(busy))[0] for _ in range(TRIES_MAX + 1)]
        for thread in threads:
            thread.join()
        before = len(heard)
        server.crash()
        with pytest.raises(Unavailable, match="cannot be used"):
            notes.write(add)
        server.launch(fsync=True)
        assert notes.write(add) > TRIES_MAX
        assert notes.read(lambda tx: tx.one("note_count")) == (TRIES_MAX + 2,)
        eventually(lambda: len(heard) > before)
        notes.close()


class Proxy:
    """Stands between a client and the server, and cuts the connection when a COMMIT comes by."""

    def __init__(self, server_socket, folder, *, forward):
        self._server_socket = str(server_socket)
        self._forward = forward
        self.armed = False
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / server_socket.name))
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server_socket)
                cut = threading.Event()
                for pump in (self._from_client, self._from_server):
                    threading.Thread(target=pump, args=(client, server, cut), daemon=True).start()

    def _from_client(self, client, server, cut):
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if self.armed and b"COMMIT\0" in data:
                    self.armed = False
                    cut.set()
                    if self._forward:
                        server.sendall(data)
                    break
                server.sendall(data)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)
            client.shutdown(socket.SHUT_RDWR)

    def _from_server(self, client, server, cut):
        with contextlib.suppress(OSError), client, server:
            while data := server.recv(65536):
                if not cut.is_set():
                    client.sendall(data)


@pytest.mark.parametrize("deferring", [False, True])
@pytest.mark.parametrize("arrives", [False, True])
def test_a_connection_that_is_lost_during_the_commit_is_left_to_the_request_id(
    notes_server, postgres_url, tmp_path, deferring, arrives
):
    direct = notes_server(postgres_url, create=True)
    there = Path(psycopg.conninfo.conninfo_to_dict(postgres_url)["host"])
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        proxy = Proxy(there / ".s.PGSQL.5432", Path(short), forward=arrives)
        notes = notes_server(postgres_url.replace(str(there), short))
        tries = []

        def work(tx):
            tries.append(1)
            add(tx)
            if deferring:
                trace("deferred")(tx)

        proxy.armed = True
        with pytest.raises(Unavailable, match="lost during the commit"):
            notes.write(work)
        assert tries == [1]
        eventually(lambda: not admin(postgres_url, BUSY))
        expected = (1, 1 if deferring else 0) if arrives else (0, 0)
        count = direct.read(lambda tx: tx.one("note_count") + tx.one("trace_count"))
        assert count == expected
        assert notes.write(lambda tx: add(tx, "next")) > 0
        notes.close()
        proxy.close()


def test_more_requests_than_connections_take_turns_and_do_not_wait_for_ever(
    notes_server, postgres_url, monkeypatch
):
    notes = notes_server(postgres_url, create=True, connections=2)
    threads = [running(lambda n=n: notes.write(lambda tx: add(tx, f"{n}")))[0] for n in range(10)]
    for thread in threads:
        thread.join()
    assert notes.read(lambda tx: tx.one("note_count")) == (10,)
    assert len(admin(postgres_url, CONNECTED)) <= 2
    monkeypatch.setattr(postgres_link, "POOL_WAIT_S", 0.05)
    with pytest.raises(Unavailable, match="All 2 connections"):
        notes.read(lambda _: notes.read(lambda _: notes.read(lambda tx: tx.now)))


def test_connections_are_given_back_at_the_end(notes_server, postgres_url):
    notes = notes_server(postgres_url, create=True)
    notes.listen(lambda: None)
    notes.write(add)
    assert admin(postgres_url, CONNECTED)
    notes.close()
    eventually(lambda: not admin(postgres_url, CONNECTED))
    with pytest.raises(AssertionError, match="was closed"):
        notes.read(lambda tx: tx.now)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "postgresql://shop:geheim@127.0.0.1:1/board",
            "host 127.0.0.1, port 1, dbname board, user shop",
        ),
        ("postgresql://shop:geheim@/board?host=/nowhere", "host /nowhere, dbname board, user shop"),
        ("postgresql://shop:gehe%zzim@host/board", "looks like postgresql://"),
        ("mysql://shop:geheim@host/board", "looks like postgresql://"),
        ("geheim", "looks like postgresql://"),
        ("host=127.0.0.1 port=1 password=geheim passfile=/geheim", "127.0.0.1"),
    ],
)
def test_a_server_that_cannot_be_reached_is_named_without_its_password(url, said):
    with pytest.raises(Unavailable) as refusal:
        open_postgres(url, "board", create=False)
    assert said in str(refusal.value)
    assert "geheim" not in "".join(traceback.format_exception(refusal.value)).replace(url, "")
    assert "geheim" not in str(refusal.value)
    assert "gehe%zz" not in str(refusal.value)
    assert str(refusal.value).count("\n") == 0


def test_a_database_that_is_not_there_is_named(postgres_url):
    name = psycopg.conninfo.conninfo_to_dict(postgres_url)["dbname"]
    with pytest.raises(Unavailable, match='database "nope" does not exist'):
        open_postgres(postgres_url.replace(name, "nope"), "board", create=False)


def test_a_database_in_another_encoding_is_refused(notes_server, postgres_url):
    admin(
        postgres_url,
        "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
    )
    name = psycopg.conninfo.conninfo_to_dict(postgres_url)["dbname"]
    try:
        with pytest.raises(Unavailable, match="stores LATIN1"):
            notes_server(postgres_url.replace(name, "latin"), create=True)
    finally:
        admin(postgres_url, "DROP DATABASE latin WITH (FORCE)")


def old_server(listening):
    """What a server of another version says at the beginning: its name, and that it is ready."""

    def told(key, value):
        words = f"{key}\0{value}\0".encode()
        return b"S" + struct.pack("!i", len(words) + 4) + words

    client, _ = listening.accept()
    with client:
        while True:
            length, kind = struct.unpack("!ii", client.recv(8))
            if kind == 196608:
                break
            # It offers neither of the two ways to encrypt.
            client.sendall(b"N")
        client.recv(length)
        settings = {"server_version": "14.9", "server_encoding": "UTF8", "client_encoding": "UTF8"}
        client.sendall(b"R" + struct.pack("!ii", 8, 0))
        client.sendall(b"".join(told(*setting) for setting in settings.items()))
        client.sendall(b"Z" + struct.pack("!i", 5) + b"I")
        client.recv(1)


def test_a_server_that_is_too_old_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread, _ = running(lambda: old_server(listening))
        port = listening.getsockname()[1]
        with pytest.raises(Unavailable, match="is PostgreSQL 14; boards need 15 or newer"):
            open_postgres(f"postgresql://shop@127.0.0.1:{port}/board", "board", create=False)
        thread.join()
