"""What is asked over HTTP: operations by name and by path, files, logs, texts, events."""

import http.client
import json
import re

import pytest

from shopfloor.surfaces.web import catalog, index


def test_the_list_of_routes_is_what_the_registry_says():
    assert catalog.FILE.read_text() == index.text()


def test_an_operation_by_its_name_and_by_its_path_answers_the_same_bytes_as_the_command_line(site):
    task = site.home.create("the same everywhere")
    by_name = site.web.post("/api/v1/call", {"op": "task.show", "args": {"id": task}})
    by_path = site.web.get(f"/api/v1/tasks/{task}")
    printed = site.home.shop("show", str(task), "--json").stdout.encode()
    assert by_name.body == b'{"result":' + by_path.body + b"}"
    assert printed == by_path.body + b"\n"


def test_a_write_that_is_sent_again_with_its_key_is_done_once(web):
    first, second = (
        web.post("/api/v1/tasks", {"title": "once"}, Idempotency_Key="a key") for _ in range(2)
    )
    assert first.status == second.status == 200
    assert first.body == second.body
    other = web.post("/api/v1/tasks", {"title": "another"}, Idempotency_Key="a key")
    assert (other.status, other.code) == (409, "conflict")


def test_several_tasks_end_each_in_its_own_way(site):
    tasks = [site.home.create("one of several") for _ in range(2)]
    said = site.web.post("/api/v1/tasks/archive", {"ids": [*tasks, 99_999]})
    assert [one.get("error", {}).get("code") for one in said.json] == [None, None, "not_found"]
    said = site.web.get(f"/api/v1/tasks/why?ids={tasks[0]},{tasks[1]}")
    assert [one["id"] for one in said.json] == tasks


LINK = re.compile(r'<([^>]+)>; rel="next"')


def pages(web, path):
    """All pages of a list, by the links from one to the next."""
    found = []
    while path is not None:
        said = web.get(path)
        assert said.status == 200, said
        found.append(said.json)
        link = said.headers.get("link")
        path = link and LINK.fullmatch(link)[1]
    return found


def test_a_list_leads_from_page_to_page(site):
    task = site.home.create("with a lot of everything")
    for number in range(5):
        site.home.ask("task.comment", id=task, body=f"{number}")
        site.web.send("PUT", f"/api/v1/tasks/{task}/attachments/file{number}", b"x")
        site.home.ask("run.claim", id=task)
        site.home.ask("task.reclaim", id=task)
    comments = pages(site.web, f"/api/v1/tasks/{task}/comments?limit=2")
    assert [len(page) for page in comments] == [2, 2, 1]
    assert [one["body"] for page in comments for one in page] == ["0", "1", "2", "3", "4"]
    files = pages(site.web, f"/api/v1/tasks/{task}/attachments?limit=2")
    assert [one["name"] for page in files for one in page] == [f"file{n}" for n in range(5)]
    attempts = pages(site.web, f"/api/v1/tasks/{task}/runs?limit=2")
    numbers = [one["id"] for page in attempts for one in page]
    assert len(numbers) == 5 and numbers == sorted(numbers, reverse=True)
    for name in ("a", "b", "c"):
        site.home.ask("dispatch.pause", ids=[site.home.create("paused")])
        site.home.shop("board", "create", name)
    held = pages(site.web, "/api/v1/holds?limit=2")
    assert [len(page) for page in held] == [2, 1]
    assert len({one["name"] for page in held for one in page}) == 3
    boards = pages(site.web, "/api/v1/boards?limit=3")
    assert [one["slug"] for page in boards for one in page] == ["a", "b", "c", "default"]
    listed = pages(site.web, "/api/v1/tasks?limit=2&sort=created")
    assert all(page["next"] for page in listed[:-1]) and listed[-1]["next"] is None
    shown = [one["id"] for page in listed for one in page["items"]]
    assert shown == sorted(set(shown)) and task in shown


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/tasks/999999", 404),
        ("GET", "/api/v1/tasks?limit=0", 400),
        ("GET", "/api/v1/tasks?unheard=1", 400),
        ("GET", "/api/v1/tasks?limit=1&limit=2", 400),
        ("PUT", "/api/v1/tasks", 405),
        ("GET", "/api/v1/unheard", 404),
        ("GET", "/api/v1/tasks?board=unheard", 404),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_the_one_shape(web, method, path, status):
    said = web.send(method, path)
    assert said.status == status
    assert said.json.keys() == {"error"}
    assert said.json["error"].keys() == {"code", "message", "detail"}


