"""A board that is open for one request: the log stays where it is, and the lock has a word about it."""

import os

import pytest

from shopfloor.domain.errors import Damaged
from shopfloor.store import health
from shopfloor.store.sqlite_file import LOG_KEPT_BYTES
from tests.support.engine_notes import add_long, count


def test_who_has_a_board_for_one_request_leaves_the_log_and_a_word_about_it(notes_file, tmp_path):
    """The commit is in the log, and the file is not written: that would wait for the disk again."""
    path = tmp_path / "board.db"
    notes_file().close()
    before = path.read_bytes()
    for number in (1, 2, 3):
        notes = notes_file(brief=True)
        notes.write(lambda tx, number=number: tx.run("note_add", word=f"word {number}", size=1))
        notes.close()
        assert path.read_bytes() == before
        assert not health.stopped_uncleanly(path, notes.left())
        assert health.stopped_uncleanly(path, "")
    notes = notes_file()
    assert count(notes) == 3
    notes.write(lambda tx: tx.run("note_add", word="of a daemon", size=1))
    notes.close()
    assert path.read_bytes() != before
    assert not (tmp_path / "board.db-wal").exists()


def test_a_log_that_was_written_after_the_word_about_it_is_an_unclean_stop(notes_file, tmp_path):
    notes = notes_file(brief=True)
    notes.write(lambda tx: tx.run("note_add", word="a", size=1))
    notes.close()
    word = notes.left()
    killed = notes_file()
    killed.write(lambda tx: tx.run("note_add", word="b", size=1))
    assert health.stopped_uncleanly(tmp_path / "board.db", word)


def test_a_log_that_has_grown_is_brought_into_the_file(notes_file, tmp_path):
    log = tmp_path / "board.db-wal"
    sizes = []
    for number in range(60):
        notes = notes_file(brief=True)
        notes.write(lambda tx, number=number: add_long(tx, str(number)))
        notes.close()
        sizes.append(log.stat().st_size if log.exists() else 0)
    assert 0 in sizes[1:]
    assert max(sizes) < LOG_KEPT_BYTES
    assert count(notes_file()) == 60


def test_who_found_damage_leaves_no_word_about_the_log(notes_file, tmp_path):
    notes = notes_file(brief=True)
    # More than the log holds before it is brought into the file: then the file's length is known.
    notes.write(lambda tx: [add_long(tx, str(number)) for number in range(1_200)])
    os.truncate(tmp_path / "board.db", 4096)
    with pytest.raises(Damaged):
        notes.write(lambda tx: add_long(tx, "40"))
    notes.close()
    assert notes.left() == ""
    assert (tmp_path / "board.db-wal").stat().st_size > 0
