"""Agents that work for real: dispatcher, supervisor, runner and a scripted agent program, and kills."""

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shopfloor.process import proc
from tests.support import scripted_agent
from tests.support.home import Home, home_in, kill
from tests.support.waiting import eventually

PRESET = """
program = "{program}"
title = "A scripted agent"
argv = ["@session", "@extra"]
prompt = "stdin"
[options]
resume = ["--session", "{{session}}"]
[session]
id = "read"
[output]
format = "jsonl"
[[output.events]]
when = {{ type = "start" }}
session = "session"
[[output.events]]
when = {{ type = "text" }}
text = "text"
[[output.events]]
when = {{ type = "tool" }}
tool = "name"
[[output.events]]
when = {{ type = "usage" }}
usage = {{ input_tokens = "in", output_tokens = "out" }}
cost = "usd"
[[output.events]]
when = {{ type = "failed" }}
failure = true
status = "status"
message = "message"
retry_after = "after"
[[output.events]]
when = {{ type = "retrying" }}
retrying = true
status = "status"
[[output.events]]
when = {{ type = "denied" }}
denied = "tools.*"
"""
DONE = {"ask": ["task.complete", {"summary": "did it"}]}
Step = dict[str, Any]


class Agents:
    """A home with a scripted agent as a profile."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.home = home
        self.notes = folder / "notes"
        self.notes.mkdir()
        program = folder / "scripted-agent"
        program.write_text(f"#!{home.python}\n{Path(scripted_agent.__file__).read_text()}")
        program.chmod(0o755)
        presets = home.path / "presets"
        presets.mkdir(mode=0o700, parents=True)
        (presets / "scripted.toml").write_text(PRESET.format(program=program))

    def plays(self, *turns: list[Step], more: str = "", dispatch: str = "") -> None:
        """Let the agent play these turns, one each time it is started."""
        env = {"SCRIPT": json.dumps(turns), "NOTES": str(self.notes)}
        given = ", ".join(f"{name} = {json.dumps(value)}" for name, value in env.items())
        self.home.configure(
            f'[dispatch]\n{dispatch}\n[profiles.bot]\npreset = "scripted"\ngrace = "1s"\n'
            f"{more}\nenv = {{ {given} }}\n"
        )

    def create(self, **args: Any) -> int:
        return self.home.create(assignee="bot", **args)

    def turns(self) -> list[dict[str, Any]]:
        """What the agent was told, turn by turn."""
        found = sorted(self.notes.glob("turn-*.json"), key=lambda path: int(path.stem[5:]))
        return [json.loads(path.read_text()) for path in found]

    def report(self, task: int) -> dict[str, Any]:
        """What the runner of a task's last run reported."""
        run = self.home.runs(task)[-1]["id"]
        told: dict[str, Any] = json.loads((self.home.run_folder(run) / "report.json").read_text())
        return told

    def log(self, task: int) -> str:
        return str(self.home.ask("task.log", id=task)["text"])

    def works(self) -> int:
        """Wait until the agent works; its process."""
        return int(eventually(self.turns)[-1]["pid"])

    def runner(self, task: int) -> proc.Stat:
        """The runner of a task: the supervisor's child, which is the agent's parent."""
        found = proc.stat(self.works())
        assert found is not None
        parent = proc.stat(found.parent)
        assert parent is not None and parent.parent == self.home.supervisor(task).pid
        return parent


@pytest.fixture
def agents(tmp_path: Path) -> Iterator[Agents]:
    for home in home_in(tmp_path / "h"):
        yield Agents(home, tmp_path)


