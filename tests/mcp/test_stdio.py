"""`shop mcp`: the same tools on standard input and output."""

import json
import subprocess
import sys

import anyio
import pytest

from shopfloor.app.mcp import BRIDGE
from tests.support.tools import (
    META,
    NEWEST,
    VERSIONS,
    Bridge,
    claim,
    official_by_bridge,
    told,
    tool_processes,
    worker_environment,
)

CLIENT = {"name": "hand", "version": "1"}


@pytest.fixture
def worker(open_home):
    return claim(open_home, open_home.create("read the meter"))


@pytest.fixture
def bridge(open_home, worker):
    bridge = Bridge(worker_environment(open_home, worker))
    yield bridge
    bridge.process.kill()
    bridge.close()


def hello(version):
    return {"protocolVersion": version, "capabilities": {}, "clientInfo": CLIENT}


@pytest.mark.parametrize("mode", ["legacy", "auto", NEWEST])
def test_the_official_client_completes_its_task_over_the_bridge(open_home, worker, mode):
    async def work():
        async with official_by_bridge(open_home, worker, mode) as client:
            version = client.protocol_version
            tools = [tool.name for tool in (await client.list_tools()).tools]
            return version, tools, await client.call_tool("task_complete", {"summary": "read"})

    version, tools, done = anyio.run(work)
    assert (version == NEWEST) == (mode != "legacy")
    assert "task_show" in tools
    assert not done.is_error
    assert open_home.status(worker.task) == "done"


@pytest.mark.parametrize("version", VERSIONS)
def test_each_older_version_is_carried(bridge, worker, version):
    assert bridge.ask("initialize", **hello(version))["result"]["protocolVersion"] == version
    bridge.tell({"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert bridge.ask("ping")["result"] == {}
    shown = told(bridge.ask("tools/call", name="task_show", arguments={})["result"])
    assert shown.json["task"]["id"] == worker.task
    assert bridge.close() == 0


def test_the_newest_version_is_carried_with_its_headers(bridge):
    meta = {f"{META}/protocolVersion": NEWEST, f"{META}/clientCapabilities": {}}
    found = bridge.ask("server/discover", _meta=meta)
    assert NEWEST in found["result"]["supportedVersions"]
    called = bridge.ask("tools/call", name="task_show", arguments={}, _meta=meta)
    assert not called["result"]["isError"]


def test_what_is_no_message_is_answered_and_ends_nothing(bridge):
    assert bridge.ask("fly")["error"]["code"] == -32601
    assert bridge.process.stdin is not None
    bridge.process.stdin.write(b"{\n\n")
    bridge.process.stdin.flush()
    assert "error" in bridge.hear()
    assert bridge.ask("ping")["result"] == {}


def test_it_speaks_for_the_worker_of_a_file_that_only_this_user_reads(open_home, worker, tmp_path):
    file = tmp_path / "credentials.json"
    told_by_file = {"board": "default", "run": worker.run, "token": worker.token}
    file.write_text(json.dumps(told_by_file))
    file.chmod(0o600)
    words = ("--home", str(open_home.path), "--credentials", str(file))
    bridge = Bridge({}, *words)
    assert "task_show" in json.dumps(bridge.ask("tools/list")["result"])
    assert bridge.close() == 0
    file.chmod(0o640)
    assert "0600" in refused(*words)
    file.write_text("[]")
    file.chmod(0o600)
    assert "no JSON object" in refused(*words)
    file.unlink()
    assert "cannot be read" in refused(*words)


def test_it_serves_workers_only_and_says_so(open_home):
    assert "it serves a worker" in refused("--home", str(open_home.path))


def refused(*words):
    """What the bridge says when it serves nobody."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(BRIDGE), *words],
        env={},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


def test_a_wrong_token_is_an_error_of_the_protocol(open_home, worker):
    bridge = Bridge(worker_environment(open_home, worker._replace(token="nonsense")))
    answer = bridge.ask("initialize", **hello(VERSIONS[-1]))
    assert "not known by this token" in answer["error"]["message"]
    assert bridge.close() == 0


def test_it_is_also_a_command(open_home, worker):
    done = subprocess.run(
        [str(open_home.python), "-m", "shopfloor", "mcp"],
        env={**open_home.environment, **worker_environment(open_home, worker)},
        input='{"jsonrpc":"2.0","id":7,"method":"ping"}\n',
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, json.loads(done.stdout)["id"]) == (0, 7), done.stderr


def test_it_has_the_tools_started_where_none_are_there_yet(home):
    home.up()
    worker = claim(home, home.create("read the meter"))
    assert not (home.path / "mcp.json").exists()
    assert tool_processes(home) == []
    bridge = Bridge(worker_environment(home, worker))
    assert bridge.ask("ping")["result"] == {}
    assert bridge.close() == 0
    assert len(tool_processes(home)) == 1
    assert (home.path / "mcp.json").stat().st_mode & 0o077 == 0


def test_it_loads_next_to_nothing():
    """What it imports is what each worker pays for in time and memory."""
    program = (
        "import sys; sys.argv = ['stdio', '--home', '/nowhere']\n"
        f"try: exec(compile(open({str(BRIDGE)!r}).read(), 'stdio', 'exec'))\n"
        "except SystemExit: pass\n"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        env={},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    loaded = {*done.stdout.split()}
    assert "socket" in loaded
    for heavy in ("argparse", "asyncio", "http.client", "pathlib", "typing", "shopfloor", "mcp"):
        assert heavy not in loaded, heavy
