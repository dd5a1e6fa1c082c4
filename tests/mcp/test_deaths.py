"""What workers notice when the process of the tools or `shop up` dies: that it takes a moment longer."""

import json
import os
import signal
import socket
import threading
from contextlib import contextmanager
from pathlib import Path

from shopfloor.process import identity
from tests.support.tools import Agent, Bridge, claim, told, tool_processes, worker_environment
from tests.support.waiting import eventually


def agent_in(home):
    home.up()
    return Agent(home, claim(home, home.create("read the meter")))


def later(work):
    """Do something in a thread; `join` it, then look at its only result."""
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    return thread, found


def test_nothing_is_started_and_no_port_opened_before_tools_are_asked_for(home):
    home.up()
    task = home.create_command(["true"])
    home.becomes(task, "done")
    assert tool_processes(home) == []
    assert not (home.path / "mcp.json").exists()


def test_the_process_is_started_again_when_it_dies_and_nobody_is_turned_away(home):
    agent = agent_in(home)
    for _ in range(3):
        assert agent.ask("ping") == {}
        (pid,) = tool_processes(home)
        os.kill(pid, signal.SIGKILL)
        # The address stays open: this waits in the queue for the next process.
        assert agent.ask("ping") == {}
        assert tool_processes(home) != [pid]
    assert "is started again" in home.daemons[0].log()


def test_a_call_over_the_bridge_survives_the_death_of_the_process_under_it(home):
    agent = agent_in(home)
    agent.ask("ping")
    bridge = Bridge(worker_environment(home, agent.worker))
    bridge.ask("ping")
    (pid,) = tool_processes(home)
    os.kill(pid, signal.SIGSTOP)
    thread, found = later(
        lambda: bridge.ask("tools/call", name="task_comment", arguments={"body": "once"})
    )
    os.kill(pid, signal.SIGKILL)
    thread.join()
    assert not told(found[0]["result"]).refused
    assert len(home.show(agent.worker.task)["comments"]) == 1
    assert bridge.close() == 0


def test_a_call_in_the_middle_of_a_restart_is_carried_out_once_by_the_next_door(home):
    agent = agent_in(home)
    agent.ask("ping")
    (first,) = tool_processes(home)
    up = home.daemons[0]
    # The call reaches the tools, and its question a door that never answers.
    os.kill(up.pid, signal.SIGSTOP)
    thread, found = later(lambda: agent.call("task_comment", {"body": "once"}))
    eventually(lambda: _asked(first))
    up.kill()
    assert thread.is_alive()
    home.up()
    thread.join()
    assert not found[0].refused
    assert len(home.show(agent.worker.task)["comments"]) == 1
    # The address is the same, served by the new `shop up`; the one before has left.
    assert agent.ask("ping") == {}
    eventually(lambda: first not in tool_processes(home))
    assert not agent.call("task_complete", {"summary": "read"}).refused


def _asked(pid):
    """Whether the process waits at the door: it has a connection to a Unix socket."""
    opened = [_target(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()]
    numbers = {target[8:-1] for target in opened if target.startswith("socket:")}
    lines = Path("/proc/net/unix").read_text().splitlines()[1:]
    return bool(numbers & {line.split()[6] for line in lines})


def _target(path):
    try:
        return str(path.readlink())
    except OSError:
        return ""


def test_the_address_is_kept_from_one_shop_up_to_the_next(home):
    agent = agent_in(home)
    agent.ask("ping")
    assert home.daemons[0].term() == 0
    home.up()
    # Nothing runs for it until somebody comes.
    assert tool_processes(home) == []
    assert agent.ask("ping") == {}
    assert len(tool_processes(home)) == 1


def test_another_program_at_the_port_costs_the_address_and_nothing_else(home):
    agent = agent_in(home)
    assert home.daemons[0].term() == 0
    file = home.path / "mcp.json"
    with _taken() as port:
        file.write_text(json.dumps({"port": port, "process": None}))
        home.up()
        again = Agent(home, agent.worker)
        assert again.port != port
        assert again.ask("ping") == {}


@contextmanager
def _taken():
    """A port of somebody else's, who shares it with nobody."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_file_about_the_address_that_makes_no_sense_is_written_anew(home):
    home.path.mkdir()
    (home.path / "mcp.json").write_text('{"port": "x"')
    agent = agent_in(home)
    assert agent.ask("ping") == {}
    assert json.loads((home.path / "mcp.json").read_text())["port"] == agent.port


def test_a_stop_with_no_workers_left_takes_the_process_along(home):
    agent = agent_in(home)
    agent.ask("ping")
    assert len(tool_processes(home)) == 1
    assert home.daemons[0].term() == 0
    assert tool_processes(home) == []


def test_a_stop_with_workers_left_leaves_them_their_tools_for_a_while(home, notes):
    home.configure(f"[profiles.coder]\nargv = {json.dumps(notes.worker('sleep'))}\n")
    agent = agent_in(home)
    agent.ask("ping")
    task = home.create("sleep", assignee="coder")
    eventually(lambda: notes.count("start", task) == 1)
    assert home.daemons[0].term() == 0
    (pid,) = tool_processes(home)
    thread, found = later(lambda: agent.call("task_comment", {"body": "once"}))
    home.up()
    thread.join()
    assert not found[0].refused
    assert home.shop("down", "--stop-workers").returncode == 0
    eventually(lambda: pid not in tool_processes(home))


def test_a_process_that_nobody_needs_leaves_and_comes_back_when_asked(home):
    """Its own limits are long; here a second one is started with a short one."""
    agent = agent_in(home)
    agent.ask("ping")
    (pid,) = tool_processes(home)
    found = identity.of(pid)
    assert found is not None
    # A polite end is how it leaves when it was idle: nothing is started until somebody comes.
    identity.send(found, signal.SIGTERM)
    eventually(lambda: tool_processes(home) == [])
    assert agent.ask("ping") == {}
    assert tool_processes(home) != [pid]
