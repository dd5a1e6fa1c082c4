"""What somebody with bad intentions sends: each is refused, and the server goes on."""

import json
import socket
from contextlib import closing

import pytest

from shopfloor.domain.limits import ATTACHMENT_BYTES_MAX
from shopfloor.surfaces.web import ansi
from shopfloor.surfaces.web.markdown import Markdown
from tests.support.web import link_of, web_of

WELL = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def talk(web, data, *, wait_s=90):
    """Send bytes and read until the server closes."""
    with closing(socket.create_connection((web.host, web.port), timeout=wait_s)) as connection:
        connection.sendall(data)
        parts = []
        while piece := connection.recv(65536):
            parts.append(piece)
    return b"".join(parts)


def test_another_name_for_this_machine_is_refused(web):
    for host in (
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "",
        "a b",
    ):
        assert web.get("/api/v1/tasks", Host=host).status == 421, host
    for host in ("localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:7437", "192.0.2.7"):
        assert web.get("/api/v1/tasks", Host=host).status == 200, host


def test_a_page_of_another_server_may_not_ask(site):
    browser = site.web.stranger().login(link_of(site.daemon)[1])
    asked = {"op": "task.create", "args": {"title": "forged"}}
    for origin in ("https://evil.example", "null", f"http://127.0.0.1:{site.web.port + 1}", "x"):
        assert browser.post("/api/v1/call", asked, Origin=origin).status == 403, origin
        assert browser.get("/api/v1/tasks", Origin=origin).status == 403, origin
    assert browser.post("/api/v1/call", asked, Origin=site.web.url).status == 200


def test_a_form_of_another_page_can_send_no_change(site):
    browser = site.web.stranger().login(link_of(site.daemon)[1])
    body = b'{"op":"task.create","args":{"title":"forged"}}'
    said = browser.send("POST", "/api/v1/call", body, Content_Type="text/plain", X_Shopfloor=None)
    assert said.status == 403
    said = browser.send("POST", "/api/v1/call", body, Content_Type="text/plain")
    assert said.status == 415


@pytest.mark.parametrize(
    "path",
    [
        "/static/../catalog.py",
        "/static/%2e%2e/catalog.py",
        "/static/..%2fcatalog.py",
        "/static//etc/passwd",
        "/static/%00",
        "/static/.hidden",
        "/static/README.md",
        "/../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
    ],
)
def test_no_path_leads_out_of_the_pages(web, path):
    assert web.stranger().get(path).status == 404


@pytest.mark.parametrize(
    "name", ["..%2f..%2f..%2fetc%2fpasswd", "%2e%2e", "..%5c..%5cx", "a%00b", "%2fetc%2fpasswd"]
)
def test_no_name_of_a_file_leads_out_of_a_tasks_folder(site, name):
    task = site.home.create("with odd files")
    said = site.web.send("PUT", f"/api/v1/tasks/{task}/attachments/{name}", b"x")
    assert said.status in (201, 400)
    if said.status == 201:
        kept = site.home.board() / "attachments" / str(task) / said.json["name"]
        assert kept.read_bytes() == b"x"
    assert site.web.get(f"/api/v1/tasks/{task}/attachments/{name}").status == 404


def test_a_file_that_is_too_large_is_refused_before_it_is_there(site):
    task = site.home.create("with a large file")
    head = (
        f"PUT /api/v1/tasks/{task}/attachments/large HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {site.web.shown}\r\n"
    )
    told = talk(site.web, f"{head}Content-Length: {ATTACHMENT_BYTES_MAX + 1}\r\n\r\n".encode())
    assert told.startswith(b"HTTP/1.1 413 ") and b"limit_reached" in told
    chunk = b"%x\r\n%s\r\n" % (1 << 20, bytes(1 << 20))
    with closing(socket.create_connection((site.web.host, site.web.port), timeout=120)) as sending:
        sending.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        try:
            for _ in range(2 * ATTACHMENT_BYTES_MAX >> 20):
                sending.sendall(chunk)
        except OSError:
            pass
        else:
            raise AssertionError("all of it was taken")
    assert site.web.get(f"/api/v1/tasks/{task}/attachments").json in (
        [],
        {"items": [], "next": None},
    )


def test_a_body_of_json_that_is_too_large_is_refused(web):
    body = b'{"title":"' + b"x" * (3 << 20) + b'"}'
    said = web.send("POST", "/api/v1/tasks", body, Content_Type="application/json")
    assert (said.status, said.code) == (413, "limit_reached")


