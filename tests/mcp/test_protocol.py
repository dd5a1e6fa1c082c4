"""Both generations of the protocol over HTTP, by the official client and by requests written by hand."""

import json

import anyio
import pytest

from shopfloor.surfaces.mcp.answers import ANSWER_BYTES_MAX
from shopfloor.surfaces.mcp.app import BODY_BYTES_MAX
from tests.support.tools import META, NEWEST, VERSIONS, Agent, claim, official

PING = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode()


@pytest.mark.parametrize("mode", ["legacy", "auto", NEWEST])
def test_the_official_client_reads_its_task_and_completes_it(open_home, agent, mode):
    async def work():
        async with official(agent, mode) as client:
            version = client.protocol_version
            tools = [tool.name for tool in (await client.list_tools()).tools]
            shown = await client.call_tool("task_show", {})
            done = await client.call_tool("task_complete", {"summary": "read", "result": "42 kWh"})
            return version, tools, shown, done

    version, tools, shown, done = anyio.run(work)
    assert (version == NEWEST) == (mode != "legacy")
    assert {"task_show", "task_complete", "task_block", "task_comment"} <= {*tools}
    assert not shown.is_error
    assert json.loads(shown.content[0].text)["task"]["title"] == "read the meter"
    assert not done.is_error
    task = open_home.task(agent.worker.task)
    assert (task["status"], task["result"]) == ("done", "42 kWh")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_of_each_older_version_is_served(agent, version):
    hello = {
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": {"name": "old", "version": "1"},
    }
    begun = agent.ask("initialize", hello)
    assert begun["protocolVersion"] == version
    assert begun["serverInfo"]["name"] == "shopfloor"
    assert "verdict" in begun["instructions"]
    told = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert agent.send(json.dumps(told).encode()).status == 202
    assert agent.ask("ping", MCP_Protocol_Version=version) == {}
    listed = agent.ask("tools/list", MCP_Protocol_Version=version)["tools"]
    assert "task_complete" in [tool["name"] for tool in listed]
    assert not agent.call("task_heartbeat", {"note": "here"}, MCP_Protocol_Version=version).refused


def test_a_client_that_names_no_version_or_a_future_one_at_the_beginning_is_served(agent):
    assert "task_show" in agent.tools()
    hello = {"protocolVersion": "2031-01-01", "capabilities": {}, "clientInfo": CLIENT}
    assert agent.ask("initialize", hello)["protocolVersion"] in VERSIONS


CLIENT = {"name": "hand", "version": "1"}
ENVELOPE = {
    f"{META}/protocolVersion": NEWEST,
    f"{META}/clientInfo": CLIENT,
    f"{META}/clientCapabilities": {},
}


def newest(agent, method, **params):
    """A request of the newest version: everything in each of them."""
    headers = {"MCP_Protocol_Version": NEWEST, "Mcp_Method": method}
    if "name" in params:
        headers["Mcp_Name"] = params["name"]
    return agent.ask(method, {**params, "_meta": ENVELOPE}, **headers)


def test_the_newest_version_is_served_without_a_handshake(agent):
    found = newest(agent, "server/discover")
    assert NEWEST in found["supportedVersions"]
    assert "tools" in found["capabilities"]
    assert "task_complete" in [tool["name"] for tool in newest(agent, "tools/list")["tools"]]
    answer = newest(agent, "tools/call", name="task_heartbeat", arguments={"note": "here"})
    assert answer["resultType"] == "complete"
    assert not answer["isError"]


def test_a_newest_request_whose_header_says_something_else_is_refused(agent):
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": ENVELOPE}}
    said = agent.send(
        json.dumps(message).encode(), MCP_Protocol_Version=NEWEST, Mcp_Method="tools/call"
    )
    assert said.status == 400
    later = "2031-01-01"
    message["params"]["_meta"] = {**ENVELOPE, f"{META}/protocolVersion": later}
    said = agent.send(
        json.dumps(message).encode(), MCP_Protocol_Version=later, Mcp_Method="tools/list"
    )
    assert said.status == 400
    assert NEWEST in said.body.decode()


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_there_is_no_stream_and_no_session(agent, method):
    said = agent.send(b"", method=method)
    assert (said.status, said.headers["allow"]) == (405, "POST")
    assert "mcp-session-id" not in agent.send(PING).headers


@pytest.mark.parametrize("path", ["/", "/mcp", "/mcp/", "/mcp/Default", "/mcp/a/b", "/mcp/../x"])
def test_there_is_nothing_at_another_path(agent, path):
    assert agent.send(PING, path=path).status == 404


def test_another_board_does_not_know_the_run_and_an_unknown_board_is_not_there(open_home, agent):
    if "second" not in [board["slug"] for board in open_home.ask("board.list")]:
        open_home.ask("board.create", slug="second")
    assert agent.send(PING, path="/mcp/second").status == 401
    assert agent.send(PING, path="/mcp/third").status == 404
    other = claim(open_home, open_home.create("elsewhere", board="second"), board="second")
    assert "task_show" in Agent(open_home, other, board="second").tools()


@pytest.mark.parametrize(
    "shown",
    [
        None,
        "",
        "Bearer",
        "Bearer x",
        "Basic MTox",
        "Bearer :x",
        "Bearer 1:",
        "Bearer 1:x",
        "Bearer 999:x",
        f"Bearer {10**19}:x",
        "Bearer \u0661:x".encode().decode("latin-1"),
    ],
)
def test_nobody_comes_in_without_the_token_of_a_run(agent, shown):
    said = agent.send(PING, Authorization=shown)
    assert said.status == 401
    assert said.headers["www-authenticate"] == "Bearer"
    assert said.json["error"]["code"] == "forbidden"


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Host", "evil.example", 421),
        ("Host", "127.0.0.1.evil.example:80", 421),
        ("Origin", "http://evil.example", 403),
        ("Origin", "null", 403),
        ("Host", "localhost:1", 200),
        ("Origin", "http://localhost:3000", 200),
    ],
)
def test_a_web_page_of_somebody_else_cannot_ask(agent, header, value, status):
    assert agent.send(PING, **{header: value}).status == status


def test_what_is_no_request_is_refused_and_hurts_nobody(agent):
    assert agent.send(b"{").status == 400
    assert agent.send(b"[]").status == 400
    assert agent.send(PING, Content_Type="text/plain").status == 400
    assert agent.send(PING, Accept="text/html").status == 406
    assert agent.send(b" " * (BODY_BYTES_MAX + 1)).status == 413
    assert agent.send(b'{"jsonrpc":"2.0","id":1,"method":"fly"}').json["error"]["code"] == -32601
    assert agent.ask("ping") == {}


def test_a_large_answer_is_cut_and_says_so(open_home, agent):
    body = "straw " * 40_000
    open_home.ask("task.edit", id=agent.worker.task, body=body)
    told = agent.call("task_show")
    assert not told.refused
    assert ANSWER_BYTES_MAX < len(told.text.encode()) < ANSWER_BYTES_MAX + 200
    assert "bytes are left out" in told.text


def test_a_large_request_arrives_whole(open_home, agent):
    summary = "grün " * 10_000
    assert not agent.call("task_complete", {"summary": summary}).refused
    assert open_home.task(agent.worker.task)["summary"] == summary