def test_a_file_goes_in_and_out_as_it_is(site):
    task, data = site.home.create("with a file"), bytes(range(256)) * 3_001
    said = site.web.send("PUT", f"/api/v1/tasks/{task}/attachments/a%20%C3%A4.html", data)
    assert (said.status, said.json["name"], said.json["size"]) == (201, "a ä.html", len(data))
    again = site.web.send("PUT", f"/api/v1/tasks/{task}/attachments/a%20%C3%A4.html", b"other")
    assert again.json["name"] == "a ä-2.html"
    said = site.web.get(f"/api/v1/tasks/{task}/attachments/a%20%C3%A4.html")
    assert said.body == data
    assert said.headers["content-type"] == "application/octet-stream"
    assert said.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in said.headers["content-security-policy"]
    said = site.web.send("DELETE", f"/api/v1/tasks/{task}/attachments/a%20%C3%A4.html")
    assert said.status == 200
    assert site.web.get(f"/api/v1/tasks/{task}/attachments/a%20%C3%A4.html").status == 404


def test_a_file_of_the_web_is_asked_for_by_its_address(site):
    task = site.home.create("with a file")
    path = f"/api/v1/tasks/{task}/attachments"
    said = site.web.post(path, {"url": "http://localhost:1/secret"})
    assert (said.status, said.json["error"]["code"]) == (403, "forbidden")
    assert "not in the public network" in said.json["error"]["message"]
    assert site.web.post(path, {"url": "file:///etc/passwd"}).status == 400


def test_a_log_is_html_with_its_colours_and_nothing_else(site):
    script = r"printf '\033[31mred\033[0m \033]0;title\007<script>alert(1)</script>\n'"
    task = site.home.create_command(["sh", "-c", script])
    site.home.becomes(task, "done")
    told = site.web.get(f"/api/v1/tasks/{task}/log.html").json
    assert told["html"] == (
        '<span class="ansi-red">red</span> &lt;script&gt;alert(1)&lt;/script&gt;\n'
    )
    assert told["exists"] is True


def test_a_text_is_html_that_may_stand_in_a_page(web):
    texts = [
        "**bold** <img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "| a |\n|-|\n| b |",
    ]
    bold, link, table = web.post("/api/v1/markdown", {"texts": texts}).json["html"]
    assert "<strong>bold</strong>" in bold
    assert "<img" not in bold
    assert "<a" not in link
    assert "<td>b</td>" in table


def test_events_come_as_they_happen_and_go_on_after_the_last_one_seen(site):
    cursor = site.home.ask("event.list", limit=1)["last"]
    first, second = site.home.create("heard"), site.home.create("heard too")
    headers = {"Authorization": f"Bearer {site.web.shown}", "Last-Event-ID": str(cursor)}
    found: list[int] = []
    connection = http.client.HTTPConnection(site.web.host, site.web.port, timeout=120)
    connection.request("GET", "/api/v1/events/stream?board=default", headers=headers)
    answer = connection.getresponse()
    assert answer.getheader("content-type") == "text/event-stream; charset=utf-8"
    third = None
    while len(found) < 3:
        line = answer.readline()
        if line.startswith(b"data: "):
            found.append(json.loads(line[6:])["task"])
        if len(found) == 2 and third is None:
            third = site.home.create("while somebody listens")
    connection.close()
    assert found == [first, second, third]
