"""A file that is no healthy database: refused in words, left as it is, and kept once."""

import hashlib
import os
import sqlite3
import subprocess
from contextlib import closing

import pytest

from shopfloor.domain.errors import Damaged, Unavailable
from shopfloor.store import health
from shopfloor.store.sqlite import SqliteDatabase

PAGE = 4096


def contents(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.is_file()
    }


def copies(folder):
    return sorted(path.name for path in folder.glob("board.db.corrupt.*"))


def refusal(path):
    database = SqliteDatabase(path, clock=lambda: 0)
    with pytest.raises(Damaged) as damaged:
        database.read(lambda tx: tx.one("schema_step_known"))
    database.close()
    return damaged.value


def fill(notes):
    for number in range(40):
        notes.write(lambda tx, n=number: tx.run("note_add", word=f"{n} " + "x" * 3000, size=n))


def overwrite(path, offset, data):
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_bytes_that_are_no_database_are_refused_and_kept_once(tmp_path):
    path = tmp_path / "board.db"
    path.write_bytes(b"what somebody wrote here " * 500)
    before = contents(tmp_path)["board.db"]
    for _ in range(10):
        error = refusal(path)
        (name,) = copies(tmp_path)
        assert name in str(error) and "no SQLite database" in str(error)
        assert error.detail == {"path": str(path), "copy": str(tmp_path / name)}
    assert contents(tmp_path)["board.db"] == contents(tmp_path)[name] == before
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_changed_bytes_are_another_copy(tmp_path):
    path = tmp_path / "board.db"
    for text in (b"first ", b"second "):
        path.write_bytes(text * 1000)
        refusal(path)
        refusal(path)
    assert len(copies(tmp_path)) == 2
    kept = health.kept_copies(path)
    assert [copy.path.read_bytes()[:6] for copy in kept] == [b"first ", b"second"]
    assert [copy.size for copy in kept] == [6000, 7000]


def test_the_log_and_its_index_are_kept_with_the_file_and_left_alone(notes_file, tmp_path):
    notes = notes_file()
    fill(notes)
    notes.close()
    notes = notes_file()
    # A log that has no copy of the first page, which would make the file healthy again.
    notes.write(lambda tx: tx.run("note_grow", id=20))
    there = tmp_path / "there"
    there.mkdir()
    # By another process: reading it here would cost this one its locks.
    subprocess.run(["cp", *sorted(tmp_path.glob("board.db*")), there], check=True)
    overwrite(there / "board.db", 0, b"scribble" * 16)
    before = contents(there)
    assert len(before) == 3
    refusal(there / "board.db")
    refusal(there / "board.db")
    after = contents(there)
    assert {name: after[name] for name in ("board.db", "board.db-wal")} == {
        name: before[name] for name in ("board.db", "board.db-wal")
    }
    (copy, index, log) = copies(there)
    assert (index, log) == (f"{copy}-shm", f"{copy}-wal")
    assert (after[copy], after[log]) == (before["board.db"], before["board.db-wal"])


def test_the_index_alone_makes_no_other_copy_and_the_log_does(tmp_path):
    """The index is rewritten by whoever opens the file; the log is what was committed."""
    path = tmp_path / "board.db"
    path.write_bytes(b"nothing " * 600)
    kept = set()
    for index, log in ((b"one", b"a"), (b"two", b"a"), (b"two", b"b")):
        (tmp_path / "board.db-shm").write_bytes(index)
        (tmp_path / "board.db-wal").write_bytes(log)
        kept.add(health.keep_copy(path))
    assert len(kept) == 2
    assert {health._sidecar(copy, "-wal").read_bytes() for copy in kept} == {b"a", b"b"}


def test_damage_found_while_the_board_is_in_use_ends_its_use(notes_file, tmp_path):
    notes = notes_file()
    fill(notes)
    notes.close()
    path = tmp_path / "board.db"
    healthy = path.read_bytes()
    for offset in range(3 * PAGE, len(healthy), PAGE):
        overwrite(path, offset, b"\xff" * 64)
    notes = notes_file()
    with pytest.raises(Damaged, match="is damaged"):
        notes.write(lambda tx: [tx.run("note_grow", id=number) for number in range(1, 41)])
    scribbled = path.read_bytes()
    for ask in (notes.read, notes.write):
        with pytest.raises(Damaged, match="a copy is kept as"):
            ask(lambda tx: tx.one("schema_table_count"))
    assert path.read_bytes() == scribbled
    copy = copies(tmp_path)[0]
    assert (tmp_path / copy).read_bytes() == scribbled
    notes.close()


def traced(what):
    return lambda tx: tx.run("trace_add", note_id=None, what=what)


def grow_all(tx):
    for number in range(1, 41):
        tx.run("note_grow", id=number)


def damage_the_notes(path):
    """Scribble over the pages behind the schema and the tables' first pages."""
    for offset in range(15 * PAGE, path.stat().st_size, PAGE):
        overwrite(path, offset, b"\xff" * 64)


