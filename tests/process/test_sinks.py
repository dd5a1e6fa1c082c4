"""One stored message, sent once to each kind of target: real servers, real programs, real failures."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import sys
import threading
from contextlib import contextmanager

import pytest

from shopfloor.domain.errors import Invalid, Unavailable
from shopfloor.domain.settings import Settings
from shopfloor.domain.settings_notify import Notify, Sink
from shopfloor.domain.targets import parse
from shopfloor.process import oneshot
from shopfloor.sinks import apprise, programs
from shopfloor.sinks.base import Attached, Letter
from shopfloor.sinks.choose import sink_for
from shopfloor.sinks.webhook import FILES_BYTES_MAX
from tests.support.http_sink import http_sink
from tests.support.waiting import eventually

MESSAGE = {
    "id": "key-1",
    "title": "✔ #1 door: completed",
    "text": "all done",
    "link": "http://x/b/floor/t/1",
    "files": [],
}
TEXT = json.dumps(MESSAGE)
BASE = {"PATH": os.environ["PATH"], "DISPATCHERS_OWN": "secret"}


@pytest.fixture
def sink():
    with http_sink() as server:
        yield server


# Long enough for a busy machine; what is to be given up has a short time of its own.
PATIENT = Notify(timeout_ms=60_000)


def letter(**changes):
    return Letter(TEXT, MESSAGE, 2, 1_800_000_000)._replace(**changes)


def send(target, *, files=(), **settings):
    """Send the message to a target as the settings say."""
    message = {**MESSAGE, "files": [{"name": one.name, "size": one.size} for one in files]}
    given = Settings(**{"notify": PATIENT, **settings})
    one = letter(message=message, text=json.dumps(message), files=files)
    return sink_for(parse(target), given, BASE).send(one)


def test_a_webhook_gets_the_stored_bytes_and_the_same_key_at_every_send(sink):
    assert send(f"webhook:{sink.url}/hook?a=b").ok
    [got] = sink.received
    assert (got.path, got.body) == ("/hook?a=b", TEXT.encode())
    assert got.headers["Idempotency-Key"] == "key-1"
    assert got.headers["Shopfloor-Attempt"] == "2"
    assert "Shopfloor-Signature" not in got.headers


@pytest.mark.parametrize(
    ("target", "settings", "secret"),
    [
        ("webhook:{url}", {"notify": Notify(webhook_secret="all of them")}, "all of them"),
        (
            "webhook:mine",
            {"sinks": {"mine": Sink("mine", url="{url}", secret="my own")}},
            "my own",
        ),
    ],
)
def test_a_webhook_is_signed_so_that_its_receiver_can_tell(sink, target, settings, secret):
    if "sinks" in settings:
        settings = {"sinks": {"mine": settings["sinks"]["mine"]._replace(url=sink.url)}}
    assert send(target.format(url=sink.url), **settings).ok
    [got] = sink.received
    signed = got.headers["Shopfloor-Timestamp"].encode() + b"." + got.body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert got.headers["Shopfloor-Signature"] == f"v1={expected}"


@pytest.mark.parametrize(
    ("answer", "error", "retry_after_ms", "again"),
    [
        (502, "127.0.0.1 answered 502 Bad Gateway: said the sink", None, True),
        ((429, {"Retry-After": "7"}), "429 Too Many Requests", 7_000, True),
        ((503, {"Retry-After": "Fri, 15 Jan 2027 08:00:09 GMT"}), "503", 9_000, True),
        ((503, {"Retry-After": "soon"}), "503", None, True),
        (404, "404 Not Found", None, True),
        (410, "410 Gone", None, False),
        ((302, {"Location": "http://127.0.0.1:1/"}), "redirects are not followed", None, True),
        ("reset", "broke off: Connection reset by peer", None, True),
    ],
)
def test_what_a_webhook_answers_decides_whether_and_when_to_try_again(
    sink, answer, error, retry_after_ms, again
):
    sink.answers = [answer]
    sent = send(f"webhook:{sink.url}/", notify=PATIENT)
    assert not sent.ok and error in sent.error
    assert (sent.retry_after_ms, sent.again) == (retry_after_ms, again)
    assert len(sink.received) == 1


@pytest.mark.parametrize("answer", ["hang", "drip"])
def test_a_webhook_that_does_not_answer_in_time_is_tried_again(sink, answer):
    # A slow machine is given more time for its connection.
    for limit_ms in (300, 3_000, 30_000):
        sink.answers = [answer]
        sent = send(f"webhook:{sink.url}/", notify=Notify(timeout_ms=limit_ms))
        assert not sent.ok and sent.again
        if "no connection came about" not in sent.error:
            break
    assert f"did not answer within {limit_ms / 1000:g} s" in sent.error
    eventually(lambda: sink.received)


@contextmanager
def answering(answer):
    """A server that takes one request, writes these bytes, and keeps the connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def serve():
            connection, _ = server.accept()
            held.append(connection)
            connection.recv(65_536)
            with contextlib.suppress(OSError):
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            thread.join()
            for connection in held:
                connection.close()


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (b"429 Slower\r\nRetry-After: 7", ("127.0.0.1 answered 429 Slower", 7_000, True)),
        (b"410 Gone", ("127.0.0.1 answered 410 Gone", None, False)),
    ],
)
@pytest.mark.parametrize(
    "body", [b"Content-Length: 99\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\nzz"]
)
def test_a_status_counts_whether_the_words_behind_it_come_or_not(status, told, body):
    # A slow machine is given more time for the head.
    for limit_ms in (500, 5_000, 60_000):
        with answering(b"HTTP/1.1 " + status + b"\r\n" + body) as url:
            sent = send(f"webhook:{url}", notify=Notify(timeout_ms=limit_ms))
        if "answered" in sent.error:
            break
    assert (sent.error, sent.retry_after_ms, sent.again) == told


