"""The runner: the process between a run's supervisor and its agent program.

First the startup guard: before anything that may cost money it asks the ledger whether its run is still
the open one, and leaves quietly if it is not.  Then the turns (`turns.py`), in a conversation of the
profile's kind.  It never touches the database; what the agent says goes to its own standard output, which
is the task's log.  A SIGTERM goes to the agent too, and then the runner ends by it.

Started as `main` with the run's folder as its last argument, by the dispatcher.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from types import FrameType
from typing import NoReturn

from shopfloor.domain.errors import BoardError, Unavailable
from shopfloor.domain.limits import AGENT_OUTPUT_BYTES_MAX
from shopfloor.runners import brief as briefs
from shopfloor.runners.acp import AcpConversation
from shopfloor.runners.brief import Brief
from shopfloor.runners.cli import CliConversation
from shopfloor.runners.conversation import Conversation, Surroundings, Waker
from shopfloor.runners.ledger import Identity, Ledger
from shopfloor.runners.pulse import Pulse
from shopfloor.runners.template import MCP_TOKEN, MCP_URL
from shopfloor.runners.turns import Turns

GUARD_REFUSED = "guard_refused"
GUARD_TRIES_S = 120.0
MASKED = "***"
MASKED_CHARS_LEAST = 4


class NotWanted(Exception):
    """The startup guard's refusal: the run is not this worker's, or not any more."""


def main() -> NoReturn:
    """Run the agent of the run whose folder is the last argument; never returns."""
    folder = sys.argv[-1]
    environment = dict(os.environ)  # noqa: TID251 - the run's identity comes this way alone
    try:
        me = identity(environment)
        brief = _brief(folder, me)
        ledger = Ledger(me)
        _guard(ledger)
    except NotWanted as refusal:
        _refuse(folder, str(refusal))
        sys.exit(0)
    _Runner(brief, me, ledger, environment).run()
    sys.exit(0)


def identity(environment: Mapping[str, str]) -> Identity:
    """Who this worker is by its environment; raises NotWanted for less than a whole identity."""
    try:
        return Identity(
            int(environment["SHOPFLOOR_TASK"]),
            int(environment["SHOPFLOOR_RUN"]),
            environment["SHOPFLOOR_TOKEN"],
            environment["SHOPFLOOR_BOARD"],
            environment["SHOPFLOOR_SOCKET"],
        )
    except KeyError as missing:
        raise NotWanted(f"its environment has no {missing.args[0]}") from None
    except ValueError as wrong:
        raise NotWanted(f"its environment names no task and run: {wrong}") from None


def _brief(folder: str, me: Identity) -> Brief:
    try:
        found = briefs.read(folder)
    except (OSError, ValueError) as wrong:
        raise NotWanted(f"its brief cannot be read: {wrong}") from None
    if (found.task, found.run) != (me.task, me.run):
        raise NotWanted(
            f"its brief is that of run {found.run}, and its environment that of run {me.run}"
        )
    return found


def _guard(ledger: Ledger) -> None:
    """Ask whether this run may begin; raises NotWanted."""
    try:
        answer = ledger.ask("run.guard", {}, tries_s=GUARD_TRIES_S, write=False)
    except Unavailable as away:
        raise NotWanted(f"the board could not be asked before the start: {away.message}") from None
    except BoardError as refused:
        raise NotWanted(refused.message) from None
    if not answer["open"] or answer.get("pending"):
        raise NotWanted(answer.get("reason") or f"its run is not open: {answer.get('outcome')}")


def _refuse(folder: str, sentence: str) -> None:
    """Leave the refusal where the supervisor takes it into the exit record."""
    path = os.path.join(folder, GUARD_REFUSED)  # noqa: PTH118 - no pathlib in runners
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, f"the startup guard refused it: {sentence}".encode())
        os.fsync(fd)
    finally:
        os.close(fd)


class _Runner:
    """The parts of one run, put together."""

    def __init__(
        self, brief: Brief, me: Identity, ledger: Ledger, environment: dict[str, str]
    ) -> None:
        self._brief = brief
        self._me = me
        self._ledger = ledger
        self._environment = environment
        self._secrets = [
            value
            for name in brief.profile.secrets
            if len(value := environment.get(name, "")) >= MASKED_CHARS_LEAST
        ]
        self._secrets.append(me.token)
        if brief.mcp is not None:
            environment[MCP_URL] = brief.mcp.url
            environment[MCP_TOKEN] = f"{me.run}:{me.token}"
        self._waker = Waker()
        self._around = Surroundings(
            brief.folder, Pulse(me, self._waker.wake), self._show, AGENT_OUTPUT_BYTES_MAX
        )

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self._told_to_leave)
        agent = self._conversation()
        try:
            Turns(
                self._brief,
                agent,
                self._ledger,
                self._around,
                mask=self._mask,
            ).run()
        finally:
            agent.close()
            self._around.raw.close()
        if self._around.told_to_leave:
            _end_by(signal.SIGTERM)

    def _conversation(self) -> Conversation:
        if self._brief.profile.kind == "acp":
            return AcpConversation(
                self._brief,
                self._around,
                self._waker,
                environment=self._environment,
                ledger=self._ledger,
            )
        return CliConversation(self._brief, self._around, self._waker, self._environment)

    def _told_to_leave(self, _number: int, _frame: FrameType | None) -> None:
        self._around.leave()
        if not self._around.in_turn:
            _end_by(signal.SIGTERM)

    def _show(self, line: str) -> None:
        """One line for the task's log."""
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def _mask(self, text: str) -> str:
        for value in self._secrets:
            text = text.replace(value, MASKED)
        return text


def _end_by(number: int) -> NoReturn:
    """End as if the signal had not been caught, so that the exit record says what happened."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    sys.exit(128 + number)
