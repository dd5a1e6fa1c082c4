"""`shop service`: installed, started, kept running and removed by what this machine has for it.

Where a systemd of the user runs, it is used; elsewhere a script reads the unit and does what it says.
Cron is the real one.  launchd's file is compared as text.
"""

import fcntl
import json
import os
import plistlib
import shutil
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from shopfloor.app import keeper_texts as texts
from shopfloor.app.keeper_texts import Kept
from shopfloor.domain.errors import Invalid
from shopfloor.process import identity
from tests.support.packages import CRON, absent
from tests.support.waiting import eventually

SCRIPT = Path(__file__).parent.parent / "support" / "scripted_systemctl.py"
# Another clone may have its turn first, and cron takes a minute.
TURNS_S = 900
# What was started as cron does, to be waited for at the end.
LINES = []
ODD = Kept("shopfloor-x", ("/a b/py$on", "-m", 'x"y', "50%"), {"PATH": "/b c:/d%e"}, "/h%o me")


def has_systemd():
    asked = subprocess.run(
        ["systemctl", "--user", "show-environment"], capture_output=True, check=False
    )
    return asked.returncode == 0


@pytest.fixture
def systemd(home, tmp_path, monkeypatch):
    """A home whose service goes to systemd; the words that `shop service` needs for it."""
    if shutil.which("systemctl") and has_systemd():
        yield home
        end(home, "systemd")
        return
    programs, state, user = (tmp_path / name for name in ("bin", "state", "user"))
    for folder in (programs, state, user):
        folder.mkdir()
    program = programs / "systemctl"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {SCRIPT} "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    home.environment |= {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "SCRIPTED_SYSTEMD": str(state),
        "HOME": str(user),
    }
    home.environment.pop("XDG_CONFIG_HOME", None)
    yield home
    end(home, "systemd")


@pytest.fixture
def crontab(home, tmp_path):
    """The user's own crontab, as it is put back after the test; there is one, so all tests of a machine take turns."""
    if absent(CRON) or os.getuid() != 0:
        pytest.skip("a crontab that may be changed needs root and Debian's cron")
    with Path("/tmp/shopfloor-crontab.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        before = read_crontab()
        home.environment["HOME"] = str(tmp_path)
        yield home
        end(home, "cron")
        while LINES:
            LINES.pop().wait()
        put_back(before)


def put_back(before):
    given = before or "\n"
    subprocess.run(["crontab", "-"], input=given.encode(), check=True)
    if not before:
        subprocess.run(["crontab", "-r"], capture_output=True, check=False)


def end(home, keeper):
    """Leave nothing behind, also where a test has failed half way."""
    home.shop("service", "remove", "--force", "--with", keeper)
    home.shop("down", "--stop-workers")


def read_crontab():
    return subprocess.run(["crontab", "-l"], capture_output=True, text=True, check=False).stdout


def pid_of(home):
    told = home.shop("service", "status", "--json", "--with", "cron")
    return json_of(told)["pid"]


def json_of(told):
    return json.loads(told.stdout)


def service(home, *words, code=0):
    told = home.shop("service", *words)
    assert told.returncode == code, told
    return told


def test_a_service_of_systemd_is_installed_started_looked_at_stopped_and_removed(systemd):
    home = systemd
    told = service(home, "install", "--with", "systemd")
    assert "installed with systemd" in told.stdout and "started: process" in told.stdout
    status = json_of(service(home, "status", "--with", "systemd", "--json"))
    assert status["installed"] and status["running"] and not status["changed"]
    assert status["says"].startswith("active")
    words = service(home, "status", "--with", "systemd").stdout
    assert f"running: process {status['pid']}, since" in words
    task = home.create_command(["sleep", "300"])
    home.becomes(task, "running")
    [worker] = eventually(home.workers)
    service(home, "stop", "--with", "systemd")
    assert worker.pid in {one.pid for one in home.workers()}, "workers outlive their dispatcher"
    assert service(home, "status", "--with", "systemd", code=1).stdout.count("not running") == 1
    service(home, "start", "--with", "systemd")
    assert home.status(task) == "running"
    home.ask("task.cancel", id=task)
    home.is_over(task)
    service(home, "remove", "--with", "systemd")
    status = json_of(service(home, "status", "--with", "systemd", "--json", code=1))
    assert (status["installed"], status["running"]) == (False, False)
    service(home, "start", "--with", "systemd", code=3)


def test_a_changed_file_is_neither_overwritten_nor_removed_silently(systemd):
    home = systemd
    service(home, "install", "--with", "systemd")
    place = Path(json_of(service(home, "status", "--with", "systemd", "--json"))["place"])
    ours = place.read_text()
    place.write_text(ours.replace("RestartSec=10", "RestartSec=99"))
    for verb in ("install", "remove"):
        told = service(home, verb, "--with", "systemd", code=4)
        assert "was changed since" in told.stderr
    assert json_of(service(home, "status", "--with", "systemd", "--json"))["changed"]
    service(home, "install", "--with", "systemd", "--force")
    assert place.read_text() == ours
    assert "RestartSec=99" in Path(f"{place}.old").read_text()
    service(home, "remove", "--with", "systemd")
    place.write_text("[Unit]\n")
    told = service(home, "install", "--with", "systemd", code=4)
    assert "was not written by `shop service`" in told.stderr
    place.unlink()


@pytest.mark.timeout(TURNS_S)
def test_cron_keeps_it_up_and_leaves_the_other_lines_of_the_crontab_alone(crontab):
    home = crontab
    subprocess.run(["crontab", "-"], input=b"# mine\n0 0 1 1 * true\n", check=True)
    service(home, "install", "--with", "cron")
    assert read_crontab().startswith("# mine\n0 0 1 1 * true\n# shopfloor-")
    first = pid_of(home)
    again = service(home, "install", "--with", "cron")
    assert f"process {first} serves" in again.stdout
    assert read_crontab().count("@reboot") == 1
    # What cron does each minute: nothing while one runs, and it is back after it was killed.
    run_line(home)
    assert pid_of(home) == first
    kill(first)
    run_line(home)
    second = eventually(lambda: pid_of(home))
    assert second != first
    service(home, "stop", "--with", "cron")
    run_line(home)
    assert pid_of(home) is None, "what was stopped stays stopped"
    service(home, "start", "--with", "cron")
    assert pid_of(home) is not None
    service(home, "remove", "--with", "cron")
    assert pid_of(home) is None
    assert read_crontab() == "# mine\n0 0 1 1 * true\n"
    assert not (home.path / "service.sh").exists()


def run_line(home):
    """Carry out the line of each minute as cron would: with next to no environment."""
    [line] = [one for one in read_crontab().splitlines() if one.startswith("* * * * *")]
    command = line.removeprefix("* * * * * ").replace("\\%", "%")
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        env={"HOME": home.environment["HOME"], "PATH": "/usr/bin:/bin"},
        start_new_session=True,
    )
    # It serves, or it has left because another does or none is wanted.
    eventually(lambda: process.poll() is not None or pid_of(home) == process.pid)
    LINES.append(process)