def test_an_agent_that_says_so_has_done_its_task(agents):
    used = {"event": {"type": "usage", "in": 100, "out": 20, "usd": 0.25}}
    agents.plays([{"say": "Working."}, used, DONE, {"say": "Done."}], more='model = "m1"')
    agents.home.up()
    task = agents.create(title="Sweep the floor", body="Mind the cat.")
    assert agents.home.becomes(task, "done")["summary"] == "did it"
    agents.home.is_over(task)
    (run,) = agents.home.runs(task)
    assert run["outcome"] == "completed"
    assert (run["usage"]["input_tokens"], run["usage"]["cost_micros"]) == (100, 250_000)
    assert run["usage"]["model"] == "m1"
    (turn,) = agents.turns()
    assert "Sweep the floor" in turn["prompt"] and "Mind the cat." in turn["prompt"]
    report = agents.report(task)
    assert (report["ending"], report["text"], report["turns"]) == (None, "Done.", 1)
    assert agents.log(task).splitlines() == ["Working.", "→ task.complete", "Done."]


def test_an_agent_that_forgot_its_verdict_is_asked_in_the_same_session(agents):
    agents.plays([{"say": "I am finished."}], [DONE])
    agents.home.up()
    task = agents.create()
    agents.home.becomes(task, "done")
    agents.home.is_over(task)
    first, second = agents.turns()
    assert second["argv"] == ["--session", f"s-{first['pid']}"]
    assert "no verdict" in second["prompt"] and f"#{task}" in second["prompt"]
    assert agents.home.outcomes(task) == ["completed"]
    assert agents.report(task)["reminders"] == 1


def test_an_agent_that_never_says_how_it_ended_has_broken_the_protocol(agents):
    agents.plays([{"say": "I am finished."}], dispatch='recent_success = "0s"')
    agents.home.up()
    task = agents.create(max_attempts=1)
    shown = agents.home.becomes(task, "blocked")
    assert agents.home.outcomes(task) == ["protocol_violation"]
    assert "asked 2 times" in agents.home.runs(task)[0]["error"]
    assert len(agents.turns()) == 3
    assert shown["block_kind"] == "gave_up"


def test_an_agent_that_only_talks_of_a_limit_has_not_hit_one(agents):
    agents.plays(
        [{"say": "429 Too Many Requests: rate limit, quota exceeded"}], more="reminders = 0"
    )
    agents.home.up()
    task = agents.create(max_attempts=1)
    agents.home.becomes(task, "blocked")
    assert agents.home.outcomes(task) == ["protocol_violation"]


@pytest.mark.parametrize("status", [0, 1])
def test_a_limit_gives_the_slot_back_until_the_provider_s_time(agents, status):
    limit = {"event": {"type": "failed", "status": 429, "message": "slow", "after": 600}}
    agents.plays([limit, {"exit": status}])
    agents.home.up()
    task = agents.create()
    run = eventually(lambda: [r for r in agents.home.runs(task) if r["outcome"]])[0]
    assert run["outcome"] == "rate_limited"
    assert "HTTP 429" in run["error"]
    assert agents.home.task(task)["failures"] == 0
    assert agents.report(task)["reset_at"] is not None


def test_a_limit_that_is_over_soon_is_waited_for_in_the_run(agents):
    limit = {"event": {"type": "failed", "status": 429, "message": "slow", "after": 0.1}}
    agents.plays([limit, {"exit": 1}], [DONE])
    agents.home.up()
    task = agents.create()
    agents.home.becomes(task, "done")
    assert agents.home.outcomes(task) == ["completed"]
    first, second = agents.turns()
    assert second["argv"] == ["--session", f"s-{first['pid']}"]


def test_a_program_that_tries_again_for_ever_is_stopped(agents):
    again = {"event": {"type": "retrying", "status": 401}}
    agents.plays([{"deaf": True}, again, again, again, again, {"hang": True}])
    agents.home.up()
    task = agents.create()
    run = eventually(lambda: [r for r in agents.home.runs(task) if r["outcome"]])[0]
    assert run["outcome"] == "auth_failed"
    assert "tried again" in run["error"]


def test_a_refused_login_pauses_the_profile_whatever_the_exit_status(agents):
    agents.plays([{"event": {"type": "failed", "status": 401, "message": "bad key"}}, {"exit": 0}])
    agents.home.up()
    task = agents.create()
    eventually(lambda: agents.home.why(task) == "profile_paused")
    assert agents.home.outcomes(task) == ["auth_failed"]
    assert len(agents.turns()) == 1
    assert agents.report(task)["next"] == "shop profile check bot"