def test_a_message_has_arrived_when_its_receiver_says_so_and_nothing_more():
    with answering(b"HTTP/1.1 201 Made\r\nContent-Length: 99\r\n\r\nhalf") as url:
        assert send(f"webhook:{url}").ok


def test_an_address_is_taken_as_people_write_it(sink):
    address = sink.url.replace("http://", "http://a%40b:c%3Ad@")
    assert send(f"webhook:{address}/tür auf?für=ä%20b").ok
    [got] = sink.received
    assert got.path == "/t%C3%BCr%20auf?f%C3%BCr=%C3%A4%20b"
    assert base64.b64decode(got.headers["Authorization"].removeprefix("Basic ")) == b"a@b:c:d"


@pytest.mark.parametrize(
    "address", ["http://a:99999/", "http://a:b/", "http://[::1/", "http://:80/", "http://u@/"]
)
def test_what_cannot_be_an_address_is_refused_before_anything_is_stored(address):
    with pytest.raises(Invalid, match="names a host"):
        parse(f"webhook:{address}")
    assert parse("webhook:https://u:p@[::1]:80?x={a}") and parse("webhook:http://{a}:{b}/")


def test_a_webhook_where_nobody_listens_or_whose_name_is_unknown_is_tried_again():
    for target, error in (
        ("webhook:http://127.0.0.1:9/", "127.0.0.1 could not be reached: Connection refused"),
        ("webhook:http://no-such-host.invalid/", "could not be reached"),
        ("webhook:https://127.0.0.1:9/", "could not be reached"),
    ):
        sent = send(target)
        assert not sent.ok and sent.again and error in sent.error


def test_private_addresses_are_refused_where_that_is_configured(sink):
    strict = Notify(private_addresses="refuse")
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
        sent = send(f"webhook:{sink.url.replace('127.0.0.1', host)}/", notify=strict)
        assert not sent.ok and not sent.again and "private_addresses" in sent.error
    assert sink.received == []


def test_files_go_along_as_base64_and_not_when_they_are_too_large(sink, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("hello")
    assert send(f"webhook:{sink.url}/", files=[Attached("a.txt", str(path), 5)]).ok
    [file] = sink.received[0].message["files"]
    assert file == {"name": "a.txt", "size": 5, "content": "aGVsbG8="}
    sent = send(f"webhook:{sink.url}/", files=[Attached("a.txt", str(path), FILES_BYTES_MAX + 1)])
    assert not sent.ok and not sent.again and "at most" in sent.error


def test_secrets_come_from_the_configuration_and_are_in_no_error(sink):
    notify = Notify(secrets={"token": "hush-hush"}, timeout_ms=300)
    target = f"webhook:{sink.url}/{{token}}"
    assert send(target, notify=notify._replace(timeout_ms=PATIENT.timeout_ms)).ok
    assert sink.received[0].path == "/hush-hush"
    sent = send("webhook:http://hush-hush.invalid/", notify=notify)
    assert not sent.ok and "hush" not in sent.error and "***" in sent.error
    assert "needs the secret 'token'" in send(target).error
    assert "no section [sinks.gone]" in send("webhook:gone").error


def test_a_command_gets_the_message_on_its_input_and_only_its_own_environment(tmp_path):
    out = tmp_path / "out"
    script = f"cat > {out}; env > {out}.env"
    mine = Sink("mine", argv=("sh", "-c", script), env={"KEY": "value"})
    attached = Attached("a", "/where/a", 1)
    assert send("command:mine", sinks={"mine": mine}, files=[attached]).ok
    got = json.loads(out.read_text())
    assert (got["id"], got["attempt"]) == ("key-1", 2)
    assert got["files"] == [{"name": "a", "size": 1, "path": "/where/a"}]
    seen = out.with_suffix(".env").read_text()
    assert "KEY=value" in seen and "DISPATCHERS_OWN" not in seen


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("echo no such hush-hush >&2; exit 3", "exit status 3: no such ***"),
        ("sleep 600", "stopped after 0.3 s"),
        (r"printf '\033[31mred\n' >&2; exit 2", "exit status 2: [31mred"),
    ],
)
def test_a_command_that_fails_or_hangs_has_not_taken_the_message(script, error):
    limit_ms = 300 if script.startswith("sleep") else PATIENT.timeout_ms
    mine = Sink("mine", argv=("sh", "-c", script), env={"KEY": "hush-hush"}, timeout_ms=limit_ms)
    sent = send("command:mine", sinks={"mine": mine})
    assert not sent.ok and sent.again and error in sent.error


