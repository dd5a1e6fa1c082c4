"""A disk that is full loses output, says so, and never loses the exit record."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shopfloor.process import identity, proc, record
from shopfloor.process.logs import OLDER, tail


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A file system of 256 KiB; None where this user may not mount one."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "small-disk-of-a-test", str(place)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        refusal = mounted.stderr.strip() if mounted.returncode else None
    except FileNotFoundError:
        refusal = "there is no mount program"
    if refusal is not None:
        print(f"No small disk could be mounted ({refusal}); a file size limit stands in for it.")
        yield None
        return
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path) -> Path:
    """Take every block that is free."""
    filler = place / "filler"
    with filler.open("ab", buffering=0) as file:
        try:
            while file.write(b"f" * 4096):
                pass
        except OSError:
            pass
    return filler


def limit_files(pid: int, size: int) -> Callable[[], None]:
    """Let a process write no file beyond a size; returns what takes the limit away."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    return lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard)) and None


def test_output_for_which_there_is_no_room_is_dropped_and_the_log_says_so(floor, small_disk):
    place = small_disk or floor.folder
    go_on = floor.folder / "go-on"
    os.mkfifo(go_on)
    program = (
        "import os\n"
        "os.write(1, b'a' * 2_000_000)\n"
        "print('full', file=open('written', 'w'))\n"
        f"open({str(go_on)!r}).read()\n"
        "print('after', flush=True)\n"
    )
    spec = floor.python(program, log_path=str(place / "1.log"))
    pending = floor.wait_at_pipe(spec)
    relieve = None if small_disk else limit_files(pending.identity.pid, 100_000)
    assert pending.go()
    floor.until((floor.folder / "written").exists)
    if relieve is not None:
        relieve()
    else:
        os.truncate(place / "1.log", 0)
    go_on.write_text("now\n")
    ended = floor.ended(spec)
    assert (ended.exit_code, ended.output_bytes) == (0, 2_000_006)
    # What was still in the pipe when there was room again stands between the notice and the end.
    text = tail(spec.log_path, 200_000).text
    assert "bytes of output were dropped here" in text
    assert text.endswith("after\n")
    assert not Path(spec.log_path + OLDER).exists()


def test_a_record_has_its_room_from_the_start(floor, small_disk):
    if small_disk is None:
        # Without a small disk only the record's retry can be shown: the next test does.
        return
    run_dir = small_disk / "run"
    run_dir.mkdir()
    spec = floor.spec("sh", "-c", "echo up > up; read gone < gate; exit 5", run_dir=str(run_dir))
    os.mkfifo(floor.folder / "gate")
    floor.go(spec)
    floor.until((floor.folder / "up").exists)
    floor.worker(spec)
    fill(small_disk)
    (floor.folder / "gate").write_text("go\n")
    assert floor.ended(spec).exit_code == 5


def test_a_record_that_cannot_be_written_is_tried_until_it_can(floor):
    spec = floor.spec("sh", "-c", "exit 5")
    pending = floor.wait_at_pipe(spec)
    relieve = limit_files(pending.identity.pid, 0)
    assert pending.go()
    # The record's pauses are the supervisor's only timed sleeps, so it sleeps without a poll.
    floor.until(lambda: _waits_in(pending.identity.pid) == "sleeping")
    assert record.read(spec.run_dir) is None
    assert identity.alive(pending.identity)
    relieve()
    assert floor.ended(spec).exit_code == 5


def test_a_run_whose_folder_was_removed_ends_all_the_same(floor):
    spec = floor.spec("sh", "-c", 'rm -r "$RUN_DIR"')
    supervisor = floor.go(spec._replace(env={**spec.env, "RUN_DIR": spec.run_dir}))
    floor.until(lambda: not identity.alive(supervisor))
    assert not Path(spec.run_dir).exists()


def _waits_in(pid: int) -> str:
    text = (proc.read(f"/proc/{pid}/syscall", 200) or b"").split()
    # clock_nanosleep on x86-64 and on the generic table that arm64 uses.
    return "sleeping" if text and text[0] in (b"230", b"115") else "elsewhere"
