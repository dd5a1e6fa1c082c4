"""The peers: found on this machine, or installed below `.cache/bench`, or missing with a reason.

Python peers get an environment each, of a fixed version, because two of our loads reach into them;
programs of the distribution are installed where that is allowed (root with apt-get).  Nothing here
raises but `Missing`: a benchmark without a peer says so in its table and goes on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench.env import Env, Missing

HERMES = "hermes-agent==0.19.0"
HUEY = "huey==3.5.4"
INSTALL_S = 900.0
SAID_MAX = 200


def hermes(env: Env) -> Path:
    """The interpreter of an environment with Hermes Agent."""
    return once(env, "hermes", lambda: environment(env, "hermes", HERMES))


def huey(env: Env) -> Path:
    """The interpreter of an environment with huey."""
    return once(env, "huey", lambda: environment(env, "huey", HUEY))


def parallel(env: Env) -> Path:
    """GNU parallel."""
    return once(env, "parallel", lambda: program(env, "parallel", "parallel"))


def task_spooler(env: Env) -> Path:
    """task-spooler, which Debian calls tsp."""
    return once(env, "tsp", lambda: program(env, "tsp", "task-spooler"))


def once(env: Env, name: str, look: Callable[[], Path]) -> Path:
    """The peer as it was found the first time, or the reason why it was not."""
    if name not in env.found:
        try:
            env.found[name] = look()
        except Missing as reason:
            env.found[name] = reason
    found = env.found[name]
    if isinstance(found, Missing):
        raise Missing(*found.args)
    return found


def environment(env: Env, name: str, requirement: str) -> Path:
    """A virtual environment with one requirement, made once and kept."""
    folder = env.cache / name
    python, stamp = folder / "bin" / "python", folder / "made-from"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == requirement and works(python):
        return python
    env.say(f"bench: installing {requirement} into its own environment")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        run([sys.executable, "-m", "venv", str(folder)])
        run([str(python), "-m", "pip", "install", "--quiet", "--only-binary", ":all:", requirement])
    except Missing as failure:
        shutil.rmtree(folder, ignore_errors=True)
        raise Missing(f"{requirement} could not be installed: {failure}") from None
    stamp.write_text(requirement, encoding="utf-8")
    return python


def program(env: Env, name: str, package: str) -> Path:
    """A program of the distribution."""
    found = shutil.which(name)
    if found is None:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise Missing(
                f"there is no program {name}; install the package {package}"
                " with your system's package manager"
            )
        env.say(f"bench: installing the system package {package}")
        try:
            run(["apt-get", "update", "-q"])
            run(["apt-get", "install", "-q", "-y", "--no-install-recommends", package])
        except Missing as failure:
            raise Missing(f"the package {package} could not be installed: {failure}") from None
        found = shutil.which(name)
        if found is None:
            raise Missing(f"the package {package} is installed and has no program {name}")
    return Path(found)


def works(python: Path) -> bool:
    """Whether an interpreter can be started."""
    try:
        return subprocess.run([str(python), "-c", ""], check=False, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def run(command: list[str]) -> None:
    """Run a step of an installation; raises Missing with the last thing that it said."""
    try:
        done = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=INSTALL_S,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
    except OSError as error:
        raise Missing(f"{command[0]} cannot be started ({error.strerror})") from None
    except subprocess.TimeoutExpired:
        raise Missing(f"it took more than {INSTALL_S:g} s") from None
    if done.returncode != 0:
        said = done.stdout.decode(errors="replace").strip().splitlines() or ["nothing was said"]
        raise Missing(said[-1][:SAID_MAX])