def kill(pid):
    process = identity.of(pid)
    os.kill(pid, 9)
    eventually(lambda: not identity.alive(process))


def test_without_a_word_about_the_keeper_it_is_the_one_that_has_the_service(systemd):
    """Systemd is the first choice, and nothing is known to it of what cron keeps."""
    home = systemd
    program = Path(home.environment["HOME"]) / "crontab"
    lines = program.with_suffix(".lines")
    words = f'if [ "$1" = -l ]; then cat {lines}; elif [ "$1" = -r ]; then rm {lines}; else cat > {lines}; fi'
    program.write_text(f"#!/bin/sh\n{words}\n")
    program.chmod(0o755)
    home.environment["PATH"] = f"{program.parent}:{home.environment['PATH']}"
    service(home, "install", "--with", "cron")
    status = json_of(service(home, "status", "--json"))
    assert (status["installed"], status["keeper"]) == (True, "cron")
    told = service(home, "install", "--with", "systemd", code=4)
    assert "`shop service remove --with cron` first" in told.stderr
    service(home, "stop")
    assert "stopped until" in service(home, "status", code=1).stdout
    service(home, "remove")
    assert not lines.exists()
    assert not json_of(service(home, "status", "--json", code=1))["installed"]


def test_a_keeper_that_is_not_there_is_refused_and_leaves_nothing_behind(home, tmp_path):
    home.environment |= {"HOME": str(tmp_path), "PATH": "/nowhere"}
    home.environment.pop("XDG_CONFIG_HOME", None)
    before = {*tmp_path.rglob("*.service"), *tmp_path.rglob("*.plist")}
    for keeper in ("systemd", "cron", *(["launchd"] if sys.platform != "darwin" else [])):
        told = home.shop("service", "install", "--with", keeper)
        assert f"there is no {keeper} here that answers this user" in told.stderr
        assert told.returncode != 0
    assert {*tmp_path.rglob("*.service"), *tmp_path.rglob("*.plist")} == before == set()