@pytest.mark.parametrize("holder", ["sleep 600 &", "setsid sleep 600 &", "setsid -f sleep 600"])
def test_a_command_has_taken_the_message_when_it_ends_whoever_holds_its_output(holder, tmp_path):
    """What it starts in a session of its own lives on with the output in its hands; nobody waits for that."""
    pid = tmp_path / "pid"
    script = holder.replace("sleep 600", f"sh -c 'echo $$ > {pid}; exec sleep 600'")
    mine = Sink("mine", argv=("sh", "-c", f"{script}\nwhile [ ! -s {pid} ]; do :; done"))
    try:
        assert send("command:mine", sinks={"mine": mine}).ok
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid.read_text()), signal.SIGKILL)


def test_a_program_whose_output_somebody_holds_is_let_go_when_its_time_is_over(tmp_path):
    pid = tmp_path / "pid"
    script = f"setsid sh -c 'echo $$ > {pid}; exec sleep 600'"
    pid.touch()
    # A slow machine is given more time to start it.
    for limit_s in (0.5, 5, 60):
        with pytest.raises(Unavailable, match="no answer came within"):
            oneshot.run(["sh", "-c", script], b"", env=BASE, timeout_s=limit_s)
        if pid.read_text():
            break
    os.kill(int(pid.read_text()), signal.SIGKILL)


def test_the_desktop_shows_title_and_words_and_takes_no_markup(tmp_path):
    shown = tmp_path / "shown"
    program = tmp_path / "notify-send"
    program.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > {shown}\n')
    program.chmod(0o755)
    base = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    desktop = programs.Desktop(base=base, timeout_s=60.0)
    if sys.platform == "linux":
        assert desktop.send(letter(message={**MESSAGE, "text": "<b>1 & 2</b>"})).ok
        assert shown.read_text() == (
            "--app-name=Shopfloor|--|✔ #1 door: completed|"
            "&lt;b&gt;1 &amp; 2&lt;/b&gt;\nhttp://x/b/floor/t/1|"
        )
    words = programs.desktop_words("darwin", "title", '"; do shell script "x')
    assert words[-2:] == ["title", '"; do shell script "x']
    nobody = programs.Desktop(base={"PATH": str(tmp_path / "none")}, timeout_s=60.0)
    assert nobody.send(letter()).ok == (shutil.which("notify-send") is not None)


def test_apprise_reaches_a_service_with_title_words_and_link(sink):
    notify = Notify(timeout_ms=60_000)
    address = sink.url.removeprefix("http")
    assert send(f"apprise:json{address}/hook", notify=notify).ok
    got = sink.received[0].message
    assert got["title"] == MESSAGE["title"]
    assert got["message"] == "all done\nhttp://x/b/floor/t/1"
    sink.answers = [502]
    sent = send(f"apprise:json{address}/hush-hush", notify=notify)
    assert not sent.ok and "502" in sent.error and "hush" not in sent.error
    unknown = send("apprise:nothing://x", notify=notify)
    assert "does not know an address of this form" in unknown.error


def test_without_apprise_the_error_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "apprise.py").write_text("raise ImportError\n")
    one = apprise.Apprise("json://x", base={"PATH": os.environ["PATH"]}, timeout_s=60.0)
    one._env["PYTHONPATH"] = str(tmp_path)
    sent = one.send(letter())
    assert not sent.ok and sent.again and "shopfloor[notify]" in sent.error


def test_what_a_services_code_prints_is_no_part_of_the_answer(tmp_path):
    """A message that arrived would count as one that did not, and be sent again."""
    (tmp_path / "apprise.py").write_text(
        "print('thank you for choosing us')\n"
        "class Apprise:\n"
        "    def add(self, url): return True\n"
        "    def notify(self, **_): print('{\"ok\": false}'); return True\n"
    )
    one = apprise.Apprise("json://x", base={"PATH": os.environ["PATH"]}, timeout_s=60.0)
    one._env["PYTHONPATH"] = str(tmp_path)
    assert one.send(letter()).ok