def test_one_damaged_request_fails_its_whole_group_and_nothing_more_is_written(
    notes_file, tmp_path
):
    notes = notes_file()
    fill(notes)
    notes.close()
    path = tmp_path / "board.db"
    damage_the_notes(path)
    notes = notes_file()
    assert notes.write(traced("before")) == 1
    # The log holds what was committed; bringing it into a damaged file would be writing to it.
    scribbled, log = path.stat(), (tmp_path / "board.db-wal").stat()
    with pytest.raises(Damaged):
        notes.write_together([traced("one"), grow_all, traced("two")])
    assert len(health.kept_copies(path)) == 1
    assert path.stat().st_mtime_ns == scribbled.st_mtime_ns
    assert (tmp_path / "board.db-wal").stat().st_size == log.st_size > 0
    notes.close()
    assert path.stat().st_mtime_ns == scribbled.st_mtime_ns
    assert notes_file().read(lambda tx: tx.all("trace_all")) == [(1, "before")]


def test_a_reader_in_another_thread_keeps_the_copy_waiting(notes_file, tmp_path):
    """Reading the file while it is open here would drop the locks of the reader that is still at it."""
    notes = notes_file()
    fill(notes)
    notes.close()
    path = tmp_path / "board.db"
    for offset in range(3 * PAGE, path.stat().st_size, PAGE):
        overwrite(path, offset, b"\xff" * 64)
    notes = notes_file()

    def still_reading(tx):
        tx.one("schema_table_count")
        with pytest.raises(Damaged):
            notes.write(
                lambda inner: [inner.run("note_grow", id=number) for number in range(1, 41)]
            )
        assert copies(tmp_path) == []

    notes.read(still_reading)
    assert len(health.kept_copies(path)) == 1


def test_a_copy_stays_in_the_folder_of_the_real_file(tmp_path):
    real, linked = tmp_path / "real", tmp_path / "linked"
    real.mkdir()
    linked.mkdir()
    (real / "board.db").write_bytes(b"nothing " * 600)
    (linked / "board.db").symlink_to(real / "board.db")
    refusal(linked / "board.db")
    assert copies(linked) == []
    assert len(copies(real)) == 1


def test_a_copy_that_cannot_be_made_does_not_hide_the_damage(tmp_path):
    path = tmp_path / "board.db"
    path.write_bytes(b"nothing " * 600)
    digest = health._digest(path)
    # A folder where the copy's first part would go.
    (tmp_path / f"board.db.corrupt.{digest}.bak.part-{os.getpid()}").mkdir()
    error = refusal(path)
    assert "could not be copied" in str(error)
    assert "no SQLite database" in str(error)


def test_checks_find_what_is_wrong(notes_file, tmp_path):
    notes = notes_file()
    assert health.quick_check(notes) == health.full_check(notes) == []
    notes.write(lambda tx: tx.run("note_add", word="a", size=1))
    notes.close()
    orphan = "INSERT INTO trace (note_id, what) VALUES (77, 'of nothing')"
    rewrite_schema(tmp_path / "board.db", "ON note (word)", "ON note (stage)", orphan)
    # Opened as a board it would be rebuilt, or here refused.
    with closing(SqliteDatabase(tmp_path / "board.db", clock=lambda: 0)) as looked_at:
        findings = health.full_check(looked_at)
    assert any("trace, row 1: refers to nothing in note" in finding for finding in findings)
    assert any("note_word" in finding for finding in findings)


def test_a_damaged_board_is_not_backed_up_over_a_good_backup(notes_file, tmp_path):
    notes = notes_file()
    fill(notes)
    notes.close()
    for offset in range(15 * PAGE, (tmp_path / "board.db").stat().st_size, PAGE):
        overwrite(tmp_path / "board.db", offset, b"\xff" * 64)
    (tmp_path / "copy.db").write_text("a good one")
    with pytest.raises(Damaged):
        notes_file().backup(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "a good one"


def rewrite_schema(path, old, new, *more):
    other = sqlite3.connect(path)
    other.execute("PRAGMA writable_schema=ON")
    other.execute("UPDATE sqlite_schema SET sql = REPLACE(sql, ?, ?)", (old, new))
    other.commit()
    other.close()
    other = sqlite3.connect(path)
    for statement in more:
        other.execute(statement)
    other.commit()
    other.close()


def test_a_board_with_impossible_rows_is_not_backed_up_either(notes_file, tmp_path):
    path = tmp_path / "board.db"
    impossible = "INSERT INTO trace (note_id, what) VALUES (NULL, NULL)"
    rewrite_schema(path, "what    TEXT NOT NULL", "what    TEXT", impossible)
    rewrite_schema(path, "what    TEXT", "what    TEXT NOT NULL")
    with pytest.raises(Damaged, match=r"was not backed up: NULL value in trace\.what"):
        notes_file().backup(tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_an_unclean_stop_is_known_before_the_opening(notes_file, tmp_path):
    path = tmp_path / "board.db"
    assert not health.stopped_uncleanly(path)
    notes = notes_file()
    notes.write(lambda tx: tx.run("note_add", word="a", size=1))
    assert health.stopped_uncleanly(path)
    notes.close()
    assert not health.stopped_uncleanly(path)


def test_the_fingerprint_changes_with_the_file(tmp_path):
    path = tmp_path / "board.db"
    seen = {health.fingerprint(path)}
    for text in ("a", "ab"):
        path.write_text(text)
        seen |= {health.fingerprint(path), health.fingerprint(path)}
    assert len(seen) == 3


def test_an_sqlite_library_that_is_too_old_is_refused_and_a_faulty_one_is_named():
    health.check_library((3, 35, 0))
    with pytest.raises(Unavailable, match=r"3\.34\.1; boards need 3\.35\.0"):
        health.check_library((3, 34, 1))
    assert health.known_faults((3, 51, 3)) == []
    (note,) = health.known_faults((3, 51, 2))
    assert "3.51.3" in note