@pytest.mark.timeout(TURNS_S)
def test_a_real_cron_starts_it_within_a_minute(crontab):
    home = crontab
    service(home, "install", "--with", "cron")
    first = pid_of(home)
    daemon = None
    if not cron_runs():
        daemon = subprocess.Popen(["cron", "-f"], stdin=subprocess.DEVNULL)
    try:
        kill(first)
        second = eventually(lambda: pid_of(home), limit_s=300)
        assert second not in (None, first)
    finally:
        if daemon is not None:
            daemon.terminate()
            daemon.wait()
    service(home, "remove", "--with", "cron")
    assert pid_of(home) is None


def cron_runs():
    with suppress(OSError, ValueError):
        number = int(Path("/run/crond.pid").read_text())
        return Path(f"/proc/{number}/comm").read_text().strip() == "cron"
    return False


def test_the_log_of_a_service_is_kept_small_and_its_troubles_are_shown(home):
    home.path.mkdir(mode=0o700)
    log = home.path / "service.log"
    log.write_text("09:00:00 default: the disk is full\n09:00:01 stopped; 0 worker(s)\n")
    told = json_of(home.shop("service", "status", "--json", "--with", "cron"))
    assert told["words"] == ["09:00:00 default: the disk is full"]
    with log.open("a") as file:
        file.write("x" * (1 << 20))
    daemon = home.start("--log", str(log))
    eventually((home.path / "service.log.1").exists)
    eventually(lambda: log.exists() and log.stat().st_size < 1 << 20)
    assert daemon.term() == 0
    assert " stopped; " in log.read_text()


def test_one_that_is_unattended_leaves_without_complaint_where_one_runs_or_none_is_wanted(home):
    home.up()
    assert home.shop("up", "--unattended").returncode == 0
    assert home.daemons[0].term() == 0
    (home.path / "service.off").touch()
    assert home.shop("up", "--unattended").returncode == 0


def test_a_unit_holds_every_word_as_it_is():
    unit = texts.systemd_unit(ODD)
    assert 'ExecStart="/a b/py$$on" "-m" "x\\"y" "50%%"' in unit
    assert 'Environment="PATH=/b c:/d%%e"' in unit
    for line in ("Type=notify", "Restart=on-failure", "KillMode=process"):
        assert f"\n{line}\n" in unit
    with pytest.raises(Invalid):
        texts.systemd_unit(ODD._replace(env={"PATH": "a\nb"}))


def test_an_agent_of_launchd_is_a_plist_that_says_the_same():
    text = texts.launchd_agent(ODD, "/log")
    told = plistlib.loads(text.encode())
    assert told["ProgramArguments"] == list(ODD.argv)
    assert told["EnvironmentVariables"] == ODD.env
    assert (told["Label"], told["KeepAlive"]) == (
        "dev.shopfloor.shopfloor-x",
        {"SuccessfulExit": False},
    )
    assert told["AbandonProcessGroup"] is True


def test_what_cron_runs_is_quoted_for_the_shell_and_for_cron():
    lines = texts.crontab_lines(ODD)
    assert "* * * * * exec /bin/sh '/h\\%o me/service.sh'\n" in lines
    assert "@reboot rm -f '/h\\%o me/service.off'; exec" in lines
    script = texts.cron_script(ODD)
    assert "export PATH='/b c:/d%e'\n" in script
    assert """exec '/a b/py$on' -m 'x"y' 50% --unattended >/dev/null 2>&1\n""" in script


@pytest.mark.parametrize(
    "text",
    [
        texts.systemd_unit(ODD),
        texts.launchd_agent(ODD, "/l"),
        texts.crontab_lines(ODD),
        texts.cron_script(ODD),
    ],
    ids=["systemd", "launchd", "crontab", "script"],
)
def test_a_text_of_ours_is_told_from_one_that_was_changed(text):
    assert texts.is_ours(text) and texts.was_ours(text)
    changed = text.replace("shopfloor", "shopflor", 1).replace("/a b", "/a c").replace("/h", "/g")
    assert not texts.is_ours(changed)
    assert not texts.was_ours("[Unit]\n")


def test_a_block_is_found_among_other_lines_and_half_of_one_is_refused():
    block = texts.crontab_lines(ODD)
    assert texts.crontab_block(ODD, f"a\n{block}b\n") == block
    assert texts.crontab_block(ODD, "a\nb\n") == ""
    with pytest.raises(Invalid, match="without its last line"):
        texts.crontab_block(ODD, "\n".join(block.splitlines()[:-1]))
