"""Agents that speak the Agent Client Protocol, for real: one process, several prompts, permissions."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import scripted_acp
from tests.support.home import Home, home_in
from tests.support.notes import whole_lines
from tests.support.waiting import eventually

DONE = {"ask": ["task.complete", {"summary": "did it"}]}


class Agents:
    """A home with a scripted program of kind acp as a profile."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.home = home
        self.notes = folder / "notes"
        self.notes.mkdir()
        program = folder / "scripted-acp"
        program.write_text(f"#!{home.python}\n{Path(scripted_acp.__file__).read_text()}")
        program.chmod(0o755)
        presets = home.path / "presets"
        presets.mkdir(mode=0o700, parents=True)
        least = f'kind = "acp"\nprogram = "{program}"\ntitle = "A"\nargv = ["@extra"]\n'
        (presets / "scripted.toml").write_text(f"{least}[options]\nask = []\nrefuse = []\n")

    def plays(self, *turns: list[dict[str, Any]], more: str = "") -> None:
        env = {"SCRIPT": json.dumps(turns), "NOTES": str(self.notes)}
        given = ", ".join(f"{name} = {json.dumps(value)}" for name, value in env.items())
        self.home.configure(
            f'[profiles.bot]\npreset = "scripted"\ngrace = "1s"\n{more}\nenv = {{ {given} }}\n'
        )

    def create(self, **args: Any) -> int:
        return self.home.create(assignee="bot", **args)

    def prompts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in whole_lines(self.notes / "prompts.jsonl")]

    def log(self, task: int) -> str:
        return str(self.home.ask("task.log", id=task)["text"])


@pytest.fixture
def agents(tmp_path: Path) -> Iterator[Agents]:
    for home in home_in(tmp_path / "h"):
        yield Agents(home, tmp_path)


def test_an_agent_of_the_protocol_does_its_task(agents):
    agents.plays(
        [{"say": "Working"}, {"say": " on it."}, {"tool": "write"}, DONE, {"say": "Done."}]
    )
    agents.home.up()
    task = agents.create(title="Sweep the floor")
    assert agents.home.becomes(task, "done")["summary"] == "did it"
    agents.home.is_over(task)
    assert "Sweep the floor" in agents.prompts()[0]["prompt"]
    assert agents.log(task).splitlines() == ["Working on it.", '→ write {"a": 1}', "Done."]
    (run,) = agents.home.runs(task)
    assert run["usage"]["input_tokens"] == 10
    assert agents.home.workers(run["id"]) == []


def test_a_reminder_goes_to_the_same_process(agents):
    agents.plays([{"say": "Finished."}], [DONE])
    agents.home.up()
    task = agents.create()
    agents.home.becomes(task, "done")
    first, second = agents.prompts()
    assert first["pid"] == second["pid"]
    assert "no verdict" in second["prompt"]


def test_what_a_person_allows_is_allowed_and_what_not_is_not(agents):
    agents.plays([{"permission": "rm -rf /"}, DONE], more='permissions = "ask"')
    agents.home.up()
    task = agents.create()
    (asked,) = eventually(lambda: agents.home.ask("question.list"))
    assert (asked["kind"], asked["options"]) == ("permission", ["Allow", "Reject"])
    assert "rm -rf /" in asked["body"]
    assert agents.home.status(task) == "running"
    agents.home.ask("task.answer", id=task, answer="Reject")
    agents.home.becomes(task, "done")
    agents.home.is_over(task)
    assert "decided: no" in agents.log(task)


@pytest.mark.parametrize(("policy", "decided"), [("auto", "yes"), ("refuse", "no")])
def test_the_profile_s_policy_decides_where_nobody_is_asked(agents, policy, decided):
    agents.plays([{"permission": "rm -rf /"}, DONE], more=f'permissions = "{policy}"')
    agents.home.up()
    task = agents.create()
    agents.home.becomes(task, "done")
    agents.home.is_over(task)
    assert f"decided: {decided}" in agents.log(task)


def test_an_error_of_the_provider_is_what_it_says(agents):
    agents.plays([{"fail": [401, "bad key"]}])
    agents.home.up()
    task = agents.create()
    eventually(lambda: agents.home.why(task) == "profile_paused")
    assert agents.home.outcomes(task) == ["auth_failed"]
    assert "bad key" in agents.home.runs(task)[0]["error"]


def test_a_program_that_ends_in_the_middle_of_a_turn_has_failed(agents):
    agents.plays([{"say": "Working."}, {"exit": 3}], [DONE])
    agents.home.up()
    task = agents.create()
    agents.home.becomes(task, "done")
    assert agents.home.outcomes(task) == ["failed", "completed"]


def test_the_answer_to_a_question_is_told_in_the_loaded_session(agents):
    agents.plays([{"ask": ["task.ask", {"question": "Red or blue?"}]}], [DONE])
    agents.home.up()
    task = agents.create()
    agents.home.becomes(task, "blocked")
    agents.home.ask("task.answer", id=task, answer="blue")
    agents.home.becomes(task, "done")
    agents.home.is_over(task)
    first, second = agents.prompts()
    assert first["pid"] != second["pid"]
    assert "blue" in second["prompt"]
    assert "told before" not in agents.log(task)


def test_a_stopped_agent_leaves_nothing_behind(agents):
    agents.plays([{"say": "Working."}, {"hang": True}])
    agents.home.up()
    task = agents.create()
    eventually(agents.prompts)
    agents.home.ask("run.terminate", id=task)
    agents.home.is_over(task)
    (run,) = agents.home.runs(task)
    assert agents.home.workers(run["id"]) == []
    assert not Path(f"/proc/{agents.prompts()[0]['pid']}").exists()
