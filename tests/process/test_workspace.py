"""Workspaces are made or checked, and nothing that exists is changed."""

import subprocess
from pathlib import Path

import pytest

from shopfloor.domain.errors import Invalid, Refused
from shopfloor.process.workspace import prepare, prepare_dir, prepare_scratch, prepare_worktree

ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_DIR": "/somewhere/else",
    "HOME": "/nonexistent",
}


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        ["git", *who, "-C", str(folder), *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    place = tmp_path / "code"
    place.mkdir()
    git(place, "init", "--quiet")
    (place / "file").write_text("one\n")
    git(place, "add", "file")
    git(place, "commit", "--quiet", "-m", "first")
    return place


def worktree(repository: Path, name: str = "42", **more):
    return prepare_worktree(str(repository), name, environment=ENVIRONMENT, **more)


def test_a_scratch_folder_is_made_below_the_workspaces(tmp_path):
    made = prepare_scratch(tmp_path / "workspaces", "42")
    assert made == ("scratch", str(tmp_path / "workspaces" / "42"), None, True)
    assert Path(made.path).stat().st_mode & 0o777 == 0o700


def test_a_later_attempt_finds_what_the_earlier_one_left(tmp_path):
    first = prepare_scratch(tmp_path, "42")
    (Path(first.path) / "kept").touch()
    again = prepare_scratch(tmp_path, "42")
    assert (again.path, again.made) == (first.path, False)
    assert (Path(again.path) / "kept").exists()


def test_a_scratch_name_cannot_lead_out(tmp_path):
    made = prepare_scratch(tmp_path / "workspaces", "../../etc")
    assert made.path == str(tmp_path / "workspaces" / "etc")


def test_a_link_or_file_in_the_scratch_folders_place_is_refused(tmp_path):
    (tmp_path / "1").symlink_to(tmp_path)
    (tmp_path / "2").touch()
    for name in ("1", "2"):
        with pytest.raises(Refused, match="not a folder of its own"):
            prepare_scratch(tmp_path, name)


def test_a_folder_of_the_users_is_used_as_it_is(tmp_path):
    assert prepare_dir(str(tmp_path)) == ("dir", str(tmp_path), None, False)


def test_a_relative_missing_or_plain_dir_is_refused_and_never_made(tmp_path):
    with pytest.raises(Invalid, match="not an absolute path"):
        prepare_dir("some/where")
    with pytest.raises(Refused, match="does not exist"):
        prepare_dir(str(tmp_path / "missing"))
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="is not a folder"):
        prepare_dir(str(tmp_path / "file"))
    assert not (tmp_path / "missing").exists()


def test_the_kind_decides(tmp_path, repository):
    common = {"workspaces": tmp_path / "workspaces", "name": "42", "environment": ENVIRONMENT}
    assert prepare("scratch", **common).kind == "scratch"
    assert prepare("dir", path=str(tmp_path), **common).path == str(tmp_path)
    assert prepare("worktree", repository=str(repository), **common).branch == "shop/42"
    with pytest.raises(Invalid, match="needs a path"):
        prepare("dir", **common)
    with pytest.raises(Invalid, match="no workspace kind"):
        prepare("cloud", **common)


def test_a_worktree_is_made_with_a_branch_of_its_own(repository):
    made = worktree(repository)
    assert made == ("worktree", str(repository / ".worktrees" / "42"), "shop/42", True)
    assert (Path(made.path) / "file").read_text() == "one\n"
    assert git(Path(made.path), "branch", "--show-current") == "shop/42"
    assert git(repository, "status", "--porcelain") == ""


def test_a_worktree_is_made_where_and_on_the_branch_that_is_asked_for(repository, tmp_path):
    place = tmp_path / "deep" / "tree"
    made = worktree(repository, path=str(place), branch="topic/x")
    assert (made.path, made.branch) == (str(place), "topic/x")


