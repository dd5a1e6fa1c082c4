"""What is written to keep `shop up` running: a systemd unit, a launchd agent, lines of a crontab.  Pure.

Each text says in its first lines who wrote it, with a digest of the rest.  So a text that somebody has
changed is told from one that we wrote, and neither is overwritten nor removed silently.
"""

from __future__ import annotations

import plistlib
import re
import shlex
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from shopfloor.domain.errors import Invalid

MARK: Final = "written by `shop service install`, digest"
_MARKED: Final = re.compile(r"written by `shop service install`, digest ([0-9a-f]{16})")
# A SIGTERM lets it settle what has ended; workers are not waited for.
STOP_S: Final = 90
RESTART_S: Final = 10


class Kept(NamedTuple):
    """What is to be kept running: a name, a command, and the environment that it needs."""

    name: str
    argv: tuple[str, ...]
    env: dict[str, str]
    home: str

    @property
    def off(self) -> str:
        """The file that keeps cron from starting it."""
        return f"{self.home}/service.off"

    @property
    def script(self) -> str:
        """The file that cron runs."""
        return f"{self.home}/service.sh"


def is_ours(text: str) -> bool:
    """Whether a text was written by us and not changed since."""
    found = _MARKED.search(text)
    return found is not None and found[1] == _digest(text)


def was_ours(text: str) -> bool:
    """Whether we wrote it at all, whatever became of it."""
    return _MARKED.search(text) is not None


def _digest(text: str) -> str:
    """The digest of all lines but the marked one."""
    rest = "\n".join(line for line in text.splitlines() if MARK not in line)
    return sha256(rest.encode()).hexdigest()[:16]


def _marked(lines: Sequence[str], at: int, before: str, after: str = "") -> str:
    """The lines with the marked one at its place."""
    digest = sha256("\n".join(lines).encode()).hexdigest()[:16]
    return "\n".join([*lines[:at], f"{before}{MARK} {digest}{after}", *lines[at:]]) + "\n"


def systemd_unit(kept: Kept) -> str:
    """A unit of the user's own systemd: workers outlive its restarts, and it is started again when it fails."""
    lines = [
        "[Unit]",
        f"Description=Shopfloor, serves the boards of {_percent(kept.home)}",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=notify",
        f"ExecStart={' '.join(_unit_word(word, command=True) for word in kept.argv)}",
        *(f"Environment={_unit_word(f'{name}={value}')}" for name, value in kept.env.items()),
        "Restart=on-failure",
        f"RestartSec={RESTART_S}",
        "KillMode=process",
        f"TimeoutStopSec={STOP_S}",
        "",
        "[Install]",
        "WantedBy=default.target",
    ]
    return _marked(lines, 0, "# ")


def _percent(word: str) -> str:
    return word.replace("%", "%%")


def _unit_word(word: str, *, command: bool = False) -> str:
    """One word as systemd reads it back."""
    if any(ord(char) < ord(" ") for char in word):
        raise Invalid(f"{word!r} has a character that a service's file cannot hold")
    word = _percent(word.replace("\\", "\\\\").replace('"', '\\"'))
    return f'"{word.replace("$", "$$") if command else word}"'


def launchd_label(kept: Kept) -> str:
    """The name of the agent among all of the user's."""
    return f"dev.shopfloor.{kept.name}"


def launchd_agent(kept: Kept, log: str) -> str:
    """A launchd agent; what it started is left alone when it ends."""
    agent = {
        "Label": launchd_label(kept),
        "ProgramArguments": list(kept.argv),
        "EnvironmentVariables": kept.env,
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": RESTART_S,
        "AbandonProcessGroup": True,
        "ExitTimeOut": STOP_S,
        "StandardErrorPath": log,
    }
    lines = plistlib.dumps(agent, sort_keys=False).decode().splitlines()
    return _marked(lines, 2, "<!-- ", " -->")


def cron_script(kept: Kept) -> str:
    """What the crontab's lines run; cron itself takes lines of a thousand characters at most."""
    lines = [
        "#!/bin/sh",
        *(f"export {name}={shlex.quote(value)}" for name, value in kept.env.items()),
        f"exec {shlex.join([*kept.argv, '--unattended'])} >/dev/null 2>&1",
    ]
    return _marked(lines, 1, "# ")


def crontab_lines(kept: Kept) -> str:
    """A block of a crontab: at each start of the machine, and each minute in case it has ended."""
    script, off = (shlex.quote(path).replace("%", "\\%") for path in (kept.script, kept.off))
    if "\n" in script:
        raise Invalid("a crontab cannot hold a line break, and the home's path has one")
    lines = [f"@reboot rm -f {off}; exec /bin/sh {script}", f"* * * * * exec /bin/sh {script}"]
    return _marked([*lines, _end(kept)], 0, f"# {kept.name}: ")


def _end(kept: Kept) -> str:
    return f"# {kept.name}: end of what `shop service install` wrote"


def crontab_block(kept: Kept, crontab: str) -> str:
    """Our block in a crontab; empty where there is none."""
    begin = crontab.find(f"# {kept.name}: {MARK}")
    if begin < 0:
        return ""
    end = crontab.find(_end(kept), begin)
    if end < 0:
        raise Invalid(
            f"the crontab has the beginning of {kept.name} without its last line; put it right with `crontab -e`"
        )
    return crontab[begin : end + len(_end(kept)) + 1]
