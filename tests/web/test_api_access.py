"""Who may come in over HTTP, and what each may do."""

import json

import pytest

from tests.support.tools import claim
from tests.support.web import link_of


def test_nobody_known_gets_nothing_of_a_board(web):
    stranger = web.stranger()
    for path in ("/api/v1/tasks", "/api/v1/session", "/api/v1/events/stream", "/api/v1/nothing"):
        said = stranger.get(path)
        assert (said.status, said.code) == (401, "not_logged_in"), path
        assert said.headers["www-authenticate"] == "Bearer"
    assert stranger.post("/api/v1/call", {"op": "task.list"}).status == 401


def test_the_link_that_is_printed_logs_a_browser_in(site):
    _, secret = link_of(site.daemon)
    browser = site.web.stranger().login(secret)
    session = browser.get("/api/v1/session").json
    assert session["role"] == "admin"
    assert [board["slug"] for board in session["boards"]] == ["default"]
    task = browser.call("task.create", title="from a browser")["task"]
    assert task["creator"] == session["name"]


def test_a_link_is_no_bearer(site):
    _, secret = link_of(site.daemon)
    assert site.web.bearer(secret).get("/api/v1/tasks").status == 401


def test_a_cookie_is_for_the_browser_alone_and_for_our_pages_alone(site):
    _, secret = link_of(site.daemon)
    said = site.web.stranger().post("/api/v1/login", {"token": secret}, X_Shopfloor="1")
    name, *parts = said.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {*parts}
    assert "Secure" not in parts
    assert secret not in name


def test_a_change_by_cookie_needs_the_header_that_no_form_can_send(site):
    browser = site.web.stranger().login(link_of(site.daemon)[1])
    asked = {"op": "task.create", "args": {"title": "forged"}}
    said = browser.post("/api/v1/call", asked, X_Shopfloor=None)
    assert (said.status, said.code) == (403, "forbidden")
    said = browser.post("/api/v1/login", {"token": "x"}, X_Shopfloor=None)
    assert said.status == 403


def test_a_session_is_over_when_it_is_logged_out(site):
    browser = site.web.stranger().login(link_of(site.daemon)[1])
    assert browser.post("/api/v1/logout").status == 200
    assert browser.get("/api/v1/session").status == 401


@pytest.mark.parametrize(
    ("role", "looks", "works", "decides"),
    [("viewer", True, False, False), ("operator", True, True, False), ("admin", True, True, True)],
)
def test_a_role_opens_what_it_says(site, role, looks, works, decides):
    secret = site.web.call("token.create", name=f"the {role}", role=role)["secret"]
    somebody = site.web.bearer(secret)
    asked = {
        "task.list": looks,
        "task.create": works,
        "token.list": decides,
        "board.rename": decides,
    }
    args = {"task.create": {"title": "by role"}, "board.rename": {"slug": "default", "name": "d"}}
    for op, allowed in asked.items():
        said = somebody.post("/api/v1/call", {"op": op, "args": args.get(op, {})})
        assert said.status == (200 if allowed else 403), (role, op, said)


def test_a_token_that_was_revoked_opens_nothing_from_that_moment_on(site):
    secret = site.web.call("token.create", name="short", role="operator")["secret"]
    somebody, browser = site.web.bearer(secret), site.web.stranger().login(secret)
    assert somebody.get("/api/v1/tasks").status == browser.get("/api/v1/tasks").status == 200
    site.home.ask("token.revoke", name="short")
    assert somebody.get("/api/v1/tasks").status == browser.get("/api/v1/tasks").status == 401


def test_a_token_opens_nothing_after_its_time(site):
    told = site.web.call("token.create", name="old", expires_at="2020-01-01T00:00:00Z")
    assert site.web.bearer(told["secret"]).get("/api/v1/tasks").status == 401


def test_a_secret_is_kept_as_a_hash_in_a_file_for_its_user_alone(site):
    secret = site.web.call("token.create", name="kept")["secret"]
    kept = site.home.path / "access.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert secret not in kept.read_text()
    assert secret not in json.dumps(site.web.call("token.list"))


def test_a_script_gets_the_secret_and_nothing_else(site):
    said = site.home.shop("token", "create", "a script", "--role", "viewer", "--quiet")
    assert site.web.bearer(said.stdout.strip()).get("/api/v1/tasks").status == 200
    said = site.home.shop("token", "create", "another script")
    assert site.web.bearer(said.stdout.strip()).get("/api/v1/tasks").status == 200
    assert "shown once" in said.stderr
    for command, words in (("list", "another script"), ("audit", "token created")):
        assert words in site.home.shop("token", command).stdout
    assert "nothing any more" in site.home.shop("token", "revoke", "a script").stdout


def test_who_did_what_is_written_down(site):
    secret = site.web.call("token.create", name="bob", role="viewer")["secret"]
    site.web.bearer(secret).refused("task.create", title="not allowed")
    site.web.bearer("shop_wrong").get("/api/v1/tasks")
    site.web.stranger().login(secret)
    lines = site.web.call("token.audit", limit=100)["items"]
    told = [(line["who"], line["what"]) for line in lines]
    for one in [
        ("ann", "token_created"),
        ("bob", "refused"),
        ("?", "login_refused"),
        ("bob", "login"),
    ]:
        assert one in told
    assert all(line["address"] == "127.0.0.1" for line in lines if line["what"] == "login")


def test_a_worker_has_the_rights_of_its_run_and_of_no_other(site):
    mine, other = site.home.create("mine"), site.home.create("not mine")
    worker = claim(site.home, mine)
    by_run = site.web.bearer(f"{worker.run}:{worker.token}")
    asked = {"op": "task.comment", "args": {"id": mine, "body": "on it"}}
    assert by_run.post("/api/v1/call?board=default", asked).status == 200
    asked["args"]["id"] = other
    assert by_run.post("/api/v1/call?board=default", asked).status in (403, 409)
    for op in ("task.edit", "task.delete", "token.list", "task.log"):
        asked = {"op": op, "args": {"id": other} if op != "token.list" else {}}
        assert by_run.post("/api/v1/call?board=default", asked).status == 403, op
    forged = site.web.bearer(f"{worker.run}:{worker.token[:-1]}x")
    assert forged.get("/api/v1/tasks?board=default").status == 401
