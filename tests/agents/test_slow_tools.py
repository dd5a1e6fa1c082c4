"""A busy machine starts the server of the tools late: programs wait for it, and do not begin without tools."""

import os
import signal
import time

import pytest

from shopfloor.process import proc
from tests.support.home import kill
from tests.support.tools import tool_processes
from tests.support.waiting import eventually

# Longer than each program would wait for the tools of a server by itself.
LATE_S = {"claude": 8, "codex": 33, "opencode": 40}
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def age_s(one):
    """For how long a process has been there."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - one.started / TICKS_PER_S


@pytest.mark.parametrize("program", LATE_S)
def test_tools_that_are_late_are_waited_for(floor, program):
    profile = floor.profile(program, "mcp", reminders=0)
    floor.up()
    task = floor.give(profile, max_attempts=1)
    (server,) = eventually(lambda: tool_processes(floor.home))
    tools = proc.stat(server)
    kill(tools, signal.SIGSTOP)
    agent = floor.agent(floor.home.runs(task)[-1]["id"])
    eventually(lambda: age_s(agent) > LATE_S[program])
    kill(tools, signal.SIGCONT)
    floor.becomes(task, "done", "blocked")
    assert floor.is_over(task)["outcome"] == "completed"
