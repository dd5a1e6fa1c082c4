"""What the worker, the reviewer, the orchestrator and the worker of a run that is over can do."""

import json
import threading
from pathlib import Path

import pytest

from tests.support.tools import Agent, claim, worker_of
from tests.support.waiting import eventually

ROUTING = {"task_create", "task_list", "task_link", "task_assign", "task_decompose", "profile_list"}


def test_a_worker_acts_on_its_own_task_without_naming_it(open_home, agent):
    task = agent.worker.task
    assert agent.call("task_show").json["task"]["id"] == task
    assert agent.call("task_context").text.startswith("#")
    agent.call("task_comment", {"body": "the meter is in the cellar"})
    assert agent.call("task_comments").json[0]["author"] == f"run {agent.worker.run}"
    assert agent.call("task_heartbeat", {"note": "on the stairs"}).json["run"] == agent.worker.run
    assert agent.call("task_block", {"reason": "the cellar is locked"}).json["status"] == "blocked"
    assert open_home.task(task)["block_reason"] == "the cellar is locked"


def test_each_answer_tells_of_comments_until_they_were_read(open_home, agent):
    assert "task_inbox" not in agent.call("task_heartbeat").text
    open_home.ask("task.comment", id=agent.worker.task, body="mind the dog")
    assert "(1 new comment: call task_inbox)" in agent.call("task_heartbeat").text
    open_home.ask("task.comment", id=agent.worker.task, body="the dog is gone")
    assert "(2 new comments: call task_inbox)" in agent.call("task_show").text
    agent.call("task_comment", {"body": "my own word is no news"})
    news = agent.call("task_inbox").json
    assert [one["body"] for one in news] == ["mind the dog", "the dog is gone"]
    assert "task_inbox" not in agent.call("task_heartbeat").text


@pytest.mark.parametrize("written", [lambda n: n, str, lambda n: f"#{n}", lambda n: f" #{n} "])
def test_a_number_is_understood_as_models_write_it(agent, written):
    shown = agent.call("task_show", {"id": written(agent.worker.task)})
    assert shown.json["task"]["id"] == agent.worker.task


def test_what_is_left_out_may_also_be_null(agent):
    assert not agent.call("task_complete", {"id": None, "summary": "read", "result": None}).refused


def test_a_worker_changes_no_other_task(open_home, agent):
    other = claim(open_home, open_home.create("another's"))
    for name, words in (
        ("task_complete", {"summary": "mine now"}),
        ("task_comment", {"body": "hello"}),
        ("task_block", {"reason": "because"}),
    ):
        told = agent.call(name, {"id": other.task, **words})
        assert told.refused
        assert told.structured == told.json
        assert told.json["code"] == "forbidden"
        assert "own task" in told.json["message"]
        assert told.json["next"]
    assert open_home.status(other.task) == "running"
    assert open_home.kinds(agent.worker.task).count("write_refused") == 3


def test_a_refusal_says_what_to_do_next(agent):
    for name, words, code in (
        ("task_fly", {}, "not_found"),
        ("task_show", {"id": 123_456}, "not_found"),
        ("task_show", {"id": "the first"}, "invalid"),
        ("task_show", {"number": 1}, "invalid"),
        ("task_block", {}, "invalid"),
        ("task_block", {"reason": "x", "kind": "tired"}, "invalid"),
        ("task_request_changes", {"reason": "x"}, "forbidden"),
        ("task_create", {"title": "x"}, "forbidden"),
        ("task_comment", {"body": "x" * 70_000}, "limit_reached"),
    ):
        told = agent.call(name, words)
        assert told.refused, name
        assert told.json["code"] == code, told
        assert {*told.json} == {"code", "message", "next"}


def test_a_run_that_is_over_has_no_tools_and_is_told_to_stop(open_home, agent):
    agent.call("task_complete", {"summary": "read"})
    task = agent.worker.task
    assert agent.tools() == []
    for name, words in (("task_show", {}), ("task_comment", {"body": "x"}), ("task_complete", {})):
        told = agent.call(name, words)
        assert told.refused
        assert told.json["code"] == "stale"
        assert "Stop" in told.json["next"]
    # Reading changes nothing; each write was refused by the ledger, which wrote it down.
    assert open_home.kinds(task).count("write_refused") == 2
    assert [one["body"] for one in open_home.show(task)["comments"]] == []


def test_a_run_that_was_taken_back_has_no_tools_from_that_moment(open_home, agent):
    assert agent.tools()
    open_home.ask("task.reclaim", id=agent.worker.task)
    assert agent.tools() == []
    told = agent.call("task_complete", {"summary": "too late"})
    assert told.json["code"] == "stale"
    assert open_home.status(agent.worker.task) == "ready"


def test_a_reviewer_approves_or_asks_for_changes(home, notes):
    sleep = json.dumps(notes.worker("sleep"))
    home.configure(
        f'[dispatch]\nreviewer = "critic"\n[profiles.coder]\nargv = {sleep}\nleave_grace = "10ms"\n'
        f"[profiles.critic]\nargv = {sleep}\n"
    )
    home.up()
    task = home.create("paint the door", assignee="coder")
    eventually(lambda: notes.count("start", task) == 1)
    coder = Agent(home, worker_of(home, task))
    assert "task_request_review" in coder.tools()
    assert "task_request_changes" not in coder.tools()
    assert not coder.call("task_request_review", {"summary": "it is green"}).refused
    eventually(lambda: notes.count("start", task) == 2)
    critic = Agent(home, worker_of(home, task))
    assert {"task_request_changes", "task_complete", "task_show"} <= {*critic.tools()}
    assert "task_request_review" not in critic.tools()
    assert not critic.call("task_request_changes", {"reason": "it should be red"}).refused
    assert home.outcomes(task)[:2] == ["review_requested", "changes_requested"]
    assert "it should be red" in home.show(task)["comments"][0]["body"]


