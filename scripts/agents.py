"""Install the real agent programs that the suite `agents` drives: `make agents`, or by name.

    python scripts/agents.py [PROGRAM...]

Each program has a folder in `tests/agents/programs` that says which package and version it is, with a
lock file of exact versions and hashes; `scripts/lock` makes the locks anew.  Each is installed into a
folder of its own below `.cache/agents` (or the folder named by SHOPFLOOR_AGENTS), and `bin` there holds
a link to every program.  What is current is left alone.  No package's install script is run but those
named here, which only put a program of the package into its place.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINNED = ROOT / "tests" / "agents" / "programs"
CACHE = Path(os.environ.get("SHOPFLOOR_AGENTS") or ROOT / ".cache" / "agents")
NODE_MIN = 20
# More than a gigabyte is fetched: a registry's hiccup that outlasts what npm and pip try is waited out.
TRIES = 4
PAUSE_S = 10
# `npm ci` refuses a lock without the builds for other systems, which not every registry has; this
# takes what the lock says as well.
NPM = ("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class Missing(Exception):
    """The machine lacks something; the text says what and what would help."""


@dataclass(frozen=True, slots=True)
class Program:
    """One agent program: where the package puts it, and what is to be run after its installation."""

    name: str
    place: str
    after: tuple[str, ...] = ()

    def pinned(self) -> Path:
        """The folder with the package, its version and its lock."""
        return PINNED / self.name

    def folder(self) -> Path:
        """Where it is installed."""
        return CACHE / self.name

    def from_npm(self) -> bool:
        """Whether it is a program for Node.js; the others are Python programs."""
        return (self.pinned() / "package.json").exists()

    def fingerprint(self) -> str:
        """What the installation depends on: the pinned versions, this recipe and the interpreter."""
        digest = hashlib.sha256(repr((self, str(CACHE), sys.version_info[:2])).encode())
        for file in sorted(self.pinned().iterdir()):
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def current(self) -> bool:
        """Whether what is installed is what is pinned."""
        stamp = self.folder() / "made-from"
        return stamp.exists() and stamp.read_text() == self.fingerprint()


PROGRAMS = {
    program.name: program
    for program in (
        Program(
            "claude",
            "node_modules/.bin/claude",
            ("node", "node_modules/@anthropic-ai/claude-code/install.cjs"),
        ),
        Program("codex", "node_modules/.bin/codex"),
        Program(
            "opencode",
            "node_modules/.bin/opencode",
            ("node", "node_modules/opencode-ai/postinstall.mjs"),
        ),
        Program("gemini", "node_modules/.bin/gemini"),
        Program("qwen", "node_modules/.bin/qwen"),
        Program("hermes", "venv/bin/hermes"),
    )
}


def main(names: Sequence[str]) -> int:
    """Install the named programs, or all; the exit status."""
    unknown = [name for name in names if name not in PROGRAMS]
    if unknown:
        say(f"there is no program {unknown[0]!r}; there are {', '.join(PROGRAMS)}.")
        return 2
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        # Two runs at once take turns.
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            for name in names or PROGRAMS:
                install(PROGRAMS[name])
        except Missing as missing:
            say(str(missing))
            return 1
    return 0


def install(program: Program) -> None:
    """Install one program, or leave it alone when it is current."""
    if program.current():
        return
    if program.from_npm():
        require_node()
    begun = time.monotonic()
    say(f"installing {program.name}")
    for number in range(1, TRIES + 1):
        try:
            told = make(program)
        except Missing as missing:
            if number == TRIES:
                raise
            say(f"{missing} Trying again in {number * PAUSE_S} s.")
            time.sleep(number * PAUSE_S)
        else:
            (program.folder() / "made-from").write_text(program.fingerprint())
            say(f"{program.name}: {told}, {time.monotonic() - begun:.0f} s")
            return


def make(program: Program) -> str:
    """Fetch a program from its registry, and let it say its version.

    All of it is tried again when that fails: npm leaves out, without a word, a part for this system that
    it could not fetch.
    """
    shutil.rmtree(program.folder(), ignore_errors=True)
    shutil.copytree(program.pinned(), program.folder())
    if program.from_npm():
        run(program, *NPM)
    else:
        venv.create(program.folder() / "venv", with_pip=True, symlinks=True)
        pip = ("venv/bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check")
        run(
            program, *pip, "install", "--require-hashes", "--only-binary", ":all:", "-r", "lock.txt"
        )
    if program.after:
        run(program, *program.after)
    link = CACHE / "bin" / program.name
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(Path("..") / program.name / program.place)
    told = run(program, str(link), "--version").strip().splitlines()
    return told[0] if told else "installed"


def require_node() -> None:
    """Fail in one sentence where Node.js is missing or too old."""
    help_ = f"install Node.js {NODE_MIN} or newer with npm (on Debian: apt-get install nodejs npm)."
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise Missing(f"Node.js or npm is missing, which most agent programs need; {help_}")
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(told.strip().lstrip("v").partition(".")[0]) < NODE_MIN:
        raise Missing(f"Node.js here is {told.strip()}, which is too old; {help_}")


def run(program: Program, *argv: str) -> str:
    """Run a step of the installation in the program's folder; its standard output."""
    # A program that is asked for its version may write into its home.
    home = program.folder() / "home"
    home.mkdir(exist_ok=True)
    asked = {"HOME": str(home)} if argv[-1] == "--version" else {}
    done = subprocess.run(
        argv,
        cwd=program.folder(),
        env={**os.environ, **asked},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
        raise Missing(f"installing {program.name} failed at `{' '.join(argv)}`; see above.")
    return done.stdout


def say(text: str) -> None:
    """A line of progress; results go nowhere else."""
    print(f"agents: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
