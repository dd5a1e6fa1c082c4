"""A file that others touch and a disk that fails: noticed, said, and nothing half done."""

import os
import shutil
import stat
import subprocess
import sys
from functools import partial
from itertools import count as count_up
from pathlib import Path

import pytest

from shopfloor.domain.errors import Damaged, Unavailable
from shopfloor.store.sqlite import SqliteDatabase
from shopfloor.store.sqlite_file import WRITING
from tests.support.engine_notes import add, add_long, count

ROOT = Path(__file__).resolve().parents[2]


def test_a_file_that_lost_its_end_is_found_at_the_next_commit(notes_file, tmp_path):
    notes = notes_file()
    for number in range(150):
        notes.write(lambda tx, number=number: add_long(tx, str(number)))
    path = tmp_path / "board.db"
    size = path.stat().st_size
    # By the system call that takes a path: a descriptor would cost this process its locks.
    os.truncate(path, size - 4096)
    with pytest.raises(Damaged, match="its end is lost"):
        notes.write(lambda tx: add_long(tx, "more"))
    with pytest.raises(Damaged, match="its end is lost"):
        notes.read(lambda tx: tx.one("note_count"))
    (copy,) = tmp_path.glob("board.db.corrupt.*.bak")
    assert copy.stat().st_size == path.stat().st_size
    notes.close()


def test_a_checkpoint_that_readers_hold_up_is_no_lost_end(notes_file):
    notes = notes_file()

    def write_much(held):
        for number in range(150):
            notes.write(lambda tx, n=number: add_long(tx, f"{held} {n}"))

    def hold(tx, held):
        tx.one("note_count")
        write_much(held)

    for held in range(4):
        notes.read(partial(hold, held=held))
    assert count(notes) == 600


def test_a_checkpoint_that_a_reader_holds_up_is_not_asked_for_at_each_commit(notes_file):
    notes = notes_file()
    words = count_up()
    asked = []

    def write_much():
        for _ in range(250):
            notes.write(lambda tx: add_long(tx, str(next(words))))

    def hold(tx):
        tx.one("note_count")
        notes._file.writer(WRITING).set_trace_callback(asked.append)
        write_much()

    write_much()
    notes.read(hold)
    assert len([text for text in asked if "wal_checkpoint" in text]) < 10


@pytest.mark.parametrize("how", ["replaced by another file", "deleted"])
def test_a_file_that_is_exchanged_while_it_is_open_is_noticed_and_the_new_one_spared(
    notes_file, tmp_path, how
):
    other = notes_file()
    other.write(add)
    other.backup(tmp_path / "other.db")
    other.close()
    notes = notes_file()
    notes.write(lambda tx: add(tx, "second"))
    path = tmp_path / "board.db"
    if how == "deleted":
        path.unlink()
    else:
        (tmp_path / "other.db").replace(path)
        (tmp_path / "board.db-wal").rename(tmp_path / "old-wal")
        (tmp_path / "board.db-shm").unlink()
        theirs = notes_file()
        theirs.write(lambda tx: add(tx, "theirs"))
    with pytest.raises(Unavailable, match=how):
        notes.write(lambda tx: add(tx, "third"))
    with pytest.raises(Unavailable, match=how):
        notes.write(lambda tx: add(tx, "fourth"))
    notes.close()
    if how != "deleted":
        assert (tmp_path / "board.db-wal").stat().st_size > 0
        assert count(theirs) == 2


def test_a_backup_is_a_whole_board_and_for_its_user_alone(notes_file, tmp_path):
    notes = notes_file()
    notes.write(add)
    copy = tmp_path / "copy.db"
    copy.write_text("an older backup")
    notes.backup(copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    notes.write(lambda tx: add(tx, "after it"))
    restored = SqliteDatabase(copy, clock=lambda: 0, statements=notes.statements)
    assert count(restored) == 1
    restored.close()
    assert not list(tmp_path.glob("*.part-*"))


def test_a_backup_that_fails_says_so_and_leaves_no_half(notes_file, tmp_path):
    notes = notes_file()
    with pytest.raises(Unavailable, match="could not be backed up"):
        notes.backup(tmp_path / "no folder" / "copy.db")
    assert count(notes) == 0


FULL = """
import resource, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from shopfloor.domain.errors import Unavailable
from shopfloor.store import migrate
from shopfloor.store.owner import Owner
from shopfloor.store.statements import Statements

path, sql, steps, limit = sys.argv[1:]
db = migrate.open_sqlite(path, create=False, clock=lambda: 0, known=migrate.steps(Path(steps)), statements=Statements("sqlite", Path(sql)))
add = lambda word: (lambda tx: tx.one("note_add", word=word, size=1))
kept = 0
if int(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
try:
    for number in range(1000):
        db.write(add(f"{{number}} " + "x" * 20_000))
        kept += 1
except Unavailable as full:
    print(full)
try:
    db.write_together([add("small"), add("y" * 400_000), add("another")])
except Unavailable as full:
    print(full)
assert db.read(lambda tx: tx.one("note_count")) == (kept,), kept
if int(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    db.write(add("room again"))
    kept += 1
db.close()
print(kept)
"""


def fill(path, sql, limit):
    arguments = [path, sql, ROOT / "tests/store/engine_steps", str(limit)]
    done = subprocess.run(
        [sys.executable, "-c", FULL.format(root=str(ROOT)), *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert not done.stderr
    *sentences, kept = done.stdout.splitlines()
    return sentences, int(kept)


def test_a_disk_that_fails_at_the_commit_leaves_nothing_half_done(notes_file, tmp_path):
    sentences, kept = fill(tmp_path / "board.db", tmp_path / "sql", 600_000)
    assert len(sentences) == 2
    assert all("The disk of" in sentence for sentence in sentences)
    notes = notes_file()
    assert count(notes) == kept > 3
    assert notes.read(lambda tx: tx.all("engine_full_check", limit=5)) == [("ok",)]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one megabyte; only root may have one mounted, and not everywhere."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk]
    if os.getuid() != 0 or subprocess.run(mount, check=False, timeout=120).returncode:
        pytest.skip("a small disk cannot be mounted here; it takes root")
    yield disk
    subprocess.run(["umount", disk], check=True, timeout=120)


def test_a_full_disk_is_named_and_leaves_nothing_half_done(notes_file, tmp_path, small_disk):
    shutil.copy(tmp_path / "board.db", small_disk)
    sentences, kept = fill(small_disk / "board.db", tmp_path / "sql", 0)
    assert len(sentences) == 2
    assert all("is full; nothing was stored" in sentence for sentence in sentences)
    # On a full disk the log could not be brought into the file, so it belongs to the board.
    for part in small_disk.iterdir():
        shutil.copy(part, tmp_path)
    notes = notes_file()
    assert count(notes) == kept > 3
    assert notes.read(lambda tx: tx.all("engine_full_check", limit=5)) == [("ok",)]
