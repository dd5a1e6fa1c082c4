"""An agent program that speaks the Agent Client Protocol: one process, one session, several prompts.

It is started with the first turn and lives until the run ends.  Its tools come with the session, their
credentials over the pipe and never through a file.  Updates are read by the same rules as other programs'
output: the protocol's own (`UPDATES`), then the preset's.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from shopfloor.domain.errors import BoardError
from shopfloor.process.child import Child
from shopfloor.runners import seeing
from shopfloor.runners.brief import Brief
from shopfloor.runners.consent import Consent
from shopfloor.runners.conversation import Surroundings, Turned, Waker, clock
from shopfloor.runners.ledger import Ledger
from shopfloor.runners.reader import Reader
from shopfloor.runners.report import NOTHING, Failure, Usage
from shopfloor.runners.rpc import Rpc, RpcEnded, left
from shopfloor.runners.signs import Sign, failure
from shopfloor.runners.template import MCP_TOKEN, Template

PROTOCOL = 1
READY_S = 180.0
CANCEL_S = 3.0
LOOK_S = 30.0
ASKED_LOOK_S = 2.0
STOP_GRACE_S = 2.0
# What the protocol itself says.  A result and an error are read as events like the updates.
UPDATES: list[dict[str, Any]] = [
    {"when": {"sessionUpdate": "agent_message_chunk"}, "delta": "content.text"},
    {"when": {"sessionUpdate": "tool_call"}, "tool": "title", "input": "rawInput"},
    {
        "when": {"stopReason": True},
        "usage": {
            "input_tokens": "usage.inputTokens",
            "output_tokens": "usage.outputTokens",
            "cache_read_tokens": "usage.cachedReadTokens",
            "cache_write_tokens": "usage.cachedWriteTokens",
        },
        "usage_is": "total",
    },
    {"when": {"stopReason": "max_turn_requests"}, "failure": True, "ending": "turn_limit"},
    {"when": {"stopReason": ["max_tokens", "refusal"]}, "failure": True, "code": "stopReason"},
    {
        "when": {"error": True},
        "failure": True,
        "status": "error.code",
        "code": "error.code",
        "message": "error.message",
        "pattern": r'"code": ?(?P<status>\d{3})',
    },
]
CODES = {"-32000": "auth_failed"}


class AcpConversation:
    """The turns of one process."""

    def __init__(
        self,
        brief: Brief,
        around: Surroundings,
        waker: Waker,
        *,
        environment: Mapping[str, str],
        ledger: Ledger,
    ) -> None:
        self._brief = brief
        self._around = around
        self._waker = waker
        self._template = Template(brief, environment)
        self._environment = environment
        self._consent = Consent(brief.profile.permissions, brief.task, ledger)
        output: Mapping[str, Any] = brief.preset.get("output", {})
        self._output = {
            **output,
            "format": "jsonl",
            "events": [*UPDATES, *output.get("events", ())],
            "codes": {**CODES, **output.get("codes", {})},
        }
        self._sums = brief.preset.get("session", {}).get("usage") == "session"
        self._counted = Usage(**(brief.session_usage or {})) if brief.session else NOTHING
        self._wanted = brief.session
        self._session: str | None = None
        self._child: Child | None = None
        self._rpc: Rpc | None = None
        self._reader = Reader(self._output, clock)

    def turn(self, prompt: str, pointer: str) -> Turned:  # noqa: ARG002 - nothing goes into an argument list
        """Start the program, if it is not there yet, and say this to it."""
        self._reader = Reader(self._output, clock)
        self._around.in_turn = True
        try:
            failed = self._started()
            if failed is None:
                self._said(prompt)
        except RpcEnded:
            failed = self._ended()
        except (OSError, ValueError, BoardError) as wrong:
            failed = seeing.not_started(self._brief, wrong)
        finally:
            self._around.in_turn = False
        for line in self._reader.finish():
            self._around.show(line)
        return self._turned(failed)

    def begin_anew(self) -> None:
        """Forget the session: the next turn begins a new one."""
        self._wanted, self._session, self._counted = None, None, NOTHING

    def close(self) -> None:
        """End the program: it is asked by the end of its input, and not waited for long."""
        child = self._child
        if child is None:
            return
        child.say_no_more()
        deadline = time.monotonic() + STOP_GRACE_S
        while child.status is None and left(deadline) > 0:
            child.read(left(deadline))
        if child.status is None:
            child.stop(STOP_GRACE_S)
        child.close()
        self._child = self._rpc = None

    def _started(self) -> Failure | None:
        """Have a process and a session; answers why there is none."""
        if self._rpc is None:
            values = self._template.values()
            self._template.write_files(values)
            self._child = Child(
                self._template.argv(values),
                env=self._template.environment(values),
                cwd=self._brief.workspace,
                speak=True,
            )
            self._child.wake_by(self._waker.fd)
            self._rpc = Rpc(self._child)
        if self._session is not None:
            return None
        offered = self._ask(
            "initialize",
            {
                "protocolVersion": PROTOCOL,
                "clientCapabilities": {
                    "fs": {"readTextFile": False, "writeTextFile": False},
                    "terminal": False,
                },
                "clientInfo": {"name": "shopfloor", "title": "Shopfloor", "version": "1"},
            },
        )
        if "error" in offered:
            return self._failure_of(offered)
        return self._open_session(offered.get("result") or {})

    def _open_session(self, offered: dict[str, Any]) -> Failure | None:
        can = offered.get("agentCapabilities") or {}
        params: dict[str, Any] = {
            "cwd": self._brief.workspace,
            "mcpServers": self._servers(can.get("mcpCapabilities") or {}),
        }
        if self._wanted is not None:
            if not can.get("loadSession"):
                return Failure("session_lost", "the program cannot load a session")
            answer = self._ask("session/load", {"sessionId": self._wanted, **params}, quiet=True)
            if "error" in answer:
                return Failure("session_lost", "the program does not know the session any more")
            self._session = self._wanted
            return None
        answer = self._ask("session/new", params)
        if "error" in answer:
            return self._failure_of(answer)
        self._session = str((answer.get("result") or {}).get("sessionId") or "")
        self._around.pulse.session(self._session, self._brief.model)
        return None

    def _servers(self, can: dict[str, Any]) -> list[dict[str, Any]]:
        """The board's tools: by address where the program takes one, otherwise by the bridge."""
        mcp = self._brief.mcp
        if mcp is None:
            return []
        if can.get("http"):
            bearer = f"Bearer {self._environment[MCP_TOKEN]}"
            headers = [{"name": "Authorization", "value": bearer}]
            return [{"type": "http", "name": "board", "url": mcp.url, "headers": headers}]
        names = [name for name in self._environment if name.startswith("SHOPFLOOR_")]
        env = [{"name": name, "value": self._environment[name]} for name in names]
        command, *args = mcp.stdio
        return [{"name": "board", "command": command, "args": args, "env": env}]

    def _said(self, prompt: str) -> None:
        """One prompt, until its answer has come."""
        assert self._rpc is not None
        params = {"sessionId": self._session, "prompt": [{"type": "text", "text": prompt}]}
        number = self._rpc.request("session/prompt", params)
        told = seeing.Told(self._around, self._reader, self._counted if self._sums else NOTHING)
        while True:
            answer = self._heard(number, ASKED_LOOK_S if self._consent.waiting else LOOK_S)
            told.tell()
            if answer is not None:
                self._read(answer.get("result") or {"error": answer.get("error")})
                told.tell()
                return
            if self._around.told_to_leave:
                seeing.see_off(self._need_child())
                return
            if self._around.stopped:
                self._cancel(number)
                return
            for request_id, decided in self._consent.answered():
                self._rpc.answer(request_id, decided)

    def _cancel(self, number: int) -> None:
        """Stop the turn, which most programs do at once; one that does not is stopped."""
        assert self._rpc is not None
        self._rpc.notify("session/cancel", {"sessionId": self._session})
        deadline = time.monotonic() + CANCEL_S
        while left(deadline) > 0:
            if self._heard(number, left(deadline)) is not None:
                return
        self._need_child().stop(STOP_GRACE_S)

    def _ask(self, method: str, params: dict[str, Any], *, quiet: bool = False) -> dict[str, Any]:
        """A request before the first prompt, and its answer; raises RpcEnded."""
        assert self._rpc is not None
        number = self._rpc.request(method, params)
        deadline = time.monotonic() + READY_S
        while left(deadline) > 0:
            answer = self._heard(number, min(left(deadline), LOOK_S), quiet=quiet)
            if answer is not None:
                return answer
            if self._around.stopped:
                break
        words = f"the program did not answer {method} within {READY_S:.0f} s"
        return {"error": {"code": 0, "message": words}}

    def _heard(self, number: int, wait_s: float, *, quiet: bool = False) -> dict[str, Any] | None:
        """Take in what came; answers with the reply to this request once it is there."""
        assert self._rpc is not None
        messages, others = self._rpc.receive(wait_s)
        self._waker.drain()
        for stream, line in others:
            self._around.raw.write(f"{line}\n".encode())
            self._show(self._reader.feed(stream if stream == "stderr" else "other", line))
        found = None
        for message in messages:
            self._around.raw.write(f"{message}\n".encode())
            if "method" in message:
                self._called(message, quiet=quiet)
            elif message.get("id") == number:
                found = message
        if found is None and self._need_child().status is not None:
            raise RpcEnded("it ended")
        return found

    def _called(self, message: dict[str, Any], *, quiet: bool) -> None:
        """What the program says or asks by itself; while a session is loaded it tells it again."""
        assert self._rpc is not None
        params = message.get("params") or {}
        if message["method"] == "session/update":
            if not quiet:
                self._read(params.get("update") or {})
        elif "id" not in message:
            return
        elif message["method"] == "session/request_permission":
            title = str((params.get("toolCall") or {}).get("title") or "a tool")
            decided = self._consent.decide(message["id"], params)
            if decided is None:
                self._around.show(f"? {title}: a person is asked")
            else:
                self._rpc.answer(message["id"], decided)
        else:
            self._rpc.refuse(message["id"], message["method"])

    def _read(self, event: dict[str, Any]) -> None:
        self._show(self._reader.take(event))

    def _show(self, lines: list[str]) -> None:
        for line in lines:
            self._around.show(line)

    def _failure_of(self, answer: dict[str, Any]) -> Failure:
        self._read({"error": answer.get("error")})
        return self._reader.failure or Failure("failed", "the program refused to begin")

    def _ended(self) -> Failure | None:
        """The program ended in the middle of a turn."""
        child = self._need_child()
        child.read(0.0)
        if child.status is None:
            child.stop(STOP_GRACE_S)
        status = child.status
        child.close()
        self._child = self._rpc = self._session = None
        if self._around.stopped:
            return None
        how = (
            "ended" if status is None or status.signal is None else f"was killed by {status.signal}"
        )
        message = f"it {how} in the middle of a turn; {self._reader.last_words()}"
        killed = status is not None and status.signal is not None
        if killed:
            return Failure("crashed", f"the agent program crashed: {message}")
        return self._reader.failure or failure("failed", Sign(message=message), None)

    def _need_child(self) -> Child:
        assert self._child is not None, "a program is spoken with after its start"
        return self._child

    def _turned(self, failed: Failure | None) -> Turned:
        reader = self._reader
        usage = reader.usage
        if self._sums and usage != NOTHING:
            usage, self._counted = usage.less(self._counted), usage
        cut_off = self._around.stopped
        refused, self._consent.refused = tuple(self._consent.refused), []
        return Turned(
            text=reader.text,
            session=self._session,
            model=reader.model or self._brief.model,
            usage=usage,
            total=self._counted,
            failure=None if cut_off else failed or reader.failure,
            denied=refused,
            cut_off=cut_off,
        )
