"""Declared results are copied out of a workspace, and nothing from outside it."""

import os
from pathlib import Path

import pytest

from shopfloor.process.artifacts import collect
from shopfloor.process.environment import worker_environment
from shopfloor.process.files import safe_name, store_unique, write_atomic


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    place = tmp_path / "workspace"
    (place / "out").mkdir(parents=True)
    (place / "out" / "report.md").write_text("done")
    (place / "report.md").write_text("other")
    (tmp_path / "secret").write_text("secret")
    return place


def reason(workspace: Path, name: str, size_max: int = 1000) -> str:
    found = collect(workspace, [name], workspace.parent / "kept", size_max=size_max)
    assert found.stored == ()
    assert [one.name for one in found.missing] == [name]
    return found.missing[0].reason


def test_declared_files_are_copied_and_a_taken_name_gets_a_number(workspace, tmp_path):
    found = collect(workspace, ["out/report.md", "./report.md"], tmp_path / "kept")
    assert found.missing == ()
    assert [(one.name, one.path.name, one.size) for one in found.stored] == [
        ("out/report.md", "report.md", 4),
        ("./report.md", "report-2.md", 5),
    ]
    assert (tmp_path / "kept" / "report-2.md").read_text() == "other"


def test_a_name_that_is_known_is_taken_also_without_its_file(workspace, tmp_path):
    found = collect(workspace, ["report.md"], tmp_path / "kept", taken={"report.md"})
    assert [one.path.name for one in found.stored] == ["report-2.md"]


def test_a_missing_file_is_reported_and_the_others_are_copied(workspace, tmp_path):
    found = collect(workspace, ["no.txt", "report.md"], tmp_path / "kept")
    assert [one.name for one in found.missing] == ["no.txt"]
    assert len(found.stored) == 1


@pytest.mark.parametrize("name", ["../secret", "out/../../secret", "/etc/passwd", "", "a\0b", ".."])
def test_a_name_that_leads_out_is_not_copied(workspace, name):
    assert "not a relative path inside" in reason(workspace, name)


def test_a_link_that_leads_out_is_not_followed(workspace, tmp_path):
    (workspace / "link").symlink_to(tmp_path / "secret")
    (workspace / "folder").symlink_to(tmp_path)
    assert "symbolic link" in reason(workspace, "link")
    assert "symbolic link" in reason(workspace, "folder/secret")


def test_a_link_that_stays_inside_is_followed(workspace, tmp_path):
    (workspace / "latest").symlink_to("out/report.md")
    (found,) = collect(workspace, ["latest"], tmp_path / "kept").stored
    assert found.path.read_text() == "done"


def test_a_folder_a_pipe_and_a_loop_of_links_are_reported(workspace):
    os.mkfifo(workspace / "pipe")
    (workspace / "loop").symlink_to("loop")
    assert "not a file" in reason(workspace, "out")
    assert "not a file" in reason(workspace, "pipe")
    assert "cannot be read" in reason(workspace, "loop")


def test_a_file_over_the_cap_is_reported(workspace):
    (workspace / "big").write_bytes(b"x" * 1001)
    assert "larger than 1000 bytes" in reason(workspace, "big")


def test_a_workspace_that_is_gone_is_reported(tmp_path):
    assert "not in the workspace" in reason(tmp_path / "gone", "a")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.md", "report.md"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("..", "file"),
        (".", "file"),
        ("", "file"),
        ("/", "file"),
        (".hidden", "hidden"),
        ("a\x00b\nc", "abc"),
        ("über straße.txt", "über straße.txt"),
        ("what?*.txt", "what__.txt"),
        ("\u202egpj.exe", "gpj.exe"),
        ("x" * 300 + ".tar", "x" * 196 + ".tar"),
        ("ä" * 300, "ä" * 100),
    ],
)
def test_a_sent_name_becomes_one_safe_file_name(name, safe):
    assert safe_name(name) == safe


def test_a_name_is_given_once(tmp_path):
    places = [store_unique(tmp_path, "a.tar.gz", str(number).encode()) for number in range(3)]
    assert [place.name for place in places] == ["a.tar.gz", "a.tar-2.gz", "a.tar-3.gz"]
    assert [place.read_text() for place in places] == ["0", "1", "2"]


def test_an_atomic_write_replaces_and_leaves_nothing_behind(tmp_path):
    write_atomic(tmp_path / "a", b"one")
    write_atomic(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_an_atomic_write_that_fails_leaves_the_old_file(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").touch()
    with pytest.raises(OSError, match="folder"):
        write_atomic(tmp_path / "folder", b"x")
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


def test_a_worker_sees_the_allowed_names_and_its_own_and_nothing_else():
    base = {
        "PATH": "/bin",
        "HOME": "/home/a",
        "LC_ALL": "C",
        "XDG_RUNTIME_DIR": "/run",
        "TERM": "xterm",
        "API_KEY": "secret",
        "SHOPFLOOR_TOKEN": "of another run",
        "LD_PRELOAD": "/evil.so",
        "PATHS": "no",
    }
    seen = worker_environment(base, {"PATH": "/own", "TOKEN": "mine"})
    assert seen == {
        "PATH": "/own",
        "HOME": "/home/a",
        "LC_ALL": "C",
        "XDG_RUNTIME_DIR": "/run",
        "TERM": "xterm",
        "TOKEN": "mine",
    }
