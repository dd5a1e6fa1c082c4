"""A worker that comes too late leaves quietly: no model is called, and it is nobody's failure.

The stale worker is a real one: the very command, folder and environment of a run's runner are started
again by hand when the run is no longer the open one.
"""

import os
import subprocess
from typing import NamedTuple

import pytest

from shopfloor.process import proc
from tests.support.home import ENVIRONMENT_BYTES_MAX


class Late(NamedTuple):
    """A runner as it was started, to be started again."""

    argv: list[str]
    env: dict[str, str]
    cwd: str

    def comes(self, **env):
        """Run it to its end; its exit status."""
        done = subprocess.run(
            self.argv,
            env={**self.env, **env},
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=600,
            check=False,
        )
        return done.returncode


def late(floor, run):
    pid = floor.runner(run).pid
    lines = [
        (proc.read(f"/proc/{pid}/{name}", ENVIRONMENT_BYTES_MAX) or b"").decode().split("\0")[:-1]
        for name in ("cmdline", "environ")
    ]
    env = dict(one.split("=", 1) for one in lines[1])
    return Late(lines[0], env, os.readlink(f"/proc/{pid}/cwd"))  # noqa: PTH115 - a link of /proc


@pytest.fixture
def hung(floor):
    """A task at work, whose agent waits for its model, and its runner as it was started."""

    def begin(program):
        profile = floor.profile(program, "hang", grace="1s")
        floor.up()
        task = floor.give(profile, workspace=f"dir:{floor.user}")
        floor.calls(profile)
        run = floor.home.runs(task)[-1]["id"]
        floor.home.ask("dispatch.pause")
        return task, run, late(floor, run)

    return begin


def refused(floor, run):
    """Whether the run's folder says that its guard sent it away."""
    return (floor.home.run_folder(run) / "guard_refused").exists()


@pytest.mark.parametrize("program", ["claude", "codex", "opencode-acp"])
@pytest.mark.parametrize("verb", ["run.terminate", "task.complete", "task.block"])
def test_a_stale_worker_calls_no_model(floor, hung, program, verb):
    task, run, stale = hung(program)
    words = {"reason": "a person has a look"} if verb == "task.block" else {}
    floor.home.ask(verb, id=task, **words)
    floor.is_over(task)
    before, status = len(floor.models.calls()), floor.home.status(task)
    assert stale.comes() == 0
    assert refused(floor, run)
    assert len(floor.models.calls()) == before
    assert floor.home.status(task) == status
    assert floor.home.task(task)["failures"] == 0


@pytest.mark.parametrize("wrong", [{"SHOPFLOOR_TOKEN": ""}, {"SHOPFLOOR_TOKEN": "not-mine"}])
def test_a_worker_without_its_token_calls_no_model(floor, hung, wrong):
    _task, run, stale = hung("claude")
    before = len(floor.models.calls())
    assert stale.comes(**wrong) == 0
    assert refused(floor, run)
    assert len(floor.models.calls()) == before
