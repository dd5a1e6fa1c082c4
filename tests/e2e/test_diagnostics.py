"""The diagnosis as a command, on a real home: exit status, and the steps that no operation takes."""

import shlex
import subprocess

import pytest


def found(home, *flags):
    """The codes that are found, and the exit status."""
    said = home.shop("diagnostics", "-q", *flags)
    return said.stdout.split(), said.returncode


def test_what_is_found_is_ended_by_its_own_commands_from_first_to_last(home):
    home.create_command(["true"])
    assert found(home) == (["no_dispatcher"], 1)
    home.up()
    home.becomes(1, "done")
    assert found(home) == ([], 0)
    assert home.shop("diagnostics").stderr == "nothing is wrong\n"
    home.create_command(["false"], max_attempts=1)
    home.becomes(2, "blocked")
    assert found(home) == (["repeated_failures"], 1)
    assert found(home, "2") == (["repeated_failures"], 1)
    assert found(home, "1") == ([], 0)
    [finding] = home.ask("diagnostics.list")["items"]
    *_, last = [step for step in finding["steps"] if step["ends"]]
    assert home.shop(*shlex.split(last["command"])[1:]).returncode == 0
    assert found(home) == ([], 0)


def test_a_task_that_is_not_there_is_another_exit_status(home):
    said = home.shop("diagnostics", "7")
    assert said.returncode == 3 and "no task #7" in said.stderr


@pytest.fixture
def small_disk(home):
    """The home on a disk of its own; None where this user may not mount one."""
    home.path.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "small-disk", str(home.path)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    yield mounted
    if mounted:
        home.close()
        subprocess.run(["umount", "--lazy", str(home.path)], check=True)


def test_a_small_disk_is_an_error_and_the_doctor_says_the_same(home, small_disk):
    home.shop("init")
    codes, status = found(home, "--severity", "error")
    doctor = home.shop("doctor").stdout
    if small_disk:
        assert (codes, status) == (["disk_nearly_full"], 1)
        assert "BAD  disk" in doctor
    else:
        print("No small disk could be mounted; that the two agree is all that is seen.")
        assert ("disk_nearly_full" in codes) == ("BAD  disk" in doctor)