def test_a_branch_that_exists_is_used(repository):
    git(repository, "branch", "topic")
    (repository / "file").write_text("two\n")
    git(repository, "commit", "--quiet", "-am", "second")
    made = worktree(repository, branch="topic")
    assert (Path(made.path) / "file").read_text() == "one\n"


def test_a_later_attempt_gets_the_same_worktree_with_its_unfinished_work(repository):
    made = worktree(repository)
    (Path(made.path) / "file").write_text("half done\n")
    again = worktree(repository)
    assert (again.path, again.branch, again.made) == (made.path, "shop/42", False)
    assert (Path(again.path) / "file").read_text() == "half done\n"


def test_a_worktree_may_be_named_from_within_another_one(repository, tmp_path):
    made = worktree(repository)
    second = worktree(Path(made.path), "43")
    assert second.path == str(repository / ".worktrees" / "43")


def test_a_clean_worktree_of_the_users_is_used(repository, tmp_path):
    place = tmp_path / "mine"
    git(repository, "worktree", "add", "--quiet", "-b", "mine", str(place))
    assert worktree(repository, path=str(place)) == ("worktree", str(place), "mine", False)


def test_a_dirty_worktree_of_the_users_is_refused(repository, tmp_path):
    place = tmp_path / "mine"
    git(repository, "worktree", "add", "--quiet", "-b", "mine", str(place))
    (place / "file").write_text("changed\n")
    with pytest.raises(Refused, match="changes that are not committed"):
        worktree(repository, path=str(place))
    assert (place / "file").read_text() == "changed\n"


def test_a_worktree_on_another_branch_is_refused(repository):
    worktree(repository)
    with pytest.raises(Refused, match="is on shop/42, not on other"):
        worktree(repository, branch="other")


def test_a_foreign_folder_is_refused_and_left_as_it_is(repository, tmp_path):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "precious").touch()
    with pytest.raises(Refused, match="is not a worktree of"):
        worktree(repository, path=str(foreign))
    assert [one.name for one in foreign.iterdir()] == ["precious"]


def test_a_link_to_a_worktree_is_refused(repository, tmp_path):
    made = worktree(repository)
    (tmp_path / "link").symlink_to(made.path)
    with pytest.raises(Refused, match="is not a worktree of"):
        worktree(repository, path=str(tmp_path / "link"))


def test_the_main_checkout_is_refused_as_a_worktree(repository):
    with pytest.raises(Refused, match="main checkout"):
        worktree(repository, path=str(repository))


def test_an_empty_folder_becomes_the_worktree(repository, tmp_path):
    (tmp_path / "empty").mkdir()
    assert worktree(repository, path=str(tmp_path / "empty")).made


def test_a_worktree_whose_folder_was_deleted_is_made_again(repository):
    made = worktree(repository)
    subprocess.run(["rm", "-r", made.path], check=True)
    again = worktree(repository)
    assert again.made
    assert (Path(again.path) / "file").exists()


def test_a_branch_that_is_checked_out_elsewhere_is_refused_in_gits_words(repository):
    with pytest.raises(Refused, match=r"git says: .*main"):
        worktree(repository, branch="main")


def test_a_folder_without_a_repository_is_refused_in_gits_words(tmp_path):
    with pytest.raises(Refused, match=r"git says: .*not a git repository"):
        worktree(tmp_path)


def test_a_branch_name_that_git_does_not_take_is_refused(repository):
    for name in ("a..b", "-x", "with space"):
        with pytest.raises(Invalid, match="not a name that git takes"):
            worktree(repository, branch=name)


def test_a_relative_worktree_path_is_refused(repository):
    with pytest.raises(Invalid, match="not absolute"):
        worktree(repository, path="here")


def test_a_missing_git_is_a_sentence(repository):
    with pytest.raises(Refused, match="needs git"):
        prepare_worktree(str(repository), "42", environment={"PATH": "/nonexistent"})