def test_an_orchestrator_routes_tasks_in_its_runs_name(home, notes):
    sleep = json.dumps(notes.worker("sleep"))
    home.configure(
        f"[profiles.router]\nargv = {sleep}\norchestrator = true\n"
        f'[profiles.coder]\nargv = {sleep}\ndescription = "writes code"\n'
    )
    home.up()
    home.ask("dispatch.pause", profile="coder")
    idea = home.create("a shop for bicycles", initial_status="triage")
    task = home.create("route what is there", assignee="router")
    eventually(lambda: notes.count("start", task) == 1)
    router = Agent(home, worker_of(home, task))
    assert {*router.tools()} >= ROUTING | {"task_complete"}
    profiles = {one["name"]: one["description"] for one in router.call("profile_list").json}
    assert profiles["coder"] == "writes code"
    assert idea in [one["id"] for one in router.call("task_list").json["items"]]
    pieces = [{"title": "the till", "assignee": "coder"}, {"title": "the door", "after": [0]}]
    made = router.call("task_decompose", {"id": idea, "pieces": pieces}).json
    till, door = (one["id"] for one in made["pieces"])
    assert home.status(door) == "todo"
    assert router.call("task_assign", {"id": str(door), "assignee": "coder"}).json["id"] == door
    extra = router.call("task_create", {"title": "a bell", "assignee": "coder"}).json["task"]["id"]
    assert router.call("task_link", {"parent": extra, "child": till}).json["changed"]
    assert home.task(extra)["origin"] == task
    actors = {event["kind"]: event["actor"] for event in home.show(idea)["events"]}
    assert actors["decomposed"] == f"run {router.worker.run}"
    assert router.call("task_complete", {"id": extra, "summary": "x"}).json["code"] == "forbidden"
    router.call("task_complete", {"summary": "routed"})
    told = router.call("task_assign", {"id": door, "assignee": "none"})
    assert told.json["code"] == "stale"
    assert home.task(door)["assignee"] == "coder"


def test_a_worker_that_is_no_orchestrator_routes_nothing(open_home, agent):
    other = open_home.create("another's")
    assert not ROUTING & {*agent.tools()}
    told = agent.call("task_assign", {"id": other, "assignee": "me"})
    assert told.json["code"] == "forbidden"
    # Past the tools, at the door itself, it is the same.
    refused = open_home.refused("task.assign", worker=agent.worker, id=other, assignee="me")
    assert refused.code == "forbidden"


def test_a_file_of_the_workspace_is_attached_and_no_other(home, notes, tmp_path):
    home.configure(f"[profiles.coder]\nargv = {json.dumps(notes.worker('sleep'))}\n")
    home.up()
    task = home.create("draw the plan", assignee="coder")
    eventually(lambda: notes.count("start", task) == 1)
    agent = Agent(home, worker_of(home, task))
    place = home.board() / "workspaces" / str(task)
    (place / "plan.txt").write_text("a plan")
    (place / "away").symlink_to(tmp_path)
    (tmp_path / "secret").write_text("a secret")
    assert agent.call("task_attach", {"path": "plan.txt"}).json["name"] == "plan.txt"
    assert (
        agent.call("task_attach", {"path": str(place / "plan.txt"), "name": "b.txt"}).json["name"]
        == "b.txt"
    )
    (found, _) = agent.call("task_attachments").json
    assert Path(found["path"]).read_text() == "a plan"
    for path, code in (
        (str(tmp_path / "secret"), "forbidden"),
        ("../../board.json", "forbidden"),
        ("away/secret", "forbidden"),
        ("nothing", "not_found"),
        (".", "not_found"),
        ("", "invalid"),
        (7, "invalid"),
    ):
        assert agent.call("task_attach", {"path": path}).json["code"] == code, path
    # The board is asked to fetch, and this machine is not of the public network.
    here = {"url": "http://127.0.0.1:1/plan.txt"}
    assert agent.call("task_attach", here).json["code"] == "forbidden"
    assert agent.call("task_attach", {**here, "path": "plan.txt"}).json["code"] == "invalid"


def test_a_run_without_a_workspace_attaches_no_file(agent):
    assert agent.call("task_attach", {"path": "/etc/hostname"}).json["code"] == "invalid"


def test_the_same_call_sent_again_has_no_second_effect(open_home, agent):
    for _ in range(2):
        told = agent.call("task_comment", {"body": "once"}, Shop_Request_Id="a-comment-1")
        assert not told.refused
    assert [one["body"] for one in open_home.show(agent.worker.task)["comments"]] == ["once"]
    again = agent.call("task_comment", {"body": "another"}, Shop_Request_Id="a-comment-1")
    assert again.json["code"] == "conflict"


def test_workers_at_once_get_their_own_answers(open_home):
    agents = [Agent(open_home, claim(open_home, open_home.create(f"m {n}"))) for n in range(4)]
    wrong = []

    def work(agent):
        for number in range(20):
            shown = agent.call("task_show").json["task"]["id"]
            said = agent.call("task_comment", {"body": f"{number}"}).json["task"]
            if {shown, said} != {agent.worker.task}:
                wrong.append((agent.worker.task, shown, said))
        agent.call("task_complete", {"summary": "done"})

    threads = [threading.Thread(target=work, args=(agent,)) for agent in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    for agent in agents:
        shown = open_home.show(agent.worker.task)
        assert shown["task"]["status"] == "done"
        assert len(shown["comments"]) == 20