def test_a_refused_tool_without_a_verdict_is_the_program_s_policy(agents):
    agents.plays([{"event": {"type": "denied", "tools": ["Bash"]}}], more="reminders = 1")
    agents.home.up()
    task = agents.create()
    eventually(lambda: agents.home.why(task) == "profile_paused")
    assert agents.home.outcomes(task) == ["permission_refused"]
    assert "Bash" in agents.home.runs(task)[0]["error"]


def test_a_program_that_fails_has_failed_with_its_last_words(agents):
    agents.plays([{"error": "out of cheese"}, {"exit": 3}])
    agents.home.up()
    task = agents.create(max_attempts=1)
    agents.home.becomes(task, "blocked")
    (run,) = agents.home.runs(task)
    assert run["outcome"] == "failed"
    assert "exit status 3" in run["error"] and "out of cheese" in run["error"]


def test_an_agent_that_is_killed_has_crashed_and_is_tried_again(agents):
    agents.plays([{"say": "Working."}, {"kill": signal.SIGKILL}], [DONE])
    agents.home.up()
    task = agents.create()
    agents.home.becomes(task, "done")
    assert agents.home.outcomes(task) == ["crashed", "completed"]
    assert "attempt" in agents.turns()[1]["prompt"].lower()


def test_a_program_that_is_not_there_is_said(agents):
    agents.plays([DONE], more='program = "/nonexistent/agent"')
    agents.home.up()
    task = agents.create(max_attempts=1)
    agents.home.becomes(task, "blocked")
    (run,) = agents.home.runs(task)
    assert run["outcome"] == "spawn_failed"
    assert "/nonexistent/agent" in run["error"]


def test_a_stopped_agent_leaves_nothing_behind(agents):
    agents.plays([{"leave": 600}, {"deaf": True}, {"say": "thinking"}, {"hang": True}])
    agents.home.up()
    task = agents.create()
    agents.works()
    eventually(lambda: "thinking" in agents.log(task))
    agents.home.ask("run.terminate", id=task)
    agents.home.is_over(task)
    (run,) = agents.home.runs(task)
    assert run["outcome"] == "reclaimed"
    assert agents.home.workers(run["id"]) == []


@pytest.mark.parametrize("victim", ["runner", "supervisor"])
def test_what_kills_runner_or_supervisor_takes_the_agent_with_it(agents, victim):
    agents.plays([{"leave": 600}, {"hang": True}], [DONE])
    agents.home.up()
    task = agents.create()
    runner = agents.runner(task)
    kill(runner if victim == "runner" else agents.home.supervisor(task))
    agents.home.becomes(task, "done")
    agents.home.is_over(task)
    assert agents.home.outcomes(task) == ["crashed", "completed"]
    first = agents.home.runs(task)[0]["id"]
    assert agents.home.workers(first) == []


def test_a_new_dispatcher_takes_over_an_agent_at_work(agents):
    agents.plays([{"hang": True}])
    daemon = agents.home.up()
    task = agents.create()
    agents.works()
    daemon.kill()
    agents.home.up()
    assert agents.home.status(task) == "running"
    assert len(agents.turns()) == 1


def test_a_runner_whose_run_is_over_starts_nothing(agents):
    """What a stale runner does: asks the guard, writes its refusal down, and leaves with 0."""
    agents.plays([DONE])
    agents.home.up()
    task = agents.create()
    agents.home.becomes(task, "done")
    agents.home.is_over(task)
    folder = agents.home.run_folder(agents.home.runs(task)[0]["id"])
    (turn,) = agents.turns()
    boot = "from shopfloor.runners.agent import main; main()"
    again = [sys.executable, "-c", boot, str(folder)]
    found = agents.home.run(again, **turn["env"])
    assert (found.returncode, found.stdout) == (0, "")
    refusal = folder / "guard_refused"
    assert "startup guard" in refusal.read_text()
    refusal.unlink()
    nobody = {name: word for name, word in turn["env"].items() if name != "SHOPFLOOR_TOKEN"}
    assert agents.home.run(again, **nobody).returncode == 0
    assert "SHOPFLOOR_TOKEN" in refusal.read_text()
    assert len(agents.turns()) == 1


