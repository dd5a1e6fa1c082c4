"""What was changed in a worktree: committed, staged, unstaged, unknown to git; and nothing of it is touched."""

import os
import subprocess
from pathlib import Path

import pytest

from shopfloor.domain import limits
from shopfloor.domain.errors import NotFound, Refused
from shopfloor.process.diff import worktree_change
from shopfloor.process.workspace import prepare

ENVIRONMENT = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@x",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@x",
}


def git(folder, *words):
    done = subprocess.run(
        ["git", "-C", str(folder), *words],
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "door.txt").write_text("white\n")
    (folder / ".gitignore").write_text("*.log\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "begin")
    return folder


@pytest.fixture
def worktree(repository, tmp_path):
    made = prepare(
        "worktree",
        workspaces=tmp_path / "workspaces",
        name="7",
        repository=str(repository),
        environment=ENVIRONMENT,
    )
    return Path(made.path)


def change(worktree, *, stat=False):
    return worktree_change(str(worktree), ENVIRONMENT, stat=stat)


def test_a_worktree_without_a_change_tells_nothing(repository, worktree):
    told = change(worktree)
    assert (told.text, told.truncated) == ("", False)
    assert told.base == git(repository, "rev-parse", "HEAD")


def test_all_that_was_changed_is_told_and_the_index_stays_as_it_is(worktree):
    (worktree / "door.txt").write_text("red\n")
    git(worktree, "commit", "-qam", "paint")
    for name in ("staged.txt", "unknown.txt", "noise.log"):
        (worktree / name).write_text(f"{name}\n")
    git(worktree, "add", "staged.txt")
    before = git(worktree, "status", "--porcelain")
    told = change(worktree).text
    assert "-white\n+red" in told
    assert "+staged.txt" in told and "+unknown.txt" in told
    assert "noise.log" not in told
    assert git(worktree, "status", "--porcelain") == before == "A  staged.txt\n?? unknown.txt"
    stat = change(worktree, stat=True).text
    assert "door.txt" in stat and "3 files changed" in stat


def test_what_the_repository_did_since_is_no_part_of_the_change(repository, worktree):
    (repository / "other.txt").write_text("other\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "go on")
    (worktree / "door.txt").write_text("red\n")
    told = change(worktree).text
    assert "other" not in told and "+red" in told


def test_nothing_that_the_repositorys_configuration_names_is_run(repository, worktree, tmp_path):
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for name in ("core.fsmonitor", "diff.external", "core.pager", "diff.x.textconv"):
        git(repository, "config", name, str(trap))
    git(repository, "config", "diff.x.command", str(trap))
    (worktree / ".gitattributes").write_text("*.txt diff=x\n")
    (worktree / "door.txt").write_text("red\n")
    (tmp_path / "sprung").unlink(missing_ok=True)
    assert "+red" in change(worktree).text
    assert not (tmp_path / "sprung").exists()


def test_a_large_change_is_cut(worktree):
    (worktree / "large.txt").write_text("x\n" * limits.DIFF_BYTES_MAX)
    told = change(worktree)
    assert told.truncated
    assert len(told.text.encode()) <= limits.DIFF_BYTES_MAX


def test_a_folder_that_is_gone_or_is_no_worktree_is_refused(tmp_path):
    with pytest.raises(NotFound, match="not there any more"):
        change(tmp_path / "gone")
    with pytest.raises(Refused, match="git says"):
        change(tmp_path)
