"""Who keeps `shop up` running on this machine: the user's systemd, launchd, or cron.

Each keeper installs, removes, starts and stops, and says what it knows.  What it writes is what
`keeper_texts.py` says; a text that is not as we wrote it is left alone unless that is forced.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from shopfloor.app import keeper_texts as texts
from shopfloor.app.keeper_texts import Kept
from shopfloor.domain.errors import Conflict, NotFound, Refused, Unavailable
from shopfloor.process import oneshot
from shopfloor.process.oneshot import Ended

ASK_S: Final = 120.0


class Keeper(Protocol):
    """A way to keep a program running."""

    @property
    def kind(self) -> str: ...
    @property
    def place(self) -> str: ...

    def is_there(self) -> bool:
        """Whether this machine has it, and it answers this user."""
        ...

    def text(self) -> str:
        """What is installed, as it is found; empty where nothing is."""
        ...

    def install(self, *, force: bool) -> None: ...
    def remove(self, *, force: bool) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...

    def says(self) -> str:
        """What it says of the program, in a few words."""
        ...

    def hint(self) -> str | None:
        """What the user should know."""
        ...


def to_install(kept: Kept, log: Path, env: Mapping[str, str], wanted: str | None) -> Keeper:
    """The keeper that is wanted, or the first that this machine has.

    Raises Refused where it is not there, and Conflict where another one keeps the same home already.
    """
    made = _made(kept, log, env)
    there = [one for one in made if one.is_there() and wanted in (None, one.kind)]
    if not there:
        raise Refused(
            "this machine has no systemd of the user, no launchd and no crontab; start `shop up` in another way"
            if wanted is None
            else f"there is no {wanted} here that answers this user; leave --with out for one that does"
        )
    for other in made:
        if other.kind != there[0].kind and _has(other):
            raise Conflict(
                f"{other.kind} keeps it already ({other.place}); "
                f"`shop service remove --with {other.kind}` first"
            )
    return there[0]


def installed(kept: Kept, log: Path, env: Mapping[str, str], wanted: str | None) -> Keeper:
    """The keeper that is wanted, or the one that has the service, or where none has, the first that is there."""
    made = [one for one in _made(kept, log, env) if wanted in (None, one.kind)]
    having = [one for one in made if wanted or _has(one)]
    return having[0] if having else to_install(kept, log, env, None)


def _made(kept: Kept, log: Path, env: Mapping[str, str]) -> list[Keeper]:
    return [Systemd(kept, env), Launchd(kept, log, env), Cron(kept, env)]


def _has(keeper: Keeper) -> bool:
    return (keeper.kind != "cron" or keeper.is_there()) and bool(keeper.text())


def _checked(found: Ended, doing: str) -> bytes:
    if found.status != 0:
        raise Unavailable(f"{doing} ended with status {found.status}: {found.words}")
    return found.printed


def _refuse_changed(place: str, text: str, *, force: bool) -> None:
    """Raise Conflict for what somebody has changed, or what was never ours."""
    if not text or force or texts.is_ours(text):
        return
    whose = "was changed since" if texts.was_ours(text) else "was not written by `shop service`"
    raise Conflict(f"{place} {whose}; look at it, then say --force to have it replaced or removed")


class FileKeeper:
    """What both keepers with a file of their own do with it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def place(self) -> str:
        return str(self._path)

    def text(self) -> str:
        try:
            return self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def write(self, text: str, *, force: bool) -> None:
        """Write the file; one that is not as we wrote it stays as `.old` when that is forced."""
        found = self.text()
        _refuse_changed(self.place, found, force=force)
        if found and not texts.is_ours(found):
            self._path.rename(f"{self._path}.old")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(text, encoding="utf-8")

    def check_removal(self, *, force: bool) -> None:
        found = self.text()
        if not found:
            raise NotFound(f"there is no service at {self.place}")
        _refuse_changed(self.place, found, force=force)

    def unlink(self) -> None:
        self._path.unlink()


class Systemd(FileKeeper):
    """The user's own systemd."""

    kind = "systemd"

    def __init__(self, kept: Kept, env: Mapping[str, str]) -> None:
        config = Path(env.get("XDG_CONFIG_HOME") or Path(env.get("HOME", "~")) / ".config")
        super().__init__(config / "systemd" / "user" / f"{kept.name}.service")
        self._kept = kept
        self._unit = f"{kept.name}.service"
        runtime = Path(f"/run/user/{os.getuid()}")
        usual = {"XDG_RUNTIME_DIR": str(runtime)} if runtime.is_dir() else {}
        self._env = {**usual, **env}

    def is_there(self) -> bool:
        if shutil.which("systemctl", path=self._env.get("PATH")) is None:
            return False
        return self._ask("show-environment").status == 0

    def install(self, *, force: bool) -> None:
        self.write(texts.systemd_unit(self._kept), force=force)
        _checked(self._ask("daemon-reload"), "systemctl --user daemon-reload")
        _checked(self._ask("enable", self._unit), "systemctl --user enable")

    def remove(self, *, force: bool) -> None:
        self.check_removal(force=force)
        self._ask("disable", "--now", self._unit)
        self.unlink()
        self._ask("daemon-reload")

    def start(self) -> None:
        # Who waits for it sees more than systemd tells.
        _checked(self._ask("start", "--no-block", self._unit), "systemctl --user start")

    def stop(self) -> None:
        _checked(self._ask("stop", self._unit), "systemctl --user stop")

    def says(self) -> str:
        shown = self._ask("show", "-p", "ActiveState,SubState,Result,NRestarts", self._unit)
        facts = dict(
            line.split("=", 1) for line in shown.printed.decode().splitlines() if "=" in line
        )
        words = f"{facts.get('ActiveState', 'unknown')} ({facts.get('SubState', 'unknown')})"
        restarts = facts.get("NRestarts", "0")
        return words if restarts == "0" else f"{words}, restarted {restarts} times"

    def hint(self) -> str | None:
        if shutil.which("loginctl", path=self._env.get("PATH")) is None:
            return None
        argv = ["loginctl", "show-user", str(os.getuid()), "-p", "Linger", "--value"]
        shown = oneshot.ended(argv, env=self._env, timeout_s=ASK_S)
        if shown.printed.strip() == b"yes":
            return None
        return "`loginctl enable-linger` lets it run while you are not logged in"

    def _ask(self, *words: str) -> Ended:
        return oneshot.ended(["systemctl", "--user", *words], env=self._env, timeout_s=ASK_S)