def test_a_goal_without_a_judge_goes_on_until_the_agent_says_so(agents):
    agents.plays([{"say": "One."}], [{"say": "Two."}], [DONE])
    agents.home.up()
    task = agents.create(goal=True)
    agents.home.becomes(task, "done")
    agents.home.is_over(task)
    assert agents.home.outcomes(task) == ["completed"]
    sessions = {turn["argv"][1] for turn in agents.turns()[1:]}
    assert sessions == {f"s-{agents.turns()[0]['pid']}"}


def test_a_goal_whose_turns_are_used_up_is_a_person_s(agents):
    agents.plays([{"say": "Still at it."}])
    agents.home.up()
    task = agents.create(goal=True, goal_turns=2)
    shown = agents.home.becomes(task, "blocked")
    assert agents.home.outcomes(task) == ["goal_budget_spent"]
    assert shown["block_kind"] == "needs_input"
    assert "2 turns" in shown["block_reason"]
    assert len(agents.turns()) == 2


def test_the_answer_to_a_question_goes_on_in_the_same_session(agents):
    asked = {"ask": ["task.ask", {"question": "Red or blue?", "options": ["red", "blue"]}]}
    agents.plays([asked], [DONE])
    agents.home.up()
    task = agents.create()
    agents.home.becomes(task, "blocked")
    agents.home.ask("task.answer", id=task, answer="blue")
    agents.home.becomes(task, "done")
    first, second = agents.turns()
    assert second["argv"] == ["--session", f"s-{first['pid']}"]
    assert "blue" in second["prompt"]


def test_a_session_that_is_lost_begins_anew_with_the_whole_task(agents):
    preset = agents.home.path / "presets" / "scripted.toml"
    rule = "[[output.lines]]\nmatch = '^no such session'\nending = 'session_lost'\n"
    preset.write_text(preset.read_text() + rule)
    agents.plays([{"say": "Hm."}], [{"error": "no such session"}, {"exit": 1}], [DONE])
    agents.home.up()
    task = agents.create(title="Sweep the floor")
    agents.home.becomes(task, "done")
    *_, last = agents.turns()
    assert last["argv"] == []
    assert "Sweep the floor" in last["prompt"]


def test_a_limit_that_is_reached_stops_the_agent_and_asks_a_person(agents):
    used = {"event": {"type": "usage", "in": 100, "out": 20, "usd": 0.25}}
    agents.plays([used, {"deaf": True}, {"hang": True}], more="tokens_per_run = 50")
    agents.home.up()
    task = agents.create()
    shown = agents.home.becomes(task, "blocked")
    agents.home.is_over(task)
    assert shown["block_kind"] == "needs_input"
    assert agents.home.outcomes(task) == ["blocked"]
    assert not Path(f"/proc/{agents.turns()[0]['pid']}").exists()


def test_a_secret_reaches_neither_the_log_nor_the_report(agents):
    agents.plays(
        [{"say": "the key is hunter2hunter2"}],
        more='pass_env = ["MY_KEY"]\nreminders = 0',
    )
    agents.home.up(MY_KEY="hunter2hunter2")
    task = agents.create(max_attempts=1)
    agents.home.becomes(task, "blocked")
    agents.home.is_over(task)
    assert "the key is ***" in agents.log(task)
    assert agents.report(task)["text"] == "the key is ***"
    brief = agents.home.run_folder(agents.home.runs(task)[0]["id"]) / "agent.json"
    assert "hunter2" not in brief.read_text()
    assert oct(brief.stat().st_mode)[-3:] == "600"
