"""When the process of the web begins and ends, and what its visitors notice: nothing."""

import signal
import ssl
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.home import Home, kill
from tests.support.tools import Agent, claim
from tests.support.waiting import eventually
from tests.support.web import link_of, web_of

ANY_PORT = "[web]\nport = 0\n"


def web_processes(home):
    return home.named("shop-web")


@pytest.fixture
def served(home):
    home.configure(ANY_PORT)
    daemon = home.up()
    return home, daemon, web_of(home, daemon)


def test_the_process_is_there_from_the_first_visitor_on_and_leaves_with_shop_up(served):
    home, daemon, web = served
    assert web_processes(home) == []
    assert web.get("/healthz").status == 200
    assert len(web_processes(home)) == 1
    daemon.term()
    assert eventually(lambda: web_processes(home) == [])


def test_a_process_that_is_killed_is_started_again_and_nobody_is_turned_away(served):
    home, _, web = served
    for _ in range(3):
        assert web.get("/api/v1/tasks").status == 200
        (one,) = web_processes(home)
        kill(one)
        eventually(lambda one=one: one.pid not in [p.pid for p in web_processes(home)])
    browser = web.get("/api/v1/session")
    assert browser.status == 200


def test_settings_of_the_web_count_while_shop_up_runs(served):
    home, daemon, web = served
    named = {"Host": "shop.example"}
    assert web.get("/api/v1/tasks").status == 200
    assert web.get("/api/v1/tasks", **named).status == 421
    home.configure(f"{ANY_PORT}hosts = ['shop.example']\n")
    eventually(lambda: "[web] has changed" in daemon.log())
    eventually(lambda: answered(web, named) == 200)
    home.configure(f"{ANY_PORT}certificate = '/no/such/file'\n")
    eventually(lambda: "no dashboard: the file /no/such/file" in daemon.log())
    home.configure("[web]\nport = no number\n")
    home.configure(ANY_PORT)
    eventually(lambda: answered(web, {}) == 200)
    assert answered(web, named) == 421
    assert daemon.term() == 0


def answered(web, headers):
    """The status of an answer; None while nobody listens."""
    try:
        return web.get("/api/v1/tasks", **headers).status
    except OSError:
        return None


def test_a_request_outlives_the_door_that_it_was_meant_for(served):
    """`shop up` is killed; the web goes on, and what is asked meanwhile the next one answers, once."""
    home, daemon, web = served
    assert web.get("/readyz").status == 200
    daemon.kill()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(web.post, "/api/v1/tasks", {"title": "asked in between"})
        home.up()
        said = asked.result(120)
    assert said.status == 200, said
    assert home.task(said.json["task"]["id"])["title"] == "asked in between"
    assert len(home.ask("task.list")["items"]) == 1


def test_the_next_shop_up_has_the_same_address(served):
    home, daemon, web = served
    session = web.stranger().login(link_of(daemon)[1])
    daemon.term()
    again = home.up()
    assert link_of(again)[0] == web.url
    assert session.get("/api/v1/session").status == 200
    again.kill()
    last = home.up()
    assert link_of(last)[0] == web.url
    assert session.get("/api/v1/session").status == 200


def test_a_web_that_hangs_does_not_keep_the_address_from_the_next_shop_up(served):
    home, daemon, web = served
    assert web.get("/healthz").status == 200
    daemon.kill()
    (one,) = web_processes(home)
    kill(one, signal.SIGSTOP)
    assert link_of(home.up())[0] == web.url
    assert web.get("/healthz").status == 200


def test_a_port_that_somebody_has_is_not_taken_from_him(served, tmp_path):
    _, _, web = served
    other = Home(tmp_path / "other")
    try:
        other.configure(f"[web]\nport = {web.port}\n")
        daemon = other.up()
        assert f"port {web.port} is in use" in daemon.log()
        assert link_of(daemon)[0] != web.url
    finally:
        other.close()


def test_shop_up_serves_no_web_where_none_is_wanted(home):
    home.configure(ANY_PORT)
    assert "dashboard" not in home.up("--no-web").log()


def test_a_certificate_that_cannot_be_read_is_said_and_everything_else_goes_on(home):
    home.configure(f'{ANY_PORT}certificate = "/nowhere/cert.pem"\n')
    daemon = home.up()
    assert "no dashboard: the file /nowhere/cert.pem" in daemon.log()
    assert home.create("still served") == 1


def test_a_new_link_is_printed_when_it_is_asked_for(served):
    home, _, web = served
    url = home.shop("token", "link", "--quiet").stdout.strip()
    assert url.startswith(f"{web.url}/login#token=")
    assert web.login(url.partition("=")[2]).get("/api/v1/session").status == 200


def test_workers_find_their_tools_at_the_same_address(served):
    home, _, web = served
    agent = Agent(home, claim(home, home.create("by tools")))
    agent.host, agent.port, agent.path = web.host, web.port, "/mcp/default"
    assert "task_complete" in agent.tools()
    assert not agent.call("task_comment", {"body": "done by hand"}).refused
    assert agent.send(b"{}", Authorization="Bearer 1:x").status == 401
    assert agent.send(b"{}", Host="evil.example").status == 421


def test_the_figures_are_there_for_who_watches(served):
    home, _, web = served
    home.create("one")
    told = web.get("/metrics")
    assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = told.body.decode().splitlines()
    assert 'shopfloor_tasks{board="default",status="ready"} 1' in lines
    assert any(line.startswith('shopfloor_door_seconds_bucket{le="+Inf"}') for line in lines)
    assert 'shopfloor_board_up{board="default"} 1' in lines
    assert web.stranger().get("/metrics").status == 401
    assert web.stranger().get("/readyz").json == {"ok": True}


def test_one_broken_board_takes_nothing_from_who_watches_the_others(served):
    home, _, web = served
    home.board("odd").mkdir()
    (home.board("odd") / "board.json").write_text("{")
    home.fsck_at_close = False
    lines = web.get("/metrics").body.decode().splitlines()
    assert 'shopfloor_board_up{board="odd"} 0' in lines
    assert 'shopfloor_board_up{board="default"} 1' in lines
    assert {one["slug"]: one["broken"] is None for one in web.get("/api/v1/boards").json} == {
        "default": True, "odd": False,
    }  # fmt: skip


def test_it_is_served_encrypted_where_a_certificate_is_set(home, tmp_path):
    made = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key.pem -out cert.pem -subj /CN=localhost"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    home.run(["sh", "-c", f"cd {tmp_path} && {made} -addext {names}"]).check_returncode()
    home.configure(
        f'{ANY_PORT}certificate = "{tmp_path}/cert.pem"\ncertificate_key = "{tmp_path}/key.pem"\n'
    )
    url, secret = link_of(home.up())
    assert url.startswith("https://")
    trusted = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    asked = urllib.request.Request(
        f"{url}/api/v1/login",
        data=b'{"token":"%s"}' % secret.encode(),
        headers={"X-Shopfloor": "1", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, context=trusted, timeout=120) as answer:
        assert "Secure" in answer.headers["Set-Cookie"]
    token = home.ask("token.create", name="far")["secret"]
    where = {"SHOPFLOOR_URL": url, "SHOPFLOOR_URL_TOKEN": token}
    assert home.shop("list", SSL_CERT_FILE=str(tmp_path / "cert.pem"), **where).returncode == 0
    refused = home.shop("list", **where)
    assert refused.returncode == 75 and "certificate" in refused.stderr.lower()
