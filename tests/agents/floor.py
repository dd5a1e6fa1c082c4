"""A shop floor for a test: a home with a daemon, profiles of real agent programs, scripted models.

Each profile is an agent program whose models do what a scenario says; the word in its address is the
profile's name, so the model server can tell which profile a call came from.  The programs see a user's
home, folders and temporary files of their own, below the test's folder.
"""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

from shopfloor.process import proc
from tests.agents.model_server import Call, ModelServer
from tests.agents.replies import Reply
from tests.agents.scenarios import in_turn
from tests.agents.users_settings import KEY, USERS_SETTINGS
from tests.support.home import ENVIRONMENT_BYTES_MAX, Daemon, Home
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = Path(os.environ.get("SHOPFLOOR_AGENTS") or ROOT / ".cache" / "agents") / "bin"
# The slowest program takes 20 seconds to ask its model for the first time, on a busy machine minutes.
PATIENCE_S = 300.0
# How long a program may try again by itself when its provider limits it.
QUOTA_WAIT = "4s"
QUIET = "[dispatch]\nguard_active_pr = false\nrecent_success = 0\n"


class Floor:
    """Everything that a test of agents needs, in short words."""

    def __init__(self, folder: Path, models: ModelServer) -> None:
        self.home = Home(folder)
        self.models = models
        self.user = folder / "user"
        self._profiles: dict[str, dict[str, Any]] = {}
        self.settings = self._planner = ""
        (folder / "tmp").mkdir()
        self.user.mkdir()
        kept = {
            name: word
            for name, word in self.home.environment.items()
            if not name.startswith("XDG_") and not name.endswith(("_API_KEY", "_BASE_URL"))
        }
        here = {
            "PATH": f"{INSTALLED}:{self.home.python.parent}:{kept['PATH']}",
            "HOME": str(self.user),
            "TMPDIR": str(folder / "tmp"),
            "TERM": "dumb",
            "NO_COLOR": "1",
        }
        self.home.environment = {**kept, **here}

    def profile(
        self, program: str, scenario: str, *, name: str | None = None, **fields: Any
    ) -> str:
        """Add a profile of a program that plays a scenario; its name."""
        name = name or program.replace("-", "")
        folder = self.user / name
        folder.mkdir()
        address = self.models.address(scenario, name)
        known = USERS_SETTINGS[program.removesuffix("-acp")](address, folder)
        env = known.pop("env") | fields.pop("env", {})
        usual = {"preset": program, "quota_wait": QUOTA_WAIT}
        self._profiles[name] = {**usual, **known, **fields, "env": env}
        self.configure()
        return name

    def configure(self, settings: str | None = None) -> None:
        """Write the configuration: the settings of the board, and all profiles."""
        self.settings = self.settings if settings is None else settings
        parts = [self.settings or QUIET, self._planner]
        parts += [_table(f"profiles.{name}", one) for name, one in self._profiles.items()]
        self.home.configure("\n".join(parts))

    def planner(self, *replies: Reply | str) -> None:
        """Let a model that gives these replies plan and judge; the last one again and again."""
        self.models.scenarios["plans"] = in_turn(*replies)
        fields = {
            "provider": "openai-compatible",
            "model": "scripted",
            "base_url": f"{self.models.address('plans', 'planner')}/v1",
            "api_key_env": "PLANNER_KEY",
        }
        self.home.environment["PLANNER_KEY"] = KEY
        self._planner = _table("planner", fields)
        self.configure()

    def judge(self, *verdicts: str) -> None:
        """Let a model judge the turns of a goal: done, continue or impossible, one after the other."""
        told = [{"verdict": one, "reason": f"I say {one}.", "next": "Go on."} for one in verdicts]
        self.planner(*map(json.dumps, told))

    def up(self, *arguments: str) -> Daemon:
        return self.home.up(*arguments)

    def give(self, profile: str, title: str = "Paint the gate", **args: Any) -> int:
        """Give a task to a profile; its number."""
        return self.home.create(title, assignee=profile, **args)

    # What a test waits for and looks at.

    def becomes(self, task: int, *statuses: str) -> dict[str, Any]:
        """Wait until a task has one of these statuses; the task as it is then."""

        def found() -> dict[str, Any] | None:
            shown = self.home.task(task)
            return shown if shown["status"] in statuses else None

        try:
            shown = eventually(found, limit_s=PATIENCE_S)
        except AssertionError:
            raise AssertionError(f"#{task} is not {statuses}: {self.told(task)}") from None
        assert shown is not None
        return shown

    def has_attempts(self, task: int, number: int) -> None:
        """Wait until so many attempts of a task have ended."""

        def ended() -> bool:
            return sum(outcome is not None for outcome in self.home.outcomes(task)) >= number

        try:
            eventually(ended, limit_s=PATIENCE_S)
        except AssertionError:
            raise AssertionError(f"not {number} attempts: {self.told(task)}") from None

    def calls(self, profile: str, number: int = 1) -> list[Call]:
        """Wait until a profile has made so many calls for its work; these calls."""
        try:
            eventually(
                lambda: len(self.models.calls(profile, work=True)) >= number, limit_s=PATIENCE_S
            )
        except AssertionError:
            tasks = self.home.ask("task.list")["items"]
            told = "\n".join(self.told(one["id"]) for one in tasks)
            raise AssertionError(f"{profile} made not {number} calls: {told}") from None
        return self.models.calls(profile, work=True)

    def session(self, profile: str) -> list[Call]:
        """The calls of a profile, which must all belong to one session: each knows what was said before."""
        calls = self.models.calls(profile, work=True)
        for earlier, later in pairwise(calls):
            said = [*earlier.request.made, *later.request.made]
            assert all(item in later.request.made for item in said), (
                f"{profile} began a new session"
            )
        return calls

    def told(self, task: int) -> str:
        """All that is known of a task, for the message of a failing test."""
        shown = self.home.show(task)
        log = self.home.board() / "logs" / f"{task}.log"
        runs = [
            {
                name: run[name]
                for name in ("id", "outcome", "error", "exit_code", "exit_signal", "session")
                if name in run
            }
            for run in self.home.runs(task)
        ]
        reports = [
            file.read_text()[:2000] for file in (self.home.board() / "runs").glob("*/report.json")
        ]
        lines = [json.dumps(call.line())[:800] for call in self.models.calls()[-12:]]
        return "\n".join(
            [
                "",
                json.dumps({name: shown["task"][name] for name in ("status", "block_reason")}),
                json.dumps(runs, indent=1),
                *reports,
                "--- the log",
                log.read_text(errors="replace")[-3000:] if log.exists() else "none",
                "--- the daemon",
                self.home.daemons[-1].log()[-1500:] if self.home.daemons else "none",
                "--- the models",
                *lines,
            ]
        )

    def is_over(self, task: int) -> dict[str, Any]:
        """Wait until nothing of a task lives, by the ledger's word and by the machine's; its last run."""
        try:
            eventually(
                lambda: all(run["gone_at"] for run in self.home.runs(task)), limit_s=PATIENCE_S
            )
            eventually(lambda: not self.strays(), limit_s=PATIENCE_S)
        except AssertionError:
            raise AssertionError(f"{self.strays()} {self.told(task)}") from None
        return self.home.runs(task)[-1]

    def strays(self) -> list[str]:
        """Processes that were started in the user's home of this test by a worker, daemon apart."""
        mine = {daemon.pid for daemon in self.home.daemons}
        marked = str(self.user).encode()
        found = []
        for one in proc.everyone():
            environment = proc.read(f"/proc/{one.pid}/environ", ENVIRONMENT_BYTES_MAX) or b""
            line = proc.read(f"/proc/{one.pid}/cmdline", ENVIRONMENT_BYTES_MAX) or b""
            if one.dead or one.pid in mine or marked not in environment:
                continue
            if str(self.home.python).encode() not in line:
                found.append(line.replace(b"\0", b" ").decode(errors="replace")[:200])
        return found

    def command_lines(self) -> str:
        """What `ps` shows of all processes of this floor."""
        lines = [
            proc.read(f"/proc/{one.pid}/cmdline", ENVIRONMENT_BYTES_MAX) or b""
            for one in proc.everyone()
            if str(self.user).encode()
            in (proc.read(f"/proc/{one.pid}/environ", ENVIRONMENT_BYTES_MAX) or b"")
        ]
        return b"\n".join(lines).replace(b"\0", b" ").decode(errors="replace")

    def agent(self, run: int) -> proc.Stat:
        """The agent program of a run: what the runner started."""
        runner = self.runner(run)
        return eventually(
            lambda: next((one for one in self.home.workers(run) if one.parent == runner.pid), None),
            limit_s=PATIENCE_S,
        ) or runner  # fmt: skip

    def runner(self, run: int) -> proc.Stat:
        """The runner of a run."""

        def found() -> proc.Stat | None:
            for one in self.home.workers(run):
                line = proc.read(f"/proc/{one.pid}/cmdline", ENVIRONMENT_BYTES_MAX) or b""
                if b"shopfloor.runners" in line:
                    return one
            return None

        runner = eventually(found, limit_s=PATIENCE_S)
        assert runner is not None
        return runner

    def close(self) -> None:
        self.home.close()


def _table(name: str, fields: dict[str, Any]) -> str:
    """A table of TOML; strings and lists look the same in JSON."""
    plain = {key: value for key, value in fields.items() if not isinstance(value, dict)}
    lines = [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in plain.items())]
    inner = {key: value for key, value in fields.items() if isinstance(value, dict)}
    return "\n".join([*lines, *(_table(f"{name}.{key}", value) for key, value in inner.items())])
