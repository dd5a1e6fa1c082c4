"""The tools of a run as agents meet them: plain requests over HTTP, the bridge, the official client."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx2
from mcp.client import Client
from mcp.client.client import ConnectMode
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from shopfloor.app.mcp import BRIDGE
from tests.support.home import Home, Worker

WAIT_S = 120.0
NEWEST = "2026-07-28"
VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
META = "io.modelcontextprotocol"


class Said(NamedTuple):
    """An answer over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Told(NamedTuple):
    """A tool's answer: whether it was refused, and the text."""

    refused: bool
    text: str
    structured: Any

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Agent:
    """A worker's agent program with a protocol client of one old version, as simple as there are."""

    def __init__(self, home: Home, worker: Worker, *, board: str = "default") -> None:
        self.worker = worker
        url = home.ask("run.tools", worker=worker, board=board)["url"]
        assert url, "this home serves no tools"
        self.url = str(url)
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        self.host, self.port, self.path = parts.hostname, parts.port, parts.path
        self.headers = {
            "Authorization": f"Bearer {worker.run}:{worker.token}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }
        self._asked = 0

    def send(self, body: bytes, *, method: str = "POST", path: str = "", **headers: Any) -> Said:
        """One HTTP request; a header that is None is left out."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        merged = {
            name: value for name, value in {**self.headers, **changed}.items() if value is not None
        }
        connection = http.client.HTTPConnection(self.host, self.port, timeout=WAIT_S)
        try:
            connection.request(method, path or self.path, body, merged)
            answer = connection.getresponse()
            return Said(
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                answer.read(),
            )
        finally:
            connection.close()

    def ask(self, method: str, params: dict[str, Any] | None = None, **headers: Any) -> Any:
        """The result of a request of the protocol."""
        self._asked += 1
        message = {"jsonrpc": "2.0", "id": self._asked, "method": method, "params": params or {}}
        said = self.send(json.dumps(message).encode(), **headers)
        assert said.status == 200, said
        assert said.json["id"] == self._asked
        assert "result" in said.json, said.json
        return said.json["result"]

    def tools(self) -> list[str]:
        """The names of the tools that it is offered."""
        return [tool["name"] for tool in self.ask("tools/list")["tools"]]

    def call(self, name: str, arguments: dict[str, Any] | None = None, **headers: Any) -> Told:
        """Call a tool."""
        params = {"name": name, "arguments": arguments or {}}
        return told(self.ask("tools/call", params, **headers))


def told(result: Any) -> Told:
    """A tool's answer as JSON, in short."""
    (content,) = result["content"]
    return Told(result.get("isError", False), content["text"], result.get("structuredContent"))


def claim(home: Home, task: int, board: str | None = None) -> Worker:
    """Pull a task as a worker of one's own."""
    claimed = home.ask("run.claim", id=task, board=board)
    return Worker(task, claimed["run"], claimed["token"])


def worker_of(home: Home, task: int) -> Worker:
    """The worker that the dispatcher started for a task."""
    (found,) = home.execute(
        f"SELECT id, token FROM run WHERE task_id = {task} AND ended_at IS NULL"
    )
    return Worker(task, int(found[0]), str(found[1]))


@asynccontextmanager
async def official(agent: Agent, mode: ConnectMode) -> Any:
    """The official client over HTTP."""
    headers = {"Authorization": agent.headers["Authorization"]}
    async with httpx2.AsyncClient(headers=headers, timeout=WAIT_S) as http_client:
        transport = streamable_http_client(agent.url, http_client=http_client)
        async with Client(transport, mode=mode) as client:
            yield client


def official_by_bridge(
    home: Home, worker: Worker, mode: ConnectMode
) -> AbstractAsyncContextManager[Client]:
    """The official client over the bridge's standard input and output."""
    return Client(
        StdioServerParameters(
            command=sys.executable,
            args=["-I", "-S", str(BRIDGE)],
            env=worker_environment(home, worker),
        ),
        mode=mode,
    )


def worker_environment(home: Home, worker: Worker) -> dict[str, str]:
    """What a worker's environment says about it."""
    return {
        "SHOPFLOOR_HOME": str(home.path),
        "SHOPFLOOR_BOARD": "default",
        "SHOPFLOOR_TASK": str(worker.task),
        "SHOPFLOOR_RUN": str(worker.run),
        "SHOPFLOOR_TOKEN": worker.token,
    }


class Bridge:
    """`shop mcp` as a program that an agent has started."""

    def __init__(self, env: dict[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(BRIDGE), *arguments],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._asked = 0

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message and wait for nothing."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        """The next message."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def ask(self, method: str, **params: Any) -> Any:
        """The answer to a request."""
        self._asked += 1
        self.tell({"jsonrpc": "2.0", "id": self._asked, "method": method, "params": params})
        answer = self.hear()
        assert answer["id"] == self._asked
        return answer

    def close(self) -> int:
        """End its input; its exit status."""
        self.process.communicate(timeout=WAIT_S)
        return self.process.returncode


def tool_processes(home: Home) -> list[int]:
    """The living processes that serve tools for this home."""
    return [one.pid for one in home.named("shop-mcp")]
