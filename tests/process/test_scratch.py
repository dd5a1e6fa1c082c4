"""Nothing is deleted but scratch folders of the board itself."""

import os
import subprocess
from pathlib import Path

import pytest

from shopfloor.process.scratch import LeftAlone, Removed, remove_scratch


@pytest.fixture
def board(tmp_path: Path) -> Path:
    root = tmp_path / "boards" / "main"
    for folder in ("workspaces/42/src", "logs", "attachments", "runs"):
        (root / folder).mkdir(parents=True)
    (root / "workspaces/42/src/file").write_text("x")
    (root / "board.json").touch()
    (root / "logs" / "42.log").touch()
    return root


def everything(top: Path) -> set[str]:
    return {str(one) for one in top.rglob("*")}


def left_alone(board: Path, path: Path) -> str:
    """Ask for a removal that must not happen; return the warning."""
    before = everything(board.parents[1])
    found = remove_scratch(board, path)
    assert isinstance(found, LeftAlone), found
    assert everything(board.parents[1]) == before
    assert str(path) in found.warning
    return found.warning


def test_a_scratch_folder_is_removed_with_everything_in_it(board):
    assert remove_scratch(board, board / "workspaces" / "42") == Removed(
        str(board / "workspaces" / "42")
    )
    assert list((board / "workspaces").iterdir()) == []
    assert (board / "board.json").exists()


def test_a_folder_that_is_gone_already_counts_as_removed(board):
    assert isinstance(remove_scratch(board, board / "workspaces" / "7"), Removed)


@pytest.mark.parametrize(
    "place",
    [
        "workspaces",
        "logs",
        "logs/42.log",
        "attachments",
        "runs",
        "",
        "..",
        "../..",
        "workspaces/..",
        "workspaces/../logs",
        "workspaces/42/../../logs",
        "workspaces/.",
    ],
)
def test_any_other_place_of_the_board_is_left_alone(board, place):
    assert "ever removed" in left_alone(board, board / place)


def test_home_the_root_and_another_boards_scratch_are_left_alone(board):
    other = board.parent / "other" / "workspaces" / "1"
    other.mkdir(parents=True)
    for path in (Path("/"), Path.home(), other, Path("workspaces/42"), board.parent):
        left_alone(board, path)


def test_a_board_without_workspaces_loses_nothing(board):
    empty = board.parent / "empty"
    (empty / "42").mkdir(parents=True)
    left_alone(board, empty / "42")
    left_alone(empty, empty / "42")


def test_a_link_in_the_scratch_folders_place_is_left_alone(board, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (board / "workspaces" / "43").symlink_to(precious)
    assert "symbolic link" in left_alone(board, board / "workspaces" / "43")


def test_a_link_on_the_way_is_not_followed(board, tmp_path):
    (tmp_path / "precious" / "inner").mkdir(parents=True)
    (board / "workspaces" / "43").symlink_to(tmp_path / "precious")
    assert "symbolic link" in left_alone(board, board / "workspaces" / "43" / "inner")


def test_a_workspaces_folder_that_is_a_link_is_not_followed(board, tmp_path):
    (board / "workspaces").rename(tmp_path / "elsewhere")
    (board / "workspaces").symlink_to(tmp_path / "elsewhere")
    assert "symbolic link" in left_alone(board, board / "workspaces" / "42")


def test_links_inside_are_removed_and_not_followed(board, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    scratch = board / "workspaces" / "42"
    (scratch / "folder-link").symlink_to(precious)
    (scratch / "file-link").symlink_to(precious / "file")
    (scratch / "up").symlink_to("..")
    assert isinstance(remove_scratch(board, scratch), Removed)
    assert (precious / "file").exists()
    assert board.exists()


def test_folders_that_forbid_writing_to_their_owner_are_removed(board):
    scratch = board / "workspaces" / "42"
    (scratch / "src").chmod(0o500)
    scratch.chmod(0o000)
    assert isinstance(remove_scratch(board, scratch), Removed)
    assert not scratch.exists()


def test_what_is_mounted_inside_is_not_entered(board):
    inside = board / "workspaces" / "42" / "mounted"
    inside.mkdir()
    command = ["mount", "-t", "tmpfs", "tmpfs-of-a-test", str(inside)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        # Who may not mount: another file system's number is all that the check looks at.
        print("Nothing may be mounted here; the device's number is compared by hand.")
        assert inside.stat().st_dev == board.stat().st_dev
        return
    try:
        (inside / "precious").touch()
        found = remove_scratch(board, board / "workspaces" / "42")
        assert isinstance(found, LeftAlone)
        assert "mounted" in found.warning
        assert (inside / "precious").exists()
    finally:
        subprocess.run(["umount", str(inside)], check=True)


def test_folders_nested_too_deeply_are_a_warning(board):
    deep = board / "workspaces" / "42"
    fd = os.open(deep, os.O_RDONLY)
    for _ in range(1_500):
        os.mkdir("d", dir_fd=fd)
        inner = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.close(fd)
    found = remove_scratch(board, deep)
    assert isinstance(found, LeftAlone)
    subprocess.run(["rm", "-r", str(deep)], check=True)
