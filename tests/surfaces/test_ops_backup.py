"""A board's copy is a healthy board, made while the board is in use."""

import sqlite3
from contextlib import closing

import pytest

from shopfloor.domain.errors import Invalid
from tests.support.board import open_board


def test_a_backup_is_a_whole_board_and_never_overwrites_a_file(tmp_path):
    with closing(open_board(tmp_path)) as board:
        board.ask("task.create", title="Keep me")
        target = tmp_path / "copy.db"
        told = board.ask("admin.backup", target=str(target))
        assert told.size == target.stat().st_size
        with pytest.raises(Invalid, match="is there already"):
            board.ask("admin.backup", target=str(target))
        with pytest.raises(Invalid, match="not a whole path"):
            board.ask("admin.backup", target="copy.db")
    copy = sqlite3.connect(target)
    try:
        assert copy.execute("SELECT title FROM task").fetchall() == [("Keep me",)]
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        copy.close()
