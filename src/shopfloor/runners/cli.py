"""An agent program that is started anew for each turn and goes on in its session by itself.

Its output is read line by line while it runs: forwarded to the log as a person reads it, copied raw into
the run's folder, and understood by the preset's rules.  A program that tries again for ever on a refused
login or a limit is stopped when its own output says so.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from shopfloor.domain.errors import BoardError
from shopfloor.process.child import Child
from shopfloor.runners import seeing
from shopfloor.runners.brief import Brief
from shopfloor.runners.conversation import TOOLS_OF_THE_BOARD, Surroundings, Turned, Waker, clock
from shopfloor.runners.reader import Reader
from shopfloor.runners.report import NOTHING, Failure, Usage
from shopfloor.runners.signs import BY_STATUS, Meaning, Sign, failure
from shopfloor.runners.template import Template, Turn

LOOK_S = 30.0
RESULT_BYTES_MAX = 8 * 1024 * 1024
STOP_GRACE_S = 3.0
# A refused login is tried again by some programs; more than so many times it will not get better.
REFUSALS_MAX = 3
REFUSED = "auth_failed"


class CliConversation:
    """The turns of one program that is started for each."""

    def __init__(
        self, brief: Brief, around: Surroundings, waker: Waker, environment: Mapping[str, str]
    ) -> None:
        self._brief = brief
        self._around = around
        self._waker = waker
        self._template = Template(brief, environment)
        self._output: Mapping[str, object] = brief.preset.get("output", {})
        self._sums = brief.preset.get("session", {}).get("usage") == "session"
        self._session = brief.session
        self._known = brief.session is not None
        self._counted = Usage(**(brief.session_usage or {})) if brief.session else NOTHING
        self._turns = 0

    def turn(self, prompt: str, pointer: str) -> Turned:
        """Start the program with this prompt and wait for its end."""
        self._turns += 1
        if self._template.session_id == "chosen" and not self._known:
            self._session = new_session_id()
        say = Turn(prompt, pointer, self._turns, self._session, self._known)
        try:
            start = self._template.start(say)
            child = Child(start.argv, env=start.env, cwd=self._brief.workspace, stdin=start.stdin)
        except (OSError, ValueError, BoardError) as wrong:
            return Turned(failure=seeing.not_started(self._brief, wrong))
        reader = Reader(self._output, clock)
        self._around.in_turn = True
        try:
            cut_off, why = self._watch(child, reader)
        finally:
            self._around.in_turn = False
        self._read_result(reader)
        failed = child.status is not None and child.status.code != 0
        for line in reader.finish(failed=failed):
            self._around.show(line)
        return self._turned(child, reader, why, cut_off=cut_off)

    def _read_result(self, reader: Reader) -> None:
        """Take in the file that the program leaves as its result, if it left one."""
        path = self._template.result_file()
        if path is None:
            return
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - no pathlib in runners
                found = json.loads(file.read(RESULT_BYTES_MAX))
            os.unlink(path)  # noqa: PTH108 - as above; the next turn leaves its own
        except (OSError, ValueError):
            return
        if isinstance(found, dict):
            reader.take(found)

    def begin_anew(self) -> None:
        """Forget the session: the next turn begins a new one."""
        self._session, self._known, self._counted = None, False, NOTHING

    def close(self) -> None:
        """Nothing of it lives between turns."""

    def _watch(self, child: Child, reader: Reader) -> tuple[bool, Failure | None]:
        """Read until the program ends or must be stopped; answers why it was."""
        child.wake_by(self._waker.fd)
        told = seeing.Told(self._around, reader, self._counted if self._sums else NOTHING)
        try:
            while child.status is None:
                for line in child.read(LOOK_S):
                    self._around.raw.write(f"{line.text}\n".encode())
                    for shown in reader.feed(line.stream, line.text):
                        self._around.show(shown)
                self._waker.drain()
                told.tell()
                if self._around.told_to_leave:
                    seeing.see_off(child)
                    return True, None
                if self._around.stopped:
                    child.stop(STOP_GRACE_S)
                    return True, None
                hopeless = self._hopeless(reader)
                if hopeless is not None:
                    child.stop(STOP_GRACE_S)
                    return False, hopeless
        finally:
            if child.status is not None:
                child.close()
        return False, None

    def _hopeless(self, reader: Reader) -> Failure | None:
        """The failure of a program that only tries again; None while it may still get on."""
        retry = reader.retry
        if retry is None:
            return None
        # Without a status nobody answered at all.
        ending = BY_STATUS.get(retry.status, "failed") if retry.status else "busy"
        waited_s = (clock() - retry.since) / 1000
        wait_s = 0.0 if retry.at is None else (retry.at - clock()) / 1000
        patience_s = self._brief.quota_wait_s
        gone_on = retry.tries > REFUSALS_MAX if ending == REFUSED else False
        if not gone_on and waited_s <= patience_s and wait_s <= patience_s:
            return None
        # A pause longer than ours is the provider's: programs' own are short.
        reset_at = retry.at if wait_s > patience_s else None
        sign = Sign(retry.status, message="the program only tried again", reset_at=reset_at)
        return failure(ending, sign, None)

    def _turned(
        self, child: Child, reader: Reader, why: Failure | None, *, cut_off: bool
    ) -> Turned:
        if self._template.session_id != "none" and (reader.session or self._session):
            self._session = reader.session or self._session
            self._known = True
        usage = reader.usage
        if self._sums and usage != NOTHING:
            usage, self._counted = usage.less(self._counted), usage
        return Turned(
            text=reader.text,
            session=self._session if self._known else None,
            model=reader.model or self._brief.model,
            usage=usage,
            total=self._counted,
            failure=None if cut_off else why or self._failure(child, reader),
            denied=tuple(reader.denied),
            cut_off=cut_off,
        )

    def _failure(self, child: Child, reader: Reader) -> Failure | None:
        """Why a turn failed that ended by itself; None where nothing says so."""
        if reader.failure is not None:
            return reader.failure
        status = child.status
        assert status is not None
        if status.signal is not None:
            return Failure("crashed", f"the agent program was killed by signal {status.signal}")
        assert status.code is not None
        last = "" if reader.spoke else reader.last_words()
        found = Meaning(self._output).of_exit(status.code, last or reader.last_words())
        if found is None and any(_is_the_boards(name) for name in reader.denied):
            names = ", ".join(sorted(set(reader.denied)))
            return failure("permission_refused", Sign(message=f"it refused {names}"), None)
        return found


def _is_the_boards(tool: str) -> bool:
    return any(name in tool for name in TOOLS_OF_THE_BOARD)


def new_session_id() -> str:
    """A random id in the form of a version 4 UUID, which is what programs take."""
    data = bytearray(os.urandom(16))
    data[6] = data[6] & 0x0F | 0x40
    data[8] = data[8] & 0x3F | 0x80
    text = data.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