class Launchd(FileKeeper):
    """The user's agents of launchd."""

    kind = "launchd"

    def __init__(self, kept: Kept, log: Path, env: Mapping[str, str]) -> None:
        self._label = texts.launchd_label(kept)
        folder = Path(env.get("HOME", "~")) / "Library" / "LaunchAgents"
        super().__init__(folder / f"{self._label}.plist")
        self._kept = kept
        self._log = log
        self._env = dict(env)
        self._domain = f"gui/{os.getuid()}"

    def is_there(self) -> bool:
        return sys.platform == "darwin"

    def install(self, *, force: bool) -> None:
        self.write(texts.launchd_agent(self._kept, str(self._log)), force=force)
        self._ask("enable", f"{self._domain}/{self._label}")

    def remove(self, *, force: bool) -> None:
        self.check_removal(force=force)
        self._ask("bootout", f"{self._domain}/{self._label}")
        self.unlink()

    def start(self) -> None:
        if self._ask("print", f"{self._domain}/{self._label}").status != 0:
            _checked(self._ask("bootstrap", self._domain, self.place), "launchctl bootstrap")
            return
        _checked(self._ask("kickstart", f"{self._domain}/{self._label}"), "launchctl kickstart")

    def stop(self) -> None:
        _checked(self._ask("bootout", f"{self._domain}/{self._label}"), "launchctl bootout")

    def says(self) -> str:
        shown = self._ask("print", f"{self._domain}/{self._label}")
        lines = [line.strip() for line in shown.printed.decode(errors="replace").splitlines()]
        return next((line for line in lines if line.startswith("state = ")), "not loaded")

    def hint(self) -> str | None:
        return None

    def _ask(self, *words: str) -> Ended:
        return oneshot.ended(["launchctl", *words], env=self._env, timeout_s=ASK_S)


class Cron:
    """Two lines of the user's crontab: cron cannot keep a program, but it can try each minute."""

    kind = "cron"
    place = "the crontab"

    def __init__(self, kept: Kept, env: Mapping[str, str]) -> None:
        self._kept = kept
        self._env = dict(env)
        self._off = Path(kept.off)
        self._script = FileKeeper(Path(kept.script))

    def is_there(self) -> bool:
        return shutil.which("crontab", path=self._env.get("PATH")) is not None

    def text(self) -> str:
        return texts.crontab_block(self._kept, self._crontab())

    def install(self, *, force: bool) -> None:
        found = self.text()
        _refuse_changed(self.place, found, force=force)
        self._script.write(texts.cron_script(self._kept), force=force)
        whole = self._crontab()
        fresh = texts.crontab_lines(self._kept)
        self._put(whole.replace(found, fresh) if found else f"{_ended(whole)}{fresh}")

    def remove(self, *, force: bool) -> None:
        found = self.text()
        if not found:
            raise NotFound("the crontab has no lines of this service")
        _refuse_changed(self.place, found, force=force)
        self._script.check_removal(force=force)
        self._put(self._crontab().replace(found, ""))
        self._script.unlink()
        self._off.unlink(missing_ok=True)

    def start(self) -> None:
        self._off.unlink(missing_ok=True)
        oneshot.leave(["/bin/sh", self._script.place], env=self._env)

    def stop(self) -> None:
        """Keep cron from starting it again; who stops it now is the caller."""
        self._off.touch(mode=0o600)

    def says(self) -> str:
        return "stopped until `shop service start`" if self._off.exists() else "each minute"

    def hint(self) -> str | None:
        return "cron must be running; it starts `shop up` again within a minute after it ended"

    def _crontab(self) -> str:
        found = oneshot.ended(["crontab", "-l"], env=self._env, timeout_s=ASK_S)
        # Without a crontab it fails, and there is no other way to tell that from an empty one.
        return found.printed.decode() if found.status == 0 else ""

    def _put(self, text: str) -> None:
        if text.strip():
            found = oneshot.ended(["crontab", "-"], text.encode(), env=self._env, timeout_s=ASK_S)
        else:
            found = oneshot.ended(["crontab", "-r"], env=self._env, timeout_s=ASK_S)
        _checked(found, "crontab")


def _ended(text: str) -> str:
    """A text with a line break at its end, unless it is empty."""
    return text if not text or text.endswith("\n") else f"{text}\n"
