"""Runs git, for worktrees only; git's own words are part of every refusal.

Variables that would point git somewhere else (GIT_DIR and its like) are taken out of the
environment, and git may not ask anybody for anything.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from shopfloor.domain.errors import Refused

TIMEOUT_S = 600
# One line of git's complaint says what is wrong; the rest is advice for a terminal.
WORDS_MAX = 500


class Git:
    """Git in one folder."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None) -> None:
        base = environment if environment is not None else {"PATH": os.defpath}
        self._environment = {
            **{name: value for name, value in base.items() if not name.startswith("GIT_")},
            "LC_ALL": "C.UTF-8",
            "GIT_TERMINAL_PROMPT": "0",
        }
        self.folder = folder

    def at(self, folder: Path) -> "Git":
        """Return the same git in another folder."""
        return Git(folder, self._environment)

    def with_index(self, index: Path) -> "Git":
        """Return the same git with an index of its own, so that what is staged stays as it is."""
        other = Git(self.folder, self._environment)
        other._environment["GIT_INDEX_FILE"] = str(index)
        return other

    def ask(self, *words: str) -> str | None:
        """Return what git printed; None when it said no."""
        done = self._run(words)
        return done.stdout.rstrip("\n") if done.returncode == 0 else None

    def do(self, purpose: str, *words: str) -> str:
        """Return what git printed; Refused with git's own words when it said no."""
        done = self._run(words)
        if done.returncode == 0:
            return done.stdout.rstrip("\n")
        said = " ".join(done.stderr.split())[:WORDS_MAX].rstrip(".")
        raise Refused(f"{purpose}: git says: {said or f'exit status {done.returncode}'}.")

    def _run(self, words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603 - the words are ours, paths come as arguments
                ["git", "-C", str(self.folder), *words],  # noqa: S607 - the git of the user's PATH
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="surrogateescape",
                timeout=TIMEOUT_S,
                check=False,
                env=self._environment,
            )
        except FileNotFoundError as error:
            raise Refused(
                "A worktree needs git, and no program of that name is in PATH."
            ) from error
        except subprocess.TimeoutExpired as error:
            raise Refused(
                f"git {words[0]} in {self.folder} took longer than {TIMEOUT_S} s and was stopped."
            ) from error
