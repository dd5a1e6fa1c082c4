"""A `systemctl --user` for machines without systemd: reads the unit that was installed, and runs what it says.

It does with a unit what the tests are about: quoting and environment, Type=notify, KillMode=process.
Its state is a folder in SCRIPTED_SYSTEMD.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

STATE = Path(os.environ["SCRIPTED_SYSTEMD"])
UNITS = Path(os.environ["HOME"]) / ".config" / "systemd" / "user"


def facts(unit: str) -> dict[str, list[str]]:
    """The lines of a unit, each setting with its values."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / unit).read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def words(value: str) -> list[str]:
    """Words as systemd reads them: quoted, with %% and $$ for what would mean something."""
    return [re.sub(r"%%", "%", word).replace("$$", "$") for word in shlex.split(value)]


def running(unit: str) -> int | None:
    try:
        pid = int((STATE / f"{unit}.pid").read_text())
    except (OSError, ValueError):
        return None
    return None if dead(pid) else pid


def start(unit: str) -> None:
    told = facts(unit)
    assert told["Type"] == ["notify"] and told["KillMode"] == ["process"]
    address = str(STATE / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        Path(address).unlink(missing_ok=True)
        listener.bind(address)
        listener.settimeout(60)
        given = [words(value)[0].partition("=") for value in told["Environment"]]
        env = {name: value for name, _, value in given} | {"NOTIFY_SOCKET": address}
        program = subprocess.Popen(
            words(told["ExecStart"][0]),
            env=env | {"HOME": os.environ["HOME"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        (STATE / f"{unit}.pid").write_text(str(program.pid))
        assert listener.recv(100) == b"READY=1"


def stop(unit: str) -> None:
    pid = running(unit)
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    while not dead(pid):
        time.sleep(0.02)


def dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def main(argv: list[str]) -> int:
    assert argv[0] == "--user"
    verb, *rest = argv[1:]
    unit = rest[-1] if rest else ""
    if verb in ("enable", "disable", "start", "stop") and not (UNITS / unit).exists():
        print(f"Unit {unit} not found.", file=sys.stderr)
        return 5
    with (STATE / "calls").open("a") as calls:
        print(" ".join([verb, *rest]), file=calls)
    if verb == "start" and running(unit) is None:
        start(unit)
    if verb == "stop" or (verb == "disable" and "--now" in rest):
        stop(unit)
    if verb == "show":
        alive = running(unit) is not None
        print(f"ActiveState={'active' if alive else 'inactive'}")
        print(f"SubState={'running' if alive else 'dead'}\nResult=success\nNRestarts=0")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