def test_heads_that_are_too_large_or_are_no_heads_are_refused(web):
    large = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * (1 << 20) + b"\r\n\r\n"
    for data in (large, b"\x16\x03\x01\x02\x00\x01\x00" * 10 + b"\r\n\r\n", b"GET\r\n\r\n"):
        try:
            told = talk(web, data)
        except ConnectionError:
            # Reset, or a broken pipe where the end came first.
            continue
        assert told.startswith(b"HTTP/1.1 400 ") or told == b""
    two = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert talk(web, two).split(b" ")[1] in (b"400", b"421")
    assert talk(web, WELL).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b'{"title": ' + b"[" * 100_000,
        b'{"title": NaN}',
        b'{"title": 1}',
        b'{"title": "\\ud800"}',
        b'{"title": "x", "title2": "y"}',
        b'{"title": "x", "priority": ' + b"9" * 5_000 + b"}",
        b"--x\r\nContent-Disposition: form-data; name=",
    ],
)
def test_a_body_that_makes_no_sense_is_refused(web, body):
    said = web.send("POST", "/api/v1/tasks", body, Content_Type="application/json")
    assert (said.status, said.code) == (400, "invalid"), said


def test_a_form_is_no_body(web):
    body = b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nx\r\n--x--\r\n'
    said = web.send("POST", "/api/v1/tasks", body, Content_Type="multipart/form-data; boundary=x")
    assert said.status == 415


def test_logins_that_fail_too_often_are_refused_for_a_while(home):
    """By the address that a trusted proxy names; others go on, and so does who has a good token."""
    home.configure('[web]\nport = 0\ntrusted_proxies = ["127.0.0.1"]\n')
    daemon = home.up()
    web, (_, secret) = web_of(home, daemon), link_of(daemon)

    def login(token, address):
        given = {"token": token}
        return web.post("/api/v1/login", given, X_Shopfloor="1", X_Forwarded_For=address)

    told = [login("x", f"192.0.2.{n}, 198.51.100.1").status for n in range(12)]
    assert told == [401] * 10 + [429] * 2
    assert int(login(secret, "198.51.100.1").headers["retry-after"]) > 0
    assert login(secret, "198.51.100.2").status == 200
    assert web.get("/api/v1/tasks", X_Forwarded_For="198.51.100.1").status == 200
    lines = web.call("token.audit", limit=100)["items"]
    assert [one["address"] for one in lines if one["what"] == "login_refused"] == [
        "198.51.100.1"
    ] * 10
    cookie = web.post(
        "/api/v1/login", {"token": secret}, X_Shopfloor="1", X_Forwarded_Proto="https"
    ).headers["set-cookie"]
    assert "Secure" in cookie


MALICE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](  java\tscript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    '![x" onerror="alert(1)](http://e.example/x.png)',
    "[x](http://e.example 't\" onclick=\"alert(1)')",
    '```" onclick=alert(1)\nx\n```',
    "<a href='vbscript:x'>y</a>",
    "<style>*{}</style><iframe src=//e.example></iframe><form action=/api/v1/logout>",
    "<math><mtext></p><style><img src onerror=alert(1)>",
]


@pytest.mark.parametrize("text", MALICE)
def test_no_text_becomes_a_script_in_a_page(text):
    html = Markdown().html(text).lower()
    assert "<script" not in html and "<img" not in html and "<svg" not in html
    assert not any(f"<{tag}" in html for tag in ("iframe", "style", "form", "math", "object"))
    inside = [part.partition(">")[0] for part in html.split("<")[1:]]
    for tag in inside:
        attributes = tag.partition(" ")[2].replace("&quot;", "")
        assert "onclick=" not in attributes.replace("'", '"').split('"')[::2]
        assert "script:" not in attributes and "data:" not in attributes


@pytest.mark.parametrize(
    "log",
    [
        "\x1b]8;;javascript:alert(1)\x07click\x1b]8;;\x07",
        "\x1b[31m<script>\x1b[0m",
        '\x1b[38;5;"onclick=x;m<b>',
        "\x1b[999999999999999999;38;5m<i>",
        "\x1b[38;2;999;999;999m<u>",
        "\x1bPq<script>\x1b\\<b>",
    ],
)
def test_no_log_becomes_anything_but_coloured_text(log):
    html = ansi.html(log)
    for part in html.split("<")[1:]:
        assert part.startswith(('span class="ansi-', "/span>"))
    assert "javascript" not in html


def test_a_long_line_without_end_takes_no_longer_than_its_length():
    assert len(ansi.html("\x1b[" + "1;" * 200_000 + "x" * 2_000_000)) > 1_000_000


def test_a_title_goes_out_as_json_and_as_nothing_else(site):
    task = site.home.create("<script>alert('title')</script>")
    said = site.web.get(f"/api/v1/tasks/{task}")
    assert said.headers["content-type"] == "application/json"
    assert said.headers["x-content-type-options"] == "nosniff"
    assert json.loads(said.body)["task"]["title"] == "<script>alert('title')</script>"


def test_every_answer_says_what_a_browser_may_do_with_it(web):
    for path in ("/", "/b/default", "/login", "/static/main.js", "/api/v1/tasks", "/nothing"):
        said = web.get(path)
        assert "default-src" in said.headers["content-security-policy"], path
        assert "unsafe" not in said.headers["content-security-policy"]
        assert said.headers["x-content-type-options"] == "nosniff"
        assert said.headers["referrer-policy"] == "no-referrer"
    assert web.get("/").headers["cache-control"] == "no-cache"
    assert web.get("/api/v1/tasks").headers["cache-control"] == "no-store"
